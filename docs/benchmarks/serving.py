"""What watching a run in browsers costs: frames per second and processor time with so many clients.

    python docs/benchmarks/serving.py [SECONDS]

Each client reads /stream.mjpg of the demo street on loopback, as fast as it comes.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from pathlib import Path
from urllib.parse import urlsplit

ROOT = Path(__file__).resolve().parents[2]
CLIENTS = (0, 1, 4, 16)
_TICK = os.sysconf("SC_CLK_TCK")


def counted(url: str) -> int:
    """Frames that the network has seen so far."""
    text = urllib.request.urlopen(f"{url}metrics", timeout=60).read().decode()
    line = next(line for line in text.splitlines() if 'fate="processed"' in line)
    return int(float(line.split()[-1]))


def spent(process: int) -> float:
    """Seconds of processor time of a process so far."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICK


def watch(url: str, seen: list[int], over: threading.Event) -> None:
    """Read a stream, and count its pictures."""
    parts = urlsplit(url)
    with socket.create_connection((parts.hostname, parts.port)) as connection:
        connection.settimeout(1.0)
        connection.sendall(b"GET /stream.mjpg HTTP/1.1\r\nHost: localhost\r\n\r\n")
        while not over.is_set():
            try:
                seen[0] += connection.recv(1 << 20).count(b"X-Picture")
            except TimeoutError:
                continue


def measure(clients: int, seconds: float) -> None:
    line = ["main.py", "demo", "--headless", "--serve", "0"]
    program = subprocess.Popen(
        [sys.executable, *line],
        cwd=ROOT,
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    )
    assert program.stderr is not None
    url = program.stderr.readline().split()[-1]
    threading.Thread(target=program.stderr.read, daemon=True).start()
    over = threading.Event()
    seen = [[0] for _ in range(clients)]
    threads = [threading.Thread(target=watch, args=(url, each, over)) for each in seen]
    for each in threads:
        each.start()
    while counted(url) < 20:
        time.sleep(0.2)
    frames, cpu, pictures = counted(url), spent(program.pid), sum(each[0] for each in seen)
    begun = time.monotonic()
    time.sleep(seconds)
    passed = time.monotonic() - begun
    frames, cpu = counted(url) - frames, spent(program.pid) - cpu
    pictures = sum(each[0] for each in seen) - pictures
    over.set()
    for each in threads:
        each.join()
    program.send_signal(signal.SIGTERM)
    program.wait()
    each_client = f"{pictures / clients / passed:.1f}" if clients else "–"
    print(
        f"| {clients} | {frames / passed:.1f} | {each_client} | {1000 * cpu / frames:.0f} ms |",
        flush=True,
    )


if __name__ == "__main__":
    print("| clients | network, fps | each client, fps | processor time per frame |", flush=True)
    print("|---|---|---|---|")
    for number in CLIENTS:
        measure(number, float(sys.argv[1]) if len(sys.argv) > 1 else 20.0)
