"""Sources of frames: cameras, video files, streams, images, the demo street."""

from app.sources.base import Picture, Source, SourceInfo
from app.sources.source_factory import open_source
from app.sources.source_spec import SourceSpec, parse_source

__all__ = ["Picture", "Source", "SourceInfo", "SourceSpec", "open_source", "parse_source"]
