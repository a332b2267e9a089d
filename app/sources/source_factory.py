"""From what the user means to an open source."""

from __future__ import annotations

from pathlib import Path

from app.sources.base import Source
from app.sources.source_spec import PICTURES, SourceSpec


def open_source(spec: SourceSpec) -> Source:
    """Open a source; may take seconds, so never on the thread of the window.

    Raises:
        SourceError: it cannot be opened.
    """
    # Imported when needed: a run on a file needs no camera back end, and so on.
    if spec.kind == "camera":
        from app.sources.camera import CameraSource

        return CameraSource(spec)
    if spec.kind == "demo":
        from app.sources.demo import DemoSource

        return DemoSource(spec)
    if spec.kind == "images" or (
        spec.kind == "file" and Path(spec.value).suffix.lower() in PICTURES
    ):
        from app.sources.images.image_sequence import open_images

        return open_images(spec)
    if spec.kind == "stream":
        from app.sources.network_stream import open_stream

        return open_stream(spec)
    from app.sources.video_file import VideoFileSource

    return VideoFileSource(spec)
