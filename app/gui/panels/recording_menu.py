"""Recording menu: where recordings go, how they are encoded, what is recorded."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import get_args

from PyQt6.QtCore import QObject, Qt
from PyQt6.QtWidgets import QFileDialog, QInputDialog, QMenu, QWidget

from app.config.arguments import OutputArguments
from app.config.encoder_rules import HIGHEST_CRF, encoder_choice
from app.config.settings import Codec, EncoderChoice, OnSwitch, RecordingOptions
from app.config.value_parsers import PATTERN, check_pattern, parse_bitrate, parse_crf
from app.errors import UsageError
from app.gui.controllers.recording_controller import RecordingController
from app.gui.widgets.controls import add_choice
from app.sinks.recording.encoders import CODEC_WORDS, SOFTWARE, encoders_of

_USUAL_CRF: dict[Codec, int] = {"h264": 20, "hevc": 23, "av1": 32}
_FINER, _COARSER = -6, 8
_RATES = (2, 4, 8, 16)
"""Megabits per second that the menu offers."""
_X264 = ("ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow")
_PRESETS = {
    "libx264": _X264,
    "libx265": _X264,
    "libsvtav1": ("12", "10", "8", "6", "4"),
    "nvenc": ("p1", "p2", "p3", "p4", "p5", "p6", "p7"),
}
"""Words for an encoder's speed, the fastest first."""
_ENDS: dict[OnSwitch, str] = {
    "close": "Close the recording where the source changes",
    "continue": "Continue with the next source",
}


