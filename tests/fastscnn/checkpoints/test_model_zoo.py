import hashlib
import io
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from app.config.settings import NetworkOptions, Settings
from app.gui.feedback.status_bar import waiting_message
from app.pipeline.pipeline import Pipeline
from fastscnn.checkpoints import checkpoint, model_zoo
from fastscnn.checkpoints.checkpoint import Checkpoint, save
from fastscnn.checkpoints.http_download import Limits
from fastscnn.checkpoints.model_zoo import fetch, listing, obtain, resolve
from fastscnn.checkpoints.public_formats import FORMATS
from fastscnn.checkpoints.zoo_catalog import Checksum, Entry, ZooError
from fastscnn.model.fast_scnn import FastSCNN
from tests.support.cli_process import Started, run_main
from tests.support.http_server import Web, content, head, redirect, serving
from tests.support.media import ROOT
from tests.support.reference_models import SegmenTronLike
from tests.support.waiting import PATIENCE, wait_until

# Begins as torch's archives do, and is longer than what one read or one socket buffer takes.
DATA = b"PK\3\4" + bytes(range(256)) * 4000
QUICK = Limits(timeout=20, pause=0.01)
"""Pauses that are short; only a silent server is waited for as long as it says."""


@pytest.fixture
def web():
    with serving() as server:
        yield server


