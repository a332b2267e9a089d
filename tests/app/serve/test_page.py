"""The page in a real browser, and the program that serves it."""

import json
import re
import shutil
import signal
import threading
import urllib.error
import urllib.request

import pytest

from app.config.settings import RecordingOptions, ServeOptions, Settings
from app.core.events import CommonEvents
from app.gui.widgets.theme import THEMES
from app.pipeline.pipeline import Pipeline
from app.serve.endpoints import PAGE
from app.serve.server import WebServer
from app.sources.source_spec import SourceSpec
from tests.support.cli_process import Started
from tests.support.media import write_clip
from tests.support.pipeline_driver import TINY
from tests.support.recordings import results
from tests.support.waiting import wait_until
from tests.support.web_client import ANYWHERE, serving

BROWSER = shutil.which("chromium") or shutil.which("google-chrome")
DRIVER = shutil.which("chromedriver")
needs_browser = pytest.mark.skipif(
    BROWSER is None or DRIVER is None, reason="Chromium and its driver are not installed"
)


@pytest.fixture(scope="module")
def browser():
    webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed")
    options = webdriver.ChromeOptions()
    options.binary_location = BROWSER
    for flag in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(DRIVER))
    yield driver
    driver.quit()


@pytest.fixture
def run(tmp_path):
    """A run of a file that plays over and over, its page, and somebody who runs its commands."""
    clip = write_clip(tmp_path / "clip.mp4", 20, rate=10)
    settings = Settings(
        network=TINY.network,
        recording=RecordingOptions(record_dir=tmp_path),
    )
    server = WebServer(ServeOptions(serve=ANYWHERE, serve_token="word", serve_control=True))
    pipeline = Pipeline(settings, display=True)

    def record():
        if pipeline.recordings.current is not None:
            pipeline.stop_recording()
        else:
            pipeline.start_recording(pipeline.recording_path(tmp_path), renames=True)

    server.show(pipeline, record)
    server.start()
    pipeline.start()
    pipeline.session.set_loop("whole")
    pipeline.open(SourceSpec("file", str(clip)))
    over = threading.Event()

    def user():
        while not over.wait(0.02):
            pipeline.take()
            server.run_commands()

    thread = threading.Thread(target=user)
    thread.start()
    yield pipeline, server.url
    over.set()
    thread.join()
    pipeline.stop()
    server.stop()


def shown(browser):
    """Number of the picture on the page."""
    script = "return Number(document.querySelector('.tile img')?.dataset.picture || 0)"
    return browser.execute_script(script)


@needs_browser
def test_the_page_shows_the_run_and_controls_it(run, browser, tmp_path):
    pipeline, url = run
    browser.get(url)
    browser.find_element("name", "token").send_keys("wrong\n")
    wait_until(lambda: browser.find_elements("name", "token"), "the login again")
    browser.find_element("name", "token").send_keys("word\n")
    wait_until(lambda: shown(browser), "the first picture")
    before = shown(browser)
    wait_until(lambda: shown(browser) > before, "another picture")
    wait_until(lambda: not pipeline.networks.waiting, "the network")
    wait_until(lambda: browser.find_element("id", "skip").is_displayed(), "the controls")

    browser.find_element("id", "skip").click()
    wait_until(lambda: pipeline.live.skip is False, "the switch of the skip connection")
    body = browser.find_element("tag name", "body")
    body.send_keys("v")
    wait_until(lambda: pipeline.view.view == "labels", "the next view")
    wait_until(lambda: browser.find_elements("css selector", "#classes button"), "the classes")
    browser.find_elements("css selector", "#classes button")[0].click()
    wait_until(lambda: pipeline.view.hidden == {0}, "the class to be hidden")

    record = browser.find_element("id", "record")
    record.click()
    wait_until(lambda: (info := pipeline.recordings.info()) and info.frames, "a recording")
    wait_until(lambda: "Stop" in record.text, "the button that ends it")
    record.click()
    wait_until(lambda: pipeline.recordings.current is None, "its end")
    messages = browser.find_element("id", "messages")
    wait_until(lambda: "Saved" in messages.text, "the message that it is saved")
    assert [each.suffix for each in tmp_path.iterdir() if each.name != "clip.mp4"] == [".mp4"]

    wrong = [each for each in browser.get_log("browser") if each["level"] == "SEVERE"]
    logged = [each["message"] for each in wrong if " 401 " not in each["message"]]
    assert logged == []


