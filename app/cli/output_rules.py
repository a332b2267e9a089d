"""Output rules: recordings, labels and folders of images from given arguments."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

from app.config.arguments import OutputArguments
from app.config.data_options import AlertOptions, ObjectOptions
from app.config.settings import (
    Content,
    ImageFolderOptions,
    NetworkOptions,
    RecordingOptions,
    Suffix,
)
from app.config.value_parsers import PATTERN
from app.errors import UsageError
from app.sources.urls import redact, scheme_of
from fastscnn.labels import CITYSCAPES
from fastscnn.paths import expand_user
from fastscnn.suggestions import did_you_mean

_NO_FOLDERS = frozenset({".mp4", ".m4v", ".mov", ".avi", ".webm", ".png", ".jpg", ".jpeg"})
"""Suffixes that no folder has."""


_STREAMED = ("rtsp", "srt", "udp")
"""Schemes of addresses that a video can be sent to."""


def streams_from(args: OutputArguments) -> tuple[OutputArguments, tuple[str, ...]]:
    """The other outputs, and the addresses that the video is sent to.

    Raises:
        UsageError: nothing can be sent to such an address.
    """
    scheme = scheme_of(args.output) if args.output is not None else None
    if args.output is None or scheme is None:
        return args, ()
    if scheme not in _STREAMED:
        known = ", ".join(f"{each}://HOST:PORT" for each in _STREAMED)
        raise UsageError(f"-o {redact(args.output)}: a video can be sent to {known}.")
    if not _has_place(args.output):
        raise UsageError(
            f"-o {redact(args.output)} is no place to send to: use {scheme}://HOST:PORT, with a"
            " port from 1 to 65535."
        )
    return replace(args, output=None), (args.output,)


def _has_place(address: str) -> bool:
    """Return whether an address has a host, and a port where its scheme has no usual one."""
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError:
        return False
    usual = 554 if parts.scheme == "rtsp" else 0
    return bool(parts.hostname and (usual if port is None else port))


def outputs_from(
    args: OutputArguments,
) -> tuple[Path | None, Path | None, tuple[ImageFolderOptions, ...]]:
    """The recording, the file of labels and the folders of pictures that the arguments name.

    Raises:
        UsageError: they do not go together.
    """
    recording: Path | None = None
    labels: Path | None = args.save_labels
    pictures: list[ImageFolderOptions] = []
    if args.output is not None:
        path = expand_user(args.output)
        if _ends_in_separator(args.output) or (os.path.isdir(path) and not path.suffix):
            suffix: Suffix = ".png" if args.picture_format == "png" else ".jpg"
            pictures.append(ImageFolderOptions(path, "view", suffix))
        else:
            recording = path
    as_pictures = labels is not None and labels.suffix.lower() != ".mkv"
    if labels is not None and as_pictures:
        if labels.suffix.lower() in _NO_FOLDERS and not os.path.isdir(labels):
            raise UsageError(
                f"--save-labels {labels} would be a folder of pictures:"
                " name a .mkv for one file, or a folder."
            )
        content: Content = "label_ids" if args.label_ids else "train_ids"
        pictures.append(ImageFolderOptions(labels, content))
        if len(pictures) > 1 and pictures[0].folder.resolve() == labels.resolve():
            raise UsageError("Pictures and labels need a folder each: name two.")
    elif args.label_ids:
        raise UsageError("--label-ids says what is in a folder: add --save-labels FOLDER.")
    return recording, None if as_pictures else labels, tuple(pictures)


def one_for_each(
    args: OutputArguments, recording: RecordingOptions, *, several: bool
) -> tuple[OutputArguments, RecordingOptions]:
    """The outputs of sources that run beside each other: ``-o FOLDER/`` gets a video of each.

    Args:
        args, recording: as they were given.
        several: whether there are several by now; to one others may be added.

    Raises:
        UsageError: an output has no place for several.
    """
    labels, output = args.save_labels, args.output
    if several and labels is not None and labels.suffix.lower() == ".mkv":
        raise UsageError(
            f"--save-labels {labels} has no place for several sources: name a folder, or record"
            " labels beside each video by -o FOLDER/ --record-labels."
        )
    if output is None:
        return args, recording
    if several and scheme_of(output) is not None:
        raise UsageError(
            f"-o {redact(output)} is for one source at a time: name a folder, with a / at its"
            " end, for a video of each."
        )
    folder = expand_user(output)
    if not (_ends_in_separator(output) or os.path.isdir(folder)):
        if not several:
            return args, recording
        raise UsageError(
            f"-o {output} has no place for several videos: name a folder, with a / at its end."
        )
    name = recording.record_name
    name = "{source}.mp4" if name == PATTERN else name
    recording = replace(recording, record_dir=folder, record_name=name, each=True)
    return replace(args, output=None), recording


def _ends_in_separator(text: str) -> bool:
    return text.endswith(tuple(filter(None, (os.sep, os.altsep))))


def objects_from(options: ObjectOptions, network: NetworkOptions) -> ObjectOptions:
    """The objects to write.

    Raises:
        UsageError: there is no file for them, or the shipped weights know no such class.
    """
    if options != ObjectOptions() and not options.objects:
        raise UsageError("--classes and --min-area say what is in a file: add --objects FILE.json.")
    check_names("--classes", options.classes, network)
    return options


def alerts_from(options: AlertOptions, network: NetworkOptions, *, headless: bool) -> AlertOptions:
    """The alerts to watch for; in the window more may be added.

    Raises:
        UsageError: they do not go together, or the shipped weights know no such class.
    """
    if headless and options != AlertOptions() and not options.alert:
        raise UsageError("--zone, --events and --on-alert need a rule: add --alert RULE.")
    names = [zone.name for zone in options.zone]
    if len(set(names)) < len(names):
        raise UsageError("Two zones have one name: give each its own.")
    for rule in options.alert:
        if rule.zone and rule.zone not in names:
            raise UsageError(
                f"--alert {rule.text!r}: there is no zone {rule.zone}: add --zone"
                f" {rule.zone}=x,y,x,y,x,y.{did_you_mean(rule.zone, names)}"
            )
        check_names("--alert", rule.classes, network)
    return options


def check_names(flag: str, names: Iterable[str], network: NetworkOptions) -> None:
    """Find out whether the shipped weights know classes; those of others are known when loaded.

    Raises:
        UsageError: they know none of such a name.
    """
    if network.weights is None:
        try:
            CITYSCAPES.numbers_of(names)
        except ValueError as error:
            raise UsageError(f"{flag}: {error}") from error