@pytest.fixture(autouse=True)
def _own_environment(tmp_path, monkeypatch):
    monkeypatch.setenv("FASTSCNN_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("FASTSCNN_MIRROR", raising=False)
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def cache(tmp_path):
    return tmp_path / "cache"


def _entry(web: Web, path="/net.pth", data=DATA, **changes):
    checksum = Checksum("sha256", hashlib.sha256(data).hexdigest())
    entry = Entry("net", web.url + path, "net.pth", checksum=checksum)
    return replace(entry, **changes)


def _refused(entry, match, **arguments):
    with pytest.raises(ZooError, match=match) as error:
        obtain(entry, limits=QUICK, **arguments)
    text = str(error.value)
    assert "\n" not in text
    assert text.endswith((".", "?"))
    return text


def _left(cache: Path):
    """What lies in the cache beside locks."""
    return sorted(path.name for path in cache.iterdir() if path.suffix != ".lock")


# What is published


def test_every_entry_is_of_a_format_that_can_be_loaded():
    assert model_zoo.NAMES == ("gluoncv", "mmseg", "tramac", "zh320", "segmentron")
    assert {entry.format for entry in model_zoo.ENTRIES} <= {format_.name for format_ in FORMATS}
    assert len({entry.file for entry in model_zoo.ENTRIES}) == len(model_zoo.ENTRIES)
    for entry in model_zoo.ENTRIES:
        assert entry.address.startswith("https://")
        assert entry.differs
        assert entry.terms


def test_a_download_may_be_as_large_as_a_checkpoint():
    assert Limits().size == checkpoint.MAX_BYTES


@pytest.mark.parametrize("kind", ["sha1", "sha256", "git"])
def test_checksums_are_those_of_other_programs(tmp_path, kind):
    path = tmp_path / "x"
    path.write_bytes(b"hello\n")
    value = {
        "sha1": "f572d396fae9206628714fb2ce00f72e94f2258f",
        "sha256": "5891b5b522d5df08",
        "git": "ce013625030ba8dba906f756967f9e9ca394464a",  # git hash-object
    }[kind]
    assert Checksum(kind, value).fits(path)
    assert not Checksum(kind, "0" * 8).fits(path)


# Downloads that succeed


def test_a_checkpoint_is_downloaded_verified_and_kept(web, cache):
    web.pages["/net.pth"] = content(DATA)
    steps, said = [], []
    path = obtain(_entry(web), lambda *step: steps.append(step), say=said.append)
    assert path.read_bytes() == DATA
    assert path == cache / "net.pth"
    assert _left(cache) == ["net.pth"]
    assert steps[-1] == (len(DATA), len(DATA))
    assert [done for done, _ in steps] == sorted(done for done, _ in steps)
    assert said == [f"Downloading net (1.0 MB) from {web.url.removeprefix('http://')}…"]


def test_the_second_time_no_network_is_needed(web):
    web.pages["/net.pth"] = content(DATA)
    first = obtain(_entry(web))
    assert obtain(_entry(web)) == first
    assert len(web.requests) == 1


def test_a_file_damaged_in_the_cache_is_downloaded_again(web):
    web.pages["/net.pth"] = content(DATA)
    path = obtain(_entry(web))
    path.write_bytes(DATA[:-1])
    assert obtain(_entry(web)).read_bytes() == DATA


def test_a_cut_connection_is_gone_on_with_where_it_broke(web, cache):
    web.pages["/net.pth"] = content(DATA, cuts=2)
    assert obtain(_entry(web), limits=QUICK).read_bytes() == DATA
    ranges = [asked for _, asked in web.requests]
    assert ranges == [None, f"bytes={len(DATA) // 2}-", f"bytes={len(DATA) * 3 // 4}-"]
    assert _left(cache) == ["net.pth"]


def test_a_connection_cut_before_the_first_byte_is_tried_again(web):
    web.pages["/net.pth"] = lambda handler, count: count and content(DATA)(handler, count)
    assert obtain(_entry(web), limits=QUICK).read_bytes() == DATA


def test_a_server_without_ranges_starts_again(web):
    web.pages["/net.pth"] = content(DATA, ranges=False, cuts=1)
    assert obtain(_entry(web), limits=QUICK).read_bytes() == DATA
    assert len(web.requests) == 2


def test_a_download_broken_off_is_gone_on_with_by_the_next_run(web):
    web.pages["/net.pth"] = content(DATA)

    def stop(done, total):
        if done > 300_000:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        obtain(_entry(web), stop)
    assert obtain(_entry(web)).read_bytes() == DATA
    start = int(web.requests[1][1].removeprefix("bytes=")[:-1])
    assert 200_000 < start < len(DATA)


def test_a_file_that_changed_after_the_cut_is_downloaded_from_its_beginning(web):
    old = b"PK\3\4" + b"old" * 300_000

    def answer(handler, count):
        content(old, tag='"old"', cuts=1)(handler, count) if count == 0 else None
        content(DATA, tag='"new"')(handler, count) if count else None

    web.pages["/net.pth"] = answer
    assert obtain(_entry(web, checksum=None), limits=QUICK).read_bytes() == DATA


def test_without_a_version_or_a_checksum_nothing_is_gone_on_with(web):
    web.pages["/net.pth"] = content(DATA, tag="", cuts=1)
    obtain(_entry(web, checksum=None), limits=QUICK)
    assert [asked for _, asked in web.requests] == [None, None]


def test_the_part_of_another_address_is_not_gone_on_with(web, cache):
    cache.mkdir()
    (cache / "net.pth.part").write_bytes(b"x" * 1000)
    (cache / "net.pth.part.from").write_text('http://elsewhere/net.pth\n"1"\n')
    web.pages["/net.pth"] = content(DATA)
    assert obtain(_entry(web)).read_bytes() == DATA
    assert web.requests == [("/net.pth", None)]


def test_a_part_longer_than_the_file_is_thrown_away(web, cache):
    cache.mkdir()
    (cache / "net.pth.part").write_bytes(b"x" * (len(DATA) + 9))
    (cache / "net.pth.part.from").write_text(f'{web.url}/net.pth\n"1"\n')
    web.pages["/net.pth"] = content(DATA)
    assert obtain(_entry(web), limits=QUICK).read_bytes() == DATA


def test_a_part_from_the_wrong_place_is_thrown_away(web, cache):
    cache.mkdir()
    (cache / "net.pth.part").write_bytes(DATA[:1000])
    (cache / "net.pth.part.from").write_text(f'{web.url}/net.pth\n"1"\n')

    def answer(handler, count):
        if count == 0:
            head(handler, 206, Content_Length=5, Content_Range="bytes 0-4/5")
            handler.wfile.write(b"12345")
        else:
            content(DATA)(handler, count)

    web.pages["/net.pth"] = answer
    assert obtain(_entry(web), limits=QUICK).read_bytes() == DATA


def test_chunks_without_a_length_are_taken(web):
    def answer(handler, count):
        head(handler, 200, Transfer_Encoding="chunked")
        for piece in (DATA[:70_000], DATA[70_000:]):
            handler.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
        handler.wfile.write(b"0\r\n\r\n" if count else b"")

    web.pages["/net.pth"] = answer  # the first answer lacks its end
    said = []
    assert obtain(_entry(web), say=said.append, limits=QUICK).read_bytes() == DATA
    assert len(web.requests) == 2
    assert said[0].startswith("Downloading net from 127.0.0.1")


def test_a_slow_server_is_waited_for(web):
    data = DATA[:2000]

    def answer(handler, count):
        head(handler, 200, Content_Length=len(data))
        for start in range(0, len(data), 400):
            time.sleep(0.15)
            handler.wfile.write(data[start : start + 400])

    web.pages["/net.pth"] = answer
    limits = replace(QUICK, timeout=0.5)  # less than it takes in all
    assert obtain(_entry(web, data=data), limits=limits).read_bytes() == data
    assert len(web.requests) == 1


def test_redirects_are_followed_and_keep_the_range(web):
    web.pages["/net.pth"] = redirect("/moved.pth")
    web.pages["/moved.pth"] = content(DATA, cuts=1)
    assert obtain(_entry(web), limits=QUICK).read_bytes() == DATA
    assert web.requests[-1] == ("/moved.pth", f"bytes={len(DATA) // 2}-")


# Downloads that fail


def test_a_wrong_file_is_not_kept(web, cache):
    web.pages["/net.pth"] = content(DATA[:-1] + b"!")
    _refused(_entry(web), "net cannot be downloaded: .* is not the published file")
    assert _left(cache) == []


def test_a_connection_cut_for_good_is_said_and_leaves_no_file_in_place(web, cache):
    web.pages["/net.pth"] = content(DATA, cuts=99)
    _refused(_entry(web), "was cut 4 times")
    assert _left(cache) == ["net.pth.part", "net.pth.part.from"]
    assert listing()[0][1] is None


def test_a_missing_file_is_said(web):
    _refused(_entry(web), r"has no such file \(404\)")
    assert len(web.requests) == 1


def test_an_error_of_the_server_is_said(web):
    web.pages["/net.pth"] = lambda handler, count: head(handler, 503, Content_Length=0)
    _refused(_entry(web), "answered 503 Service Unavailable")


@pytest.mark.parametrize("silent_after", [None, 0, 9])
def test_a_silent_server_is_not_waited_for_long(web, silent_after):
    def answer(handler, count):
        if silent_after is not None:
            head(handler, 200, Content_Length=len(DATA))
            handler.wfile.write(DATA[:silent_after])
        web.released.wait(PATIENCE)

    web.pages["/net.pth"] = answer
    started = time.monotonic()
    limits = replace(QUICK, timeout=0.2)
    with pytest.raises(ZooError, match=r"did not answer within 0\.2 seconds|was cut"):
        obtain(_entry(web), limits=limits)
    assert time.monotonic() - started < 60


def test_offline_is_said_in_a_sentence():
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    entry = Entry("net", f"http://127.0.0.1:{port}/net.pth", "net.pth")
    _refused(entry, "cannot be reached; is this machine online")
    unknown = replace(entry, address="http://no-such-host.invalid/net.pth")
    _refused(unknown, "no-such-host.invalid cannot be found; is this machine online")


@pytest.mark.parametrize(
    "to", ["file:///etc/hostname", "ftp://127.0.0.1/x.pth", "data:,x", "/net.pth"]
)
def test_a_redirect_to_what_is_no_web_address_or_round_in_a_circle_is_refused(web, to):
    web.pages["/net.pth"] = redirect(to)
    text = _refused(_entry(web), "leads on to .*, which is not followed")
    assert to in text


@pytest.mark.parametrize("told", [True, False])
def test_a_file_that_is_too_large_is_refused(web, cache, told):
    def answer(handler, count):
        if told:
            head(handler, 200, Content_Length=10**10)
            return
        head(handler, 200, Transfer_Encoding="chunked")
        while not web.released.is_set():
            handler.wfile.write(b"10000\r\n%s\r\n" % bytes(65536))

    web.pages["/net.pth"] = answer
    with pytest.raises(ZooError, match=r"larger than any .* \(at most 2.0 MB\)"):
        obtain(_entry(web), limits=replace(QUICK, size=2_000_000))
    assert _left(cache) == []


def test_a_file_of_unknown_length_is_refused_as_a_cut_would_go_unnoticed(web):
    def answer(handler, count):
        head(handler, 200)
        handler.wfile.write(DATA)

    web.pages["/net.pth"] = answer
    _refused(_entry(web), "does not say how long the file is")


def test_what_is_no_web_server_is_said(web):
    web.pages["/net.pth"] = lambda handler, count: handler.wfile.write(b"220 welcome\r\n\r\n")
    _refused(_entry(web), "does not answer as a web server does|was cut")


def test_a_cache_that_cannot_be_written_is_said(web, cache):
    cache.write_text("a file")
    _refused(_entry(web), "cannot hold checkpoints .*FASTSCNN_CACHE")


def test_where_a_proxy_is_set_it_is_asked(web, monkeypatch):
    monkeypatch.setenv("http_proxy", web.url)
    monkeypatch.setenv("no_proxy", "")
    web.pages["http://elsewhere.invalid/net.pth"] = content(DATA)
    entry = _entry(web, address="http://elsewhere.invalid/net.pth")
    assert obtain(entry).read_bytes() == DATA


# Archives


def _archive(*members):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members:
            archive.writestr(name, data)
    return buffer.getvalue()


def _zipped(web, archive):
    web.pages["/net-1.pth.zip"] = content(archive, cuts=1)
    return _entry(web, "/net-1.pth.zip")


def test_the_checkpoint_inside_an_archive_is_taken_and_verified(web, cache):
    entry = _zipped(web, _archive(("net-1.pth", DATA)))
    assert obtain(entry, limits=QUICK).read_bytes() == DATA
    assert _left(cache) == ["net.pth"]


@pytest.mark.parametrize(
    "names",
    [["../net-1.pth"], ["/net-1.pth"], ["other.pth"], ["net-1.pth", "../../evil.py"], []],
)
def test_an_archive_with_anything_else_is_refused_and_nothing_escapes(web, cache, names):
    entry = _zipped(web, _archive(*((name, DATA) for name in names)))
    _refused(entry, r"does not hold net-1\.pth and nothing else")
    assert _left(cache) == []
    assert list(cache.parent.iterdir()) == [cache]


def test_a_damaged_archive_is_refused(web, cache):
    whole = _archive(("net-1.pth", DATA))
    for damaged in (whole[:-30], whole[:100] + b"????" + whole[104:], b"no archive"):
        _refused(_zipped(web, damaged), "its archive is damaged")
        assert _left(cache) == []


def test_an_archive_that_swells_is_stopped(web, cache):
    entry = _zipped(web, _archive(("net-1.pth", bytes(5_000_000))))
    with pytest.raises(ZooError, match="unpacks to more than any"):
        obtain(entry, limits=replace(QUICK, size=1_000_000))
    assert _left(cache) == []


def test_a_wrong_checkpoint_in_a_sound_archive_is_not_kept(web, cache):
    _refused(_zipped(web, _archive(("net-1.pth", b"PK\3\4other"))), "not the published file")
    assert _left(cache) == []


# Pins


def test_without_a_published_checksum_the_first_download_is_pinned_and_this_is_said(web, cache):
    web.pages["/net.pth"] = content(DATA)
    said = []
    path = obtain(_entry(web, checksum=None), say=said.append)
    digest = hashlib.sha256(DATA).hexdigest()
    assert (cache / "net.pth.sha256").read_text() == f"{digest}  net.pth\n"
    assert "no published checksum" in said[-1]
    assert digest[:12] in said[-1]
    said.clear()
    assert obtain(_entry(web, checksum=None), say=said.append) == path
    assert said == []
    assert len(web.requests) == 1


def test_a_pinned_file_that_changed_here_is_refused(web):
    web.pages["/net.pth"] = content(DATA)
    path = obtain(_entry(web, checksum=None))
    path.write_bytes(DATA + b"!")
    _refused(_entry(web, checksum=None), "has changed since its download")


def test_a_pinned_file_that_changed_there_is_refused_until_the_pin_is_deleted(web, cache):
    web.pages["/net.pth"] = content(DATA)
    obtain(_entry(web, checksum=None)).unlink()
    web.pages["/net.pth"] = content(DATA + b"!", tag='"2"')
    _refused(_entry(web, checksum=None), "differs from the first download")
    assert _left(cache) == ["net.pth.sha256"]
    (cache / "net.pth.sha256").unlink()
    assert obtain(_entry(web, checksum=None)).read_bytes() == DATA + b"!"


def test_a_damaged_pin_is_said(web, cache):
    web.pages["/net.pth"] = content(DATA)
    obtain(_entry(web, checksum=None))
    (cache / "net.pth.sha256").write_bytes(b"\xff nonsense")
    _refused(_entry(web, checksum=None), r"net\.pth\.sha256 is damaged")


def test_a_page_to_sign_in_is_never_pinned(web, cache):
    web.pages["/net.pth"] = content(b"<html>Welcome to our hotel</html>")
    _refused(_entry(web, checksum=None), "is not a checkpoint")
    assert _left(cache) == []


# Names, paths, addresses


def test_a_name_is_fetched_from_the_mirror_by_its_path(web, monkeypatch, cache):
    monkeypatch.setenv("FASTSCNN_MIRROR", f"{web.url}/weights/")
    path = "/weights/LikeLy-Journey/SegmenTron/releases/download/v0.1.0/fast_scnn_segmentron.pth"
    web.pages[path] = content(DATA)
    assert resolve("SegmenTron").read_bytes() == DATA
    here = {entry.name: path for entry, path in listing()}
    assert here.pop("segmentron") == cache / "segmentron-v0.1.0.pth"
    assert set(here.values()) == {None}
    monkeypatch.setenv("FASTSCNN_MIRROR", "ftp://elsewhere")
    assert fetch("segmentron").read_bytes() == DATA
    with pytest.raises(ZooError, match="zh320 cannot be downloaded: ftp://elsewhere/zh320"):
        fetch("zh320")


def test_a_file_wins_over_a_name_only_where_it_is_written_as_a_path(tmp_path, monkeypatch, web):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FASTSCNN_MIRROR", web.url)
    for name in ("mmseg", "mine", "mmseg.pth"):
        Path(name).write_bytes(b"x")
    assert resolve("mine") == Path("mine")
    assert resolve("./mmseg") == Path("mmseg")
    assert resolve("mmseg.pth") == Path("mmseg.pth")
    assert resolve(Path("mmseg")) == Path("mmseg")
    assert resolve("nosuch/file") == Path("nosuch/file")
    assert resolve("~/x.pth") == Path.home() / "x.pth"
    assert resolve("~nobody-is-called-so.pth") == Path("~nobody-is-called-so.pth")
    assert web.requests == []
    with pytest.raises(ZooError, match="mmseg cannot be downloaded"):
        resolve("mmseg")


def test_what_means_nothing_is_said():
    with pytest.raises(ZooError, match=r"no checkpoint resnet: .* one of gluoncv, mmseg, tramac"):
        resolve("resnet")
    with pytest.raises(ZooError, match="choose from gluoncv"):
        fetch("resnet")


@pytest.mark.parametrize(
    ("address", "match"),
    [
        ("file:///etc/passwd", "http:// or https://"),
        ("ftp://127.0.0.1/x.pth", "http:// or https://"),
        ("http://", "http:// or https://"),
        ("http://[::1/x.pth", "is not an address"),
        ("http://127.0.0.1:99999/x.pth", "is not an address"),
        ("http://me:secret@127.0.0.1/x.pth", "user name"),
    ],
)
def test_other_addresses_are_refused(address, match):
    with pytest.raises(ZooError, match=match) as error:
        resolve(address)
    assert "secret" not in str(error.value)


def test_addresses_that_end_alike_or_strangely_have_names_of_their_own(web, cache):
    paths = ["/a/net.pth", "/b/net.pth?x=..%2F", "/c/%2E%2E%2Fevil%0A.pth", "/d/", "/é/net.pth"]
    for path in paths:
        web.pages[path.replace("é", "%C3%A9")] = content(DATA + path.encode())
        assert resolve(web.url + path).read_bytes() == DATA + path.encode()
    found = [path for path in cache.parent.rglob("*") if path.suffix not in {".lock", ".sha256"}]
    assert len([path for path in found if path.is_file()]) == len(paths)
    assert all(path.parent == cache for path in found if path.is_file())
    resolve(f"{web.url}/a/net.pth#part")
    assert len(web.requests) == len(paths)


# Several at once


def test_two_threads_download_a_file_once(web, cache):
    def answer(handler, count):
        time.sleep(0.2)
        content(DATA)(handler, count)

    web.pages["/net.pth"] = answer
    results = []
    threads = [
        threading.Thread(target=lambda: results.append(obtain(_entry(web)).read_bytes()))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [DATA] * 4
    assert len(web.requests) == 1


@pytest.mark.skipif(os.name == "nt", reason="SIGKILL is for POSIX systems")
def test_a_kill_in_the_middle_leaves_no_half_file_and_no_lock(web, cache):
    half = threading.Event()

    def answer(handler, count):
        if count:
            content(DATA)(handler, count)
            return
        head(handler, 200, Content_Length=len(DATA), ETag='"1"')
        handler.wfile.write(DATA[:500_000])
        half.set()
        web.released.wait(PATIENCE)

    web.pages["/net.pth"] = answer
    script = "import sys\nfrom fastscnn.checkpoints.model_zoo import resolve\nresolve(sys.argv[1])"
    address = f"{web.url}/net.pth"
    with subprocess.Popen([sys.executable, "-c", script, address], cwd=ROOT) as process:
        assert half.wait(PATIENCE)
        wait_until(lambda: any(p.stat().st_size > 400_000 for p in cache.glob("*.part")))
        process.send_signal(signal.SIGKILL)
    assert all(".part" in name for name in _left(cache))
    assert resolve(address).read_bytes() == DATA
    assert web.requests[1][1] is not None


# The program


def test_the_list_of_weights_is_printed_without_torch_or_network(cache):
    cache.mkdir()
    (cache / "gluoncv-b9859a25.pth").write_bytes(DATA)
    code = (
        "import sys; sys.modules['torch'] = None\n"
        "from app.cli.launcher import main\nmain(['--list-weights'])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    rows = {line.split()[0]: line for line in done.stdout.splitlines() if line.strip()}
    assert set(model_zoo.NAMES) <= set(rows)
    assert "72.3" in rows["gluoncv"]
    assert "1.0 MB  here" in rows["gluoncv"]
    assert "not yet" in rows["mmseg"]
    assert str(cache) in done.stdout
    assert all(len(row) <= 90 for row in rows.values() if str(cache) not in row)


@pytest.fixture(scope="module")
def ours(tmp_path_factory):
    path = tmp_path_factory.mktemp("ours") / "x.pth"
    save(Checkpoint(FastSCNN().eval()), path)
    return path.read_bytes()


FAST = ("demo", "--headless", "--max-frames", "3", "--input-size", "64x96")


def test_a_run_downloads_its_weights_from_an_address(web, ours):
    web.pages["/x.pth"] = content(ours, cuts=1)
    address = f"{web.url}/x.pth"
    done = run_main(*FAST, "--weights", address)
    assert done.returncode == 0, done.stderr
    assert "3 frames in" in done.stdout
    assert "Downloading x.pth (" in done.stderr
    assert "x.pth has no published checksum" in done.stderr
    assert len(web.requests) == 2
    assert resolve(address).read_bytes() == ours
    assert len(web.requests) == 2


def test_a_download_under_way_is_shown_and_does_not_hold_up_the_end(web, ours):
    def answer(handler, count):
        head(handler, 200, Content_Length=len(ours))
        handler.wfile.write(ours[: len(ours) // 2 + 1])
        web.released.wait(PATIENCE)

    web.pages["/x.pth"] = answer
    pipeline = Pipeline(Settings(network=NetworkOptions(weights=f"{web.url}/x.pth")), display=True)
    pipeline.start()
    wait_until(lambda: waiting_message(pipeline.status()) == "Downloading the weights… 50 %")
    event = pipeline.events.get(timeout=PATIENCE)
    assert event.kind == "notice"
    assert event.text.startswith("Downloading x.pth (")
    started = time.monotonic()
    pipeline.stop()
    assert time.monotonic() - started < 20
    assert pipeline.events.empty()


def test_weights_that_cannot_be_downloaded_end_a_run_with_exit_code_4_and_a_sentence(web):
    done = run_main(*FAST, "--weights", f"{web.url}/none.pth")
    assert done.returncode == 4
    assert done.stderr.startswith("Error: none.pth cannot be downloaded")
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
def test_an_interrupted_run_does_not_wait_for_a_silent_server(web):
    asked = threading.Event()

    def answer(handler, count):
        asked.set()
        web.released.wait(PATIENCE)

    web.pages["/x.pth"] = answer
    with Started(*FAST, "--weights", f"{web.url}/x.pth") as process:
        assert asked.wait(PATIENCE)
        time.sleep(0.2)
        started = time.monotonic()
        process.send_signal(signal.SIGINT)
        done = process.finish()
    assert done.returncode == 130
    assert time.monotonic() - started < 60
    assert "Traceback" not in done.stderr


def test_a_foreign_checkpoint_is_fetched_and_recognised(web, monkeypatch):
    buffer = io.BytesIO()
    torch.save(SegmenTronLike().state_dict(), buffer)
    monkeypatch.setenv("FASTSCNN_MIRROR", web.url)
    path = "/LikeLy-Journey/SegmenTron/releases/download/v0.1.0/fast_scnn_segmentron.pth"
    web.pages[path] = content(buffer.getvalue())
    assert checkpoint.load(resolve("segmentron")).origin == "SegmenTron"
