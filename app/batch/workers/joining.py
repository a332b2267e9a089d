"""Joining of the parts of a drive, without loss: what was encoded is copied as it is."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import av

from app.batch.units import Part
from app.errors import AppError
from app.sinks.data.line_file import as_line
from app.sinks.recording.audio_track import AudioTrack, open_sound
from app.sinks.recording.crash_safe_file import matroska_skipped, mp4_skipped
from app.sinks.recording.fragmented_muxer import FragmentedMuxer
from app.sinks.recording.timestamps import TIME_BASE, MappedTime
from app.sinks.recording.video_writer import MP4_OPTIONS

if TYPE_CHECKING:
    from av.video.stream import VideoStream

_BEGINS = "index"
"""Column that counts frames from the beginning of a drive."""


def join(
    parts: Sequence[Path],
    pieces: Sequence[Part],
    counts: Sequence[int],
    target: Path,
    heard: Path | None,
) -> None:
    """Put the files of all parts together, each with those of its name.

    Args:
        parts: folders, in order.
        pieces: parts of the drive that are in them.
        counts: frames of each.
        target: folder that gets the files.
        heard: file that has the sound of the videos.

    Raises:
        AppError: they do not fit together.
        OSError, av.error.FFmpegError: they cannot be read or written.
    """
    for path in sorted(parts[0].rglob("*")):
        name = path.relative_to(parts[0])
        if path.is_dir():
            (target / name).mkdir(parents=True, exist_ok=True)
            _join_pictures([part / name for part in parts], counts, target / name)
            continue
        if path.parent != parts[0]:
            continue  # a picture
        files = [part / name for part in parts]
        suffix = path.suffix.lower()
        if suffix in {".mp4", ".m4v", ".mov"}:
            _join_video(files, pieces, target / name, "mp4", heard)
        elif suffix == ".mkv":
            _join_video(files, pieces, target / name, "matroska", None)
        elif suffix in _ROWS:
            _ROWS[suffix](files, counts, target / name)


def _join_pictures(folders: Sequence[Path], counts: Sequence[int], target: Path) -> None:
    """Move pictures that are called by their numbers in their parts."""
    for folder, before in zip(folders, _offsets(counts), strict=True):
        for file in folder.iterdir():
            (target / f"{int(file.stem) + before:06}{file.suffix}").write_bytes(file.read_bytes())


def _offsets(counts: Sequence[int]) -> list[int]:
    return [sum(counts[:number]) for number in range(len(counts))]


def _join_video(
    files: Sequence[Path], pieces: Sequence[Part], target: Path, kind: str, heard: Path | None
) -> None:
    """Copy the packets of all files into one, with the sound of the whole beside them."""
    skipped, options = (
        (mp4_skipped, MP4_OPTIONS) if kind == "mp4" else (matroska_skipped, _MATROSKA)
    )
    out = FragmentedMuxer(target, kind, skipped, options)
    sound = open_sound(heard, pieces[0].origin, lambda _: None) if heard is not None else None
    failure: Exception | None = None
    try:
        _copy(files, pieces, out, sound)
    finally:
        failure = out.close(lambda: None)
        if sound is not None:
            sound.close()
    if failure is not None:
        raise failure


_MATROSKA = {"cluster_time_limit": "1000"}


def _copy(
    files: Sequence[Path],
    pieces: Sequence[Part],
    out: FragmentedMuxer,
    sound: AudioTrack | None,
) -> None:
    origin = pieces[0].origin
    with av.open(str(files[0])) as first:
        track = _track_like(first.streams.video[0], out)
        out.muxer.metadata.update(first.metadata)
        look = first.streams.video[0].codec_context.extradata
    if sound is not None:
        sound.add_to(out.muxer)
    last, length = -1, 0.0
    for packet, extradata in _packets(files, pieces):
        stamp = int((packet.pts or 0) * packet.time_base / TIME_BASE)
        if extradata != look or stamp <= last:
            raise AppError(f"The parts of {files[0].name} do not fit together: leave --split out.")
        packet.stream = track
        out.mux([packet])
        if sound is not None:
            place = MappedTime(float(stamp * TIME_BASE) + origin, stamp, -origin, length, False)
            out.mux(sound.follow(place, length))
        last = stamp
        length = float((packet.duration or 0) * packet.time_base)
    if sound is not None:
        out.mux(sound.finish(length))


def _track_like(given: VideoStream, out: FragmentedMuxer) -> VideoStream:
    """Make the track that takes packets of a file as they are."""
    if given.codec_context.name != "ffv1":
        track = out.muxer.add_stream_from_template(given)
        track.time_base = TIME_BASE
        return track
    # As for new labels: a copy of the track would not know its rate, from which lengths follow.
    track = out.muxer.add_stream("ffv1", rate=given.average_rate)
    track.width, track.height, track.pix_fmt = given.width, given.height, given.pix_fmt or "gray"
    context = track.codec_context
    context.time_base, context.gop_size = TIME_BASE, 1
    context.color_range = given.codec_context.color_range
    return track


def _packets(files: Sequence[Path], pieces: Sequence[Part]) -> Iterator[tuple[Any, bytes | None]]:
    """Packets of all files, each shown until the next one is: a part does not know what follows."""
    before: tuple[Any, bytes | None] | None = None
    for file, piece in zip(files, pieces, strict=True):
        shift: int | None = None
        with closing(av.open(str(file))) as container:
            stream = container.streams.video[0]
            for packet in filter(lambda packet: packet.size, container.demux(stream)):
                if shift is None:
                    shift = _shift(packet, piece) if stream.codec_context.name != "ffv1" else 0
                packet.pts = packet.dts = (packet.pts or 0) + shift
                if before is not None:
                    if stream.codec_context.name != "ffv1":
                        before[0].duration = packet.pts - before[0].pts
                    yield before
                before = packet, stream.codec_context.extradata
    if before is not None:
        yield before


def _shift(packet: Any, piece: Part) -> int:
    """Ticks by which a part of an MP4 is off: the beginning of a track is kept in milliseconds."""
    ticks = round((piece.first - piece.origin) / TIME_BASE)
    return int(round(ticks * TIME_BASE / packet.time_base) - packet.pts)


def _join_lines(files: Sequence[Path], counts: Sequence[int], target: Path) -> None:
    with target.open("wb") as out:
        for file, before in zip(files, _offsets(counts), strict=True):
            with file.open("rb") as lines:
                for line in lines:
                    row = json.loads(line)
                    row[_BEGINS] += before
                    out.write(as_line(row))


def _join_tables(files: Sequence[Path], counts: Sequence[int], target: Path) -> None:
    with target.open("w", encoding="utf-8", newline="") as out:
        table = csv.writer(out, lineterminator="\n")
        for number, (file, before) in enumerate(zip(files, _offsets(counts), strict=True)):
            with file.open(encoding="utf-8", newline="") as lines:
                rows = csv.reader(lines)
                header = next(rows)
                place = header.index(_BEGINS)
                if not number:
                    table.writerow(header)
                for row in rows:
                    row[place] = str(int(row[place]) + before)
                    table.writerow(row)


def _join_parquet(files: Sequence[Path], counts: Sequence[int], target: Path) -> None:
    import pyarrow as pa
    from pyarrow import parquet

    schema = parquet.read_schema(files[0])
    place = schema.get_field_index(_BEGINS)
    with parquet.ParquetWriter(target, schema) as out:
        for file, before in zip(files, _offsets(counts), strict=True):
            table = parquet.read_table(file)
            shifted = [value + before for value in table.column(place).to_pylist()]
            out.write_table(table.set_column(place, schema.field(place), pa.array(shifted)))


_ROWS = {".jsonl": _join_lines, ".csv": _join_tables, ".parquet": _join_parquet}


def joined_facts(parts: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return the facts of a whole from those of its parts, with about as many points as one has."""
    colors = {name: color for facts in parts for name, color in facts["colors"].items()}
    step = len(parts)
    times = [time for facts in parts for time in facts["times"]][::step]
    shares = {
        name: [
            share
            for facts in parts
            for share in facts["shares"].get(name, [0.0] * len(facts["times"]))
        ][::step]
        for name in colors
    }
    unreadable = sum(facts["unreadable"] for facts in parts)
    return {"times": times, "shares": shares, "colors": colors, "unreadable": unreadable}