class RecordingMenu(QObject):
    """Menu of the options of recordings; they hold for those that are begun from then on.

    Args:
        window: parent of the dialogs.
        commands: have the options.
    """

    def __init__(self, window: QWidget, commands: RecordingController) -> None:
        super().__init__(window)
        self._window, self._commands = window, commands
        self.dialog: QFileDialog | QInputDialog | None = None

    def made(self, parent: QWidget) -> QMenu:
        """Create a menu, filled anew whenever it is shown."""
        menu = QMenu("Recording", parent)
        menu.aboutToShow.connect(lambda: self.fill(menu))
        return menu

    def fill(self, menu: QMenu) -> None:
        """Fill a menu with all choices, those in use ticked."""
        for old in menu.findChildren(QMenu):
            old.deleteLater()
        menu.clear()
        options = self._commands.options
        encoder = options.encoder
        add_choice(menu, "Record as…", self.ask_for_file)
        menu.addSeparator()
        self._fill_folder(_submenu(menu, f"Folder: {self._commands.recordings_folder().name}"))
        self._fill_names(_submenu(menu, f"Names: {options.record_name}"))
        menu.addSeparator()
        self._fill_codecs(_submenu(menu, f"Codec: {CODEC_WORDS[encoder.codec]}"))
        self._fill_encoders(_submenu(menu, f"Encoder: {encoder.encoder}"))
        self._fill_quality(_submenu(menu, f"Quality: {_quality(encoder)}"))
        self._fill_presets(_submenu(menu, f"Encoder's speed: {encoder.preset or 'usual'}"))
        menu.addSeparator()
        sound, labels, raw = options.audio, options.record_labels, options.record_raw
        self._add(menu, "Sound of the file", replace(options, audio=not sound), ticked=sound)
        wanted = replace(options, record_labels=not labels)
        self._add(menu, "Labels beside, without loss", wanted, ticked=labels)
        self._add(menu, "Raw picture beside", replace(options, record_raw=not raw), ticked=raw)
        menu.addSeparator()
        for end, text in _ENDS.items():
            wanted = replace(options, on_switch=end)
            self._add(menu, text, wanted, ticked=options.on_switch == end)

    def _fill_folder(self, menu: QMenu) -> None:
        options = self._commands.options
        usual = replace(options, record_dir=None)
        self._add(menu, "Videos folder", usual, ticked=options.record_dir is None)
        if options.record_dir is not None:
            self._add(menu, str(options.record_dir), options, ticked=True)
        add_choice(menu, "Choose…", self.ask_for_folder)

    def _fill_names(self, menu: QMenu) -> None:
        options = self._commands.options
        usual = replace(options, record_name=PATTERN)
        self._add(menu, PATTERN, usual, ticked=options.record_name == PATTERN)
        if options.record_name != PATTERN:
            self._add(menu, options.record_name, options, ticked=True)
        ask = "Pattern of names, with {source}, {date} and {time}:"
        enter = partial(self._ask, "Names", ask, options.record_name, self._name)
        add_choice(menu, "Other…", enter)

    def _fill_codecs(self, menu: QMenu) -> None:
        now = self._commands.options.encoder
        for codec in get_args(Codec):
            # What one encoder takes means nothing to another.
            wanted = now if codec == now.codec else EncoderChoice(codec)
            self._add_encoder(menu, CODEC_WORDS[codec], wanted, ticked=codec == now.codec)

    def _fill_encoders(self, menu: QMenu) -> None:
        now = self._commands.options.encoder
        menu.setToolTipsVisible(True)
        for name in ("auto", *encoders_of(now.codec)):
            text = "auto: NVENC where it works, else the CPU" if name == "auto" else name
            wanted = replace(now, encoder=name, preset=None)
            self._add_encoder(menu, text, wanted, ticked=now.encoder == name)

    def _fill_quality(self, menu: QMenu) -> None:
        now = self._commands.options.encoder
        usual = _USUAL_CRF[now.codec]
        for text, crf in (
            ("Usual", None),
            (f"Finer (CRF {usual + _FINER})", usual + _FINER),
            (f"Smaller file (CRF {usual + _COARSER})", usual + _COARSER),
        ):
            wanted = replace(now, crf=crf, bitrate=None)
            self._add_encoder(menu, text, wanted, ticked=now == wanted)
        menu.addSeparator()
        for rate in _RATES:
            wanted = replace(now, crf=None, bitrate=rate * 1_000_000)
            self._add_encoder(menu, f"{rate} Mbit/s", wanted, ticked=now == wanted)
        menu.addSeparator()
        ask = (
            f"CRF from 0 to {HIGHEST_CRF[now.codec]}, lower is better;"
            " or bits per second: 4M, 2500k"
        )
        said = str(now.bitrate or ("" if now.crf is None else now.crf))
        add_choice(menu, "Other…", partial(self._ask, "Quality", ask, said, self._quality))

    def _fill_presets(self, menu: QMenu) -> None:
        now = self._commands.options.encoder
        self._add_encoder(menu, "Usual", replace(now, preset=None), ticked=now.preset is None)
        encoder = SOFTWARE[now.codec] if now.encoder == "auto" else now.encoder
        words = _PRESETS.get("nvenc" if encoder.endswith("_nvenc") else encoder, ())
        for word in words:
            self._add_encoder(menu, word, replace(now, preset=word), ticked=now.preset == word)
        if now.preset is not None and now.preset not in words:
            self._add_encoder(menu, now.preset, now, ticked=True)
        ask = "A word that the encoder knows for its speed:"
        enter = partial(self._ask, "Encoder's speed", ask, now.preset or "", self._preset)
        add_choice(menu, "Other…", enter)

    def ask_for_folder(self) -> None:
        """Open the dialog for the folder of recordings, without waiting for it."""
        dialog = QFileDialog(self._window, "Folder of recordings")
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.setDirectory(str(self._commands.recordings_folder()))
        dialog.fileSelected.connect(
            lambda path: self._use(replace(self._commands.options, record_dir=Path(path)))
        )
        self._show(dialog)

    def ask_for_file(self) -> None:
        """Open the dialog for a file to record to, without waiting for it."""
        proposed = self._commands.new_path()
        dialog = QFileDialog(self._window, "Record as", str(proposed.parent))
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)  # asks before it replaces one
        dialog.setNameFilters(["MP4 (*.mp4 *.m4v *.mov)"])
        dialog.setDefaultSuffix("mp4")
        dialog.selectFile(proposed.name)
        dialog.fileSelected.connect(lambda path: self._commands.start(Path(path)))
        self._show(dialog)

    def _ask(self, title: str, text: str, value: str, take: Callable[[str], None]) -> None:
        dialog = QInputDialog(self._window)
        dialog.setWindowTitle(title)
        dialog.setLabelText(text)
        dialog.setTextValue(value)
        dialog.textValueSelected.connect(lambda said: self._take(said.strip(), take))
        dialog.resize(460, dialog.sizeHint().height())
        self._show(dialog)

    def _take(self, said: str, take: Callable[[str], None]) -> None:
        try:
            take(said)
        except (ValueError, UsageError) as error:
            self._commands.notified.emit("error", str(error))

    def _name(self, said: str) -> None:
        self._use(replace(self._commands.options, record_name=check_pattern(said)))

    def _quality(self, said: str) -> None:
        now = self._commands.options.encoder
        by_rate = (said.isdecimal() and len(said) > 2) or said[-1:].lower() in {"k", "m"}
        crf, bitrate = (None, parse_bitrate(said)) if by_rate else (parse_crf(said), None)
        self._use_encoder(replace(now, crf=crf, bitrate=bitrate))

    def _preset(self, said: str) -> None:
        self._use_encoder(replace(self._commands.options.encoder, preset=said or None))

    def _use_encoder(self, wanted: EncoderChoice) -> None:
        asked = OutputArguments(
            codec=wanted.codec,
            encoder=wanted.encoder,
            crf=wanted.crf,
            bitrate=wanted.bitrate,
            preset=wanted.preset,
        )
        self._use(replace(self._commands.options, encoder=encoder_choice(asked)))

    def _use(self, options: RecordingOptions) -> None:
        self._commands.options = options

    def _show(self, dialog: QFileDialog | QInputDialog) -> None:
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.dialog = dialog
        dialog.open()

    def _add(self, menu: QMenu, text: str, wanted: RecordingOptions, *, ticked: bool) -> None:
        add_choice(menu, text, partial(self._use, wanted), ticked=ticked)

    def _add_encoder(self, menu: QMenu, text: str, wanted: EncoderChoice, *, ticked: bool) -> None:
        self._add(menu, text, replace(self._commands.options, encoder=wanted), ticked=ticked)


def _submenu(menu: QMenu, text: str) -> QMenu:
    made = QMenu(text if len(text) <= 44 else f"{text[:43]}…", menu)
    menu.addMenu(made)
    return made


def _quality(encoder: EncoderChoice) -> str:
    if encoder.bitrate is not None:
        return f"{encoder.bitrate / 1e6:g} Mbit/s"
    return "usual" if encoder.crf is None else f"CRF {encoder.crf}"
