"""The panels at the bottom, long work, saved pictures and the full screen."""

import socket
import threading
from itertools import pairwise

import cv2
import numpy as np
import pytest
from PyQt6.QtCore import QPoint, Qt
from PyQt6.QtGui import QGuiApplication, QImage
from PyQt6.QtTest import QTest

from app.sources.source_spec import SourceSpec
from fastscnn.labels import PALETTE
from tests.support.window_driver import click, hold, messages, play, press, wait_until, window


def test_in_a_small_window_the_panel_crushes_no_control():
    with window() as w:
        w.resize(800, 480)
        press(w, Qt.Key.Key_W)
        press(w, Qt.Key.Key_I)
        wait_until(
            lambda: w.bottom_panel.performance.isVisible() and w.view_panel.pair.isVisible(), "both"
        )
        for control in (
            w.view_panel.pair,
            w.view_panel.skip,
            w.view_panel.weights,
            w.view_panel.network,
        ):
            assert control.height() >= control.minimumSizeHint().height()
        assert w.view_panel.views["wipe"].height() >= 24


def test_the_performance_panel_says_how_fast_what_it_costs_and_what_is_in_use():
    with window() as w:
        play(w)
        press(w, Qt.Key.Key_I)
        panel = w.bottom_panel.performance
        assert panel.isVisible()
        wait_until(lambda: "captured" in panel.drops.text, "the counts")
        wait_until(lambda: "network" in panel.stages.accessibleDescription(), "the stages")
        wait_until(lambda: "display" in panel.stages.accessibleDescription(), "the painting")
        precision = w.pipeline.status().network.precision  # bf16 where the processor has it
        for word in (
            "decoder h264",
            "device cpu",
            f"precision {precision} (auto)",
            "input given, 64×128",
        ):
            assert word in panel.use.text
        wait_until(lambda: len(panel.history.samples) > 3, "the history")
        wait_until(lambda: panel.history.samples[-1][1] > 0, "a rate")
        press(w, Qt.Key.Key_Escape)
        assert w.bottom_panel.page is None


def test_messages_stay_readable_in_the_log_after_they_are_closed_and_can_be_copied():
    with window() as w:
        w.open(SourceSpec("file", "nosuch.mp4"))
        wait_until(lambda: messages(w), "the message")
        w.notifications.clear()
        press(w, Qt.Key.Key_E)
        log = w.bottom_panel.log
        assert log.text.isVisible()
        [line] = [line for line in log.lines if "nosuch.mp4" in line]
        assert line[2] == line[5] == ":"
        assert "Error" in line
        click(log.copy)
        assert "nosuch.mp4" in QGuiApplication.clipboard().text()
        click(log.clear)
        assert log.lines == []


def test_a_long_download_shows_itself_and_can_be_cancelled(tmp_path, monkeypatch):
    monkeypatch.setenv("FASTSCNN_CACHE", str(tmp_path))
    with socket.create_server(("127.0.0.1", 0)) as server, window() as w:
        taken = []

        def serve():
            connection, _ = server.accept()
            connection.recv(4096)
            head = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n"
            connection.sendall(head + bytes(500_000))
            taken.append(connection)

        threading.Thread(target=serve, daemon=True).start()
        wait_until(lambda: w.pipeline.status().network, "the network")
        w.network_commands.use_weights(f"http://127.0.0.1:{server.getsockname()[1]}/weights.pth")
        wait_until(
            lambda: w.progress_strip.isVisible() and w.progress_strip.cancel.isVisible(),
            "the strip",
        )
        wait_until(lambda: "50 %" in w.progress_strip.text.text(), "the share")
        assert w.progress_strip.progress.value() == 50
        click(w.progress_strip.cancel)
        wait_until(lambda: not w.progress_strip.isVisible(), "its end")
        wait_until(lambda: any("cancelled" in text for text in messages(w)), "the word")
        assert w.pipeline.status().network.weights == "Default model"
        for connection in taken:
            connection.close()


def test_ctrl_s_saves_the_picture_as_it_is_shown(tmp_path):
    with window(recordings=tmp_path) as w:
        play(w)
        hold(w)
        press(w, Qt.Key.Key_S, control=True)
        wait_until(lambda: messages(w), "the message")
        [path] = tmp_path.glob("*.png")
        assert path.name in messages(w)[0]
        saved = cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB)
        assert (saved == w.view.result.picture).all()


def test_with_shift_picture_labels_and_overlay_are_saved_and_labels_hold_train_ids(tmp_path):
    with window(recordings=tmp_path) as w:
        play(w)
        hold(w)
        for _ in range(2):  # a second time nothing is replaced
            w.actions_by_name["snapshot-all"].trigger()
            w.recording.finish()
        assert len(list(tmp_path.glob("*.png"))) == 6
        result = w.view.result
        raw = cv2.imread(str(next(tmp_path.glob("*-raw.png"))))
        assert (cv2.cvtColor(raw, cv2.COLOR_BGR2RGB) == result.frame.image).all()
        path = str(next(tmp_path.glob("*-labels.png")))
        assert (cv2.cvtColor(cv2.imread(path), cv2.COLOR_BGR2RGB) == PALETTE[result.labels]).all()
        image = QImage(path)
        assert image.format() == QImage.Format.Format_Indexed8
        bits = image.constBits().asarray(image.sizeInBytes())
        ids = np.array(bits, np.uint8).reshape(image.height(), image.bytesPerLine())
        assert (ids[:, : image.width()] == result.labels).all()


def test_pictures_that_cannot_be_saved_are_a_message(tmp_path):
    (tmp_path / "taken").write_text("a file, no folder")
    with window(recordings=tmp_path / "taken") as w:
        play(w)
        press(w, Qt.Key.Key_S, control=True)
        wait_until(lambda: messages(w), "the message")
        assert "cannot be saved" in messages(w)[0]


def test_in_full_screen_the_mouse_brings_the_controls_back_for_a_while():
    with window() as w:
        play(w)
        press(w, Qt.Key.Key_I)
        press(w, Qt.Key.Key_F)
        wait_until(lambda: not w.transport_bar.isVisible(), "the bare picture")
        assert not w.bottom_panel.isVisible()
        QTest.mouseMove(w.view, QPoint(200, 200))
        QTest.mouseMove(w.view, QPoint(260, 220))
        wait_until(w.transport_bar.isVisible, "the controls")
        assert w.seek_bar.isVisible()
        assert not w.legend.isVisible()
        wait_until(lambda: not w.transport_bar.isVisible(), "their end")
        press(w, Qt.Key.Key_Escape)
        wait_until(w.transport_bar.isVisible, "the controls")
        assert w.bottom_panel.page == "performance"


@pytest.mark.parametrize("size", [(800, 600), (800, 480)])
def test_in_a_small_window_nothing_lies_over_anything_else(size):
    with window() as w:
        play(w)
        w.resize(*size)
        QTest.qWait(100)
        assert (w.width(), w.height()) == size
        bar = w.transport_bar
        row = [bar.play, bar.step_back, bar.step, bar.loop, bar.speed]
        row += [bar.record, bar.screenshot, bar.open, bar.full_screen]
        for left, right in pairwise(row):
            if left.isVisible() and right.isVisible():
                assert left.geometry().right() < right.geometry().left()
        assert w.status_bar.text.toolTip() == w.status_bar.text.text()
