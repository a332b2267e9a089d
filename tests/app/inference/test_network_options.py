"""Device, precision and input size can be changed while frames are served."""

import gc
import socket
import threading
from dataclasses import replace

from app.config.settings import NetworkOptions, Settings
from app.pipeline.pipeline import Pipeline
from app.sources.source_spec import SourceSpec
from fastscnn.segmenter import Segmenter
from tests.support.waiting import wait_until

SMALL = Settings(network=NetworkOptions(device="cpu", input_size=(64, 128)))


def _events(pipeline):
    found = []
    while not pipeline.events.empty():
        found.append(pipeline.events.get())
    return [event.text for event in found if event.kind == "error"]


def test_another_input_size_and_precision_are_used_and_shown():
    pipeline = Pipeline(SMALL, display=False)
    pipeline.start()
    try:
        pipeline.open(SourceSpec("demo"))
        wait_until(lambda: pipeline.status().network_size == (64, 128))
        pipeline.networks.use_options(NetworkOptions((96, 192), device="cpu", precision="bf16"))
        wait_until(lambda: pipeline.status().network_size == (96, 192))
        network = pipeline.status().network
        assert network.precision == "bf16"
        assert network.options == NetworkOptions((96, 192), device="cpu", precision="bf16")
        before = pipeline.stats.counters().processed
        wait_until(lambda: pipeline.stats.counters().processed > before + 2)
    finally:
        pipeline.stop()


def test_a_device_that_is_not_there_is_refused_in_words_and_the_old_one_goes_on():
    pipeline = Pipeline(SMALL, display=False)
    pipeline.start()
    try:
        pipeline.open(SourceSpec("demo"))
        wait_until(lambda: pipeline.status().network)
        pipeline.networks.use_options(replace(pipeline.networks.options, device="cuda:7"))
        errors = []
        wait_until(lambda: errors.extend(_events(pipeline)) or errors)
        assert "cuda:7 is not in this machine" in errors[0]
        assert pipeline.networks.options.device == "cpu"
        assert pipeline.status().network.options.device == "cpu"
        before = pipeline.stats.counters().processed
        wait_until(lambda: pipeline.stats.counters().processed > before + 2)
    finally:
        pipeline.stop()


def test_a_download_can_be_cancelled_and_what_is_in_use_stays(tmp_path, monkeypatch):
    monkeypatch.setenv("FASTSCNN_CACHE", str(tmp_path))
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"http://127.0.0.1:{silent.getsockname()[1]}/weights.pth"
        taken = []
        listener = threading.Thread(target=lambda: taken.append(silent.accept()), daemon=True)
        listener.start()
        pipeline = Pipeline(SMALL, display=False)
        pipeline.start()
        try:
            wait_until(lambda: pipeline.status().network)
            pipeline.networks.use_weights(address)
            wait_until(lambda: taken)
            assert pipeline.status().loading == "weights.pth"
            pipeline.networks.cancel_download()
            errors = []
            wait_until(lambda: errors.extend(_events(pipeline)) or errors)
            assert "cancelled" in errors[0]
            wait_until(lambda: not pipeline.status().loading)
            assert pipeline.status().network.weights == "Default model"
        finally:
            pipeline.stop()
            for connection, _ in taken:
                connection.close()


def test_a_closed_source_leaves_an_empty_window_and_another_can_be_opened():
    pipeline = Pipeline(SMALL, display=True)
    pipeline.start()
    try:
        pipeline.open(SourceSpec("demo"))
        wait_until(lambda: pipeline.take() is not None)
        pipeline.close()
        assert pipeline.status().state == "empty"
        assert pipeline.status().source is None
        pipeline.open(SourceSpec("demo"))
        wait_until(lambda: pipeline.take() is not None)
    finally:
        pipeline.stop()
    counters = pipeline.stats.counters()
    assert counters.captured == counters.shown + counters.dropped_total


def test_a_network_that_was_passed_over_is_let_go():
    pipeline = Pipeline(SMALL, display=True)  # not started: nothing takes what is loaded
    sizes = ((64, 224), (96, 224), (128, 224))
    for size in sizes:
        pipeline.networks.use_options(replace(pipeline.networks.options, input_size=size))
        wait_until(lambda: not any(t.name == "loader" for t in threading.enumerate()))
    gc.collect()
    alive = {each.input_size for each in gc.get_objects() if type(each) is Segmenter}
    assert alive & set(sizes) == {sizes[-1]}
    pipeline.stop()
