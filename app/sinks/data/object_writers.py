"""Object writers: regions of chosen classes as COCO or GeoJSON, a line per frame until the end."""

from __future__ import annotations

import json
from abc import abstractmethod
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import IO, Any

from app.config.data_options import ObjectOptions
from app.core.events import EventBus
from app.core.frame import Frame, Result
from app.sinks.data.frame_row import shown
from app.sinks.data.line_file import as_line
from app.sinks.data.regions import Region, find_regions
from app.sinks.data.writer_sink import Writer, Writers, WriterSink
from fastscnn.labels import ClassTable, LabelClass

_ABOUT = (
    "Connected regions of a class, not instances: objects of a class that overlap are one region,"
    " parts of an object behind another are several."
)


class ObjectWriter(Writer):
    """Writer of the regions of each frame."""

    whole = True

    def __init__(
        self, path: Path, options: ObjectOptions, classes: ClassTable, *, overwrite: bool
    ) -> None:
        usual = [row.name for row in classes.rows if row.category in {"human", "vehicle"}]
        self.numbers = classes.numbers_of(options.classes or usual or classes.names)
        self.classes, self._min_area = classes, options.min_area
        super().__init__(path, overwrite=overwrite)

    def write(self, result: Result) -> None:
        regions = find_regions(result.labels, self.numbers, min_area=self._min_area)
        self.lines.write(as_line(self.of_frame(result.frame, regions)))

    @abstractmethod
    def of_frame(self, frame: Frame, regions: list[Region]) -> Any:
        """Return what is kept of a frame, for JSON."""

    def category_id(self, row: LabelClass) -> int:
        """Return the Cityscapes id of a class; among classes of a network's own their count."""
        return row.id if self.classes.ids is not None else row.train_id + 1


class CocoWriter(ObjectWriter):
    """COCO: images, annotations with run lengths, categories."""

    needs = ("pycocotools",)

    def of_frame(self, frame: Frame, regions: list[Region]) -> Any:
        from pycocotools import mask

        height, width = frame.image.shape[:2]
        annotations = []
        for region in regions:
            counts = region.run_lengths(height, width)
            packed = mask.frPyObjects({"size": [height, width], "counts": counts}, height, width)
            annotations.append(
                {
                    "category_id": self.category_id(self.classes.rows[region.number]),
                    "segmentation": {
                        "size": [height, width],
                        "counts": packed["counts"].decode("ascii"),
                    },
                    "bbox": list(region.box),
                    "area": region.area,
                    "iscrowd": 0,
                }
            )
        image = {
            "file_name": file_name(frame),
            "width": width,
            "height": height,
            "frame": frame.index,
            "time": round(frame.time, 6),
        }
        return {"image": image, "annotations": annotations}

    def convert(self, rows: Path, draft: Path) -> None:
        categories = [
            {"id": self.category_id(row), "name": row.name, "supercategory": row.category}
            for row in self.classes.rows
            if row.train_id in self.numbers
        ]
        made = self.provenance("objects")
        info = {
            "description": _ABOUT,
            "version": made["program"],
            "date_created": made["made"],
            "provenance": made,
        }
        with draft.open("w", encoding="utf-8") as out:
            out.write(f'{{"info": {json.dumps(info)},\n"images": ')
            _write_list(out, _images(rows))
            out.write(',\n"annotations": ')
            _write_list(out, _annotations(rows))
            out.write(f',\n"categories": {json.dumps(categories, ensure_ascii=False)}}}\n')


class GeoJsonWriter(ObjectWriter):
    """Polygons in pixels, in the words of GeoJSON."""

    def of_frame(self, frame: Frame, regions: list[Region]) -> Any:
        about = {"file_name": file_name(frame), "frame": frame.index, "time": round(frame.time, 6)}
        return [
            {
                "type": "Feature",
                "properties": {
                    "class": self.classes.names[region.number],
                    "category_id": self.category_id(self.classes.rows[region.number]),
                    "area": region.area,
                    **about,
                },
                "geometry": {"type": "MultiPolygon", "coordinates": region.polygons()},
            }
            for region in regions
        ]

    def convert(self, rows: Path, draft: Path) -> None:
        with draft.open("w", encoding="utf-8") as out:
            about = json.dumps(f"{_ABOUT} Coordinates are pixels, y goes down.")
            made = json.dumps(self.provenance("objects"))
            out.write(
                f'{{"type": "FeatureCollection", "description": {about}, "provenance": {made}'
            )
            out.write(',\n"features": ')
            _write_list(out, (feature for line in _lines(rows) for feature in line))
            out.write("}\n")


OBJECT_WRITERS: Writers = {".json": CocoWriter, ".geojson": GeoJsonWriter}
_MAKE: dict[str, Callable[..., ObjectWriter]] = {".json": CocoWriter, ".geojson": GeoJsonWriter}


class ObjectSink(WriterSink):
    """File with the regions of chosen classes in every frame."""

    def __init__(
        self, path: Path, events: EventBus, options: ObjectOptions, *, overwrite: bool = False
    ) -> None:
        super().__init__(path, events, "objects", overwrite=overwrite)
        self._options = options

    def _make(self, path: Path, classes: ClassTable) -> Writer:
        make = _MAKE[path.suffix.lower()]
        return make(path, self._options, classes, overwrite=self._overwrite)


def file_name(frame: Frame) -> str:
    """Return a frame's file: a picture's own name, else one as CVAT names frames of videos."""
    return shown(f"{frame.name}{frame.ending}") if frame.name else f"frame_{frame.index:06}.PNG"


def _lines(rows: Path) -> Iterator[Any]:
    with rows.open("rb") as file:
        yield from map(json.loads, file)


def _images(rows: Path) -> Iterator[Any]:
    for number, line in enumerate(_lines(rows), 1):
        yield {"id": number, **line["image"]}


def _annotations(rows: Path) -> Iterator[Any]:
    number = 0
    for image, line in enumerate(_lines(rows), 1):
        for annotation in line["annotations"]:
            number += 1
            yield {"id": number, "image_id": image, **annotation}


def _write_list(out: IO[str], items: Iterable[Any]) -> None:
    """Write a list of JSON without having all of it at once."""
    separator = "[\n"
    for item in items:
        out.write(separator + json.dumps(item, ensure_ascii=False))
        separator = ",\n"
    out.write("[]" if separator == "[\n" else "\n]")
