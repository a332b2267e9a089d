"""Listings for the terminal: known checkpoints, cameras."""

from __future__ import annotations

import textwrap

from fastscnn.checkpoints.http_download import megabytes
from fastscnn.checkpoints.model_zoo import cache_folder, listing

_WIDTH = 90


def zoo_table() -> str:
    """Names, published figures, sizes, what is here, what differs, and terms."""
    lines = [f"{'name':<12}{'mIoU':>6}{'size':>10}  {'state':<9}checksum"]
    for entry, path in listing():
        figure = f"{entry.figure:g}" if entry.figure is not None else "–"
        size = path.stat().st_size if path is not None else entry.size
        lines.append(
            f"{entry.name:<12}{figure:>6}{megabytes(size) if size else '–':>10}"
            f"  {'here' if path is not None else 'not yet':<9}"
            + ("published" if entry.checksum is not None else "pinned on the first download")
        )
        lines += textwrap.wrap(
            f"{entry.format}: {entry.differs}. {entry.terms}.",
            _WIDTH,
            initial_indent="    ",
            subsequent_indent="    ",
        )
    lines += [
        "",
        "mIoU: in per cent on the validation set of Cityscapes, as published, not measured here.",
        "All were trained on Cityscapes, whose own terms apply too.",
        "Without --weights the checkpoint that ships with the program is used.",
        f"Downloads are kept in {cache_folder()}",
        "FASTSCNN_CACHE names another folder for them.",
        "FASTSCNN_MIRROR names a mirror: https://github.com/a/b is then fetched from MIRROR/a/b.",
    ]
    return "\n".join(lines)


def camera_table() -> str:
    from app.sources.camera_discovery import list_cameras

    lines = [f"{index}  {name}" for index, name in list_cameras()]
    return "\n".join(lines) or "No camera is listed by this system; try --camera 0."