@needs_browser
def test_the_page_fits_a_phone(run, browser):
    _, url = run
    size = {"width": 390, "height": 844, "deviceScaleFactor": 2, "mobile": True}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    try:
        browser.get(f"{url}?token=word")
        wait_until(lambda: shown(browser), "a picture")
        wide = "return document.documentElement.scrollWidth"
        assert browser.execute_script(wide) == 390
        height = "return document.getElementById('record').offsetHeight"
        assert browser.execute_script(height) >= 44  # a thumb's
    finally:
        browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


@needs_browser
def test_sources_come_and_go_on_the_page(browser):
    with serving(serve_control=True) as served:
        others = [Pipeline(served.pipeline.settings, display=True) for _ in range(2)]
        for other in others:
            served.server.show(other, lambda: None)
        for one in (served.pipeline, *others):
            for each in results([0.0]):
                one.sinks.deliver(each)
        browser.get(served.server.url)

        def texts(selector):
            # At one moment: an element that was found may be gone when it is read.
            found = "return [...document.querySelectorAll(arguments[0])].map(e => e.innerText)"
            return browser.execute_script(found, selector)

        wait_until(lambda: texts("#sources button") == ["All", "1", "2", "3"], "three sources")
        browser.find_elements("css selector", "#sources button")[2].click()
        chosen = "#sources button[aria-pressed=true]"
        wait_until(lambda: texts(chosen) == ["2"], "the second")
        others[0].events.notice("The cable is loose.")
        CommonEvents(served.pipeline.events).notice("The network is small.")
        wanted = ["The network is small.", "2: The cable is loose."]
        wait_until(lambda: texts("#messages li") == wanted, "whose message it is")
        served.server.hide(others[0])
        wait_until(lambda: texts("#sources button") == ["All", "1", "3"], "two sources")
        assert texts(chosen) == ["1"]
        browser.find_elements("css selector", ".tile")[1].click()
        wait_until(lambda: texts(chosen) == ["3"], "the third, large")
        browser.find_element("id", "skip").click()
        wait_until(lambda: served.server.run_commands() or not others[1].live.skip, "its switch")
        assert served.pipeline.live.skip


@pytest.mark.parametrize("theme", THEMES)
def test_the_page_has_the_colours_of_the_window(theme):
    css = (PAGE / "page.css").read_text("utf-8")
    dark, _, light = css.partition("prefers-color-scheme: light")
    part = dark if theme == "dark" else light
    colors = dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", part))
    assert len(colors) == 15
    named = {name.lower().replace("_", "-"): color for name, color in THEMES[theme].items()}
    assert colors == {name: named[name] for name in colors}


def status_of(url):
    try:
        with urllib.request.urlopen(url, timeout=60) as answer:
            return answer.status
    except urllib.error.HTTPError as refused:
        return refused.code


def test_a_run_without_a_window_is_watched_while_it_runs(tmp_path):
    clip = write_clip(tmp_path / "clip.mp4", 20)
    line = [str(clip), "--headless", "--loop", "--max-frames", "1000000"]
    line += ["--serve", "0", "--serve-token", "x", "--serve-control", "--input-size", "64x96"]
    with Started(*line, "--record-dir", str(tmp_path)) as program:
        wait_until(lambda: "\n" in program.errors, "the address")
        url = program.errors.splitlines()[0].split()[-1]
        assert status_of(f"{url}stats.json") == 401
        assert status_of(f"{url}stats.json?token=x") == 200

        def source():
            with urllib.request.urlopen(f"{url}stats.json?token=x", timeout=60) as answer:
                return json.load(answer)["sources"][0]

        wait_until(lambda: source()["counters"]["processed"], "the network")
        asked = urllib.request.Request(
            f"{url}control?token=x",
            b'{"playing": false}',
            {"Content-Type": "application/json"},
        )
        urllib.request.urlopen(asked, timeout=60).close()
        wait_until(lambda: source()["state"] == "paused", "the pause")
        program.send_signal(signal.SIGTERM)
        done = program.finish()
    assert done.returncode == 130
    assert "Traceback" not in done.stderr
