"""Truth of a source: its labels frame by frame, and how right the network is by them."""

from __future__ import annotations

from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from app.core.events import Event, EventBus
from app.core.frame import Frame, Judgement, Prediction, Result, SessionInfo, Verdict
from app.errors import SourceError
from app.sources.images.image_sequence import find_pictures
from app.sources.source_spec import Kind, SourceSpec
from app.sources.video_file import VideoFileSource
from fastscnn.data.class_sets import CITYSCAPES_SET, ClassSet
from fastscnn.data.label_folder import LabelFolder
from fastscnn.data.label_sets import TargetSets
from fastscnn.data.pair_dataset import DataError
from fastscnn.evaluation.class_merging import PLAIN, ClassMerging, read_merging, unmerged
from fastscnn.evaluation.metrics import class_iou, confusion_matrix, mean_iou
from fastscnn.ignored_regions import Polygon, without_regions
from fastscnn.labels import TRAIN_ID_TO_ID, UNKNOWN

LABELS = "labels"
"""Topic of events on labels that cannot be used."""

Labels = NDArray[np.uint8]
_Source = tuple[Kind, str]

_SAME = 5e-4
"""Seconds by which a frame's time may lie before its stamp."""
_AHEAD = 8
"""Frames whose labels are kept: those under way, and the one that is drawn again."""
_MOST_TALLIES = 16
_PATIENCE = 60.0
"""Seconds in which labels have to come from the disk."""


@dataclass(slots=True)
class _Tally:
    """Counts of all frames that were judged alike, each once, however often it was shown."""

    confusion: NDArray[np.int64]
    seen: bytearray = field(default_factory=bytearray)

    def add(self, number: int, found: NDArray[np.int64]) -> None:
        self.seen.extend(bytes(max(0, number + 1 - len(self.seen))))
        if not self.seen[number]:
            self.seen[number] = 1
            self.confusion += found

    @property
    def frames(self) -> int:
        return self.seen.count(1)


@dataclass(frozen=True, slots=True)
class _Read:
    """Labels of a frame: its number in the source, and places in the merging's names."""

    number: int
    truth: Labels


class _Labelled:
    """Labels of one source.

    Args:
        spec: the source; nothing is opened for one that knows the labels itself.
        folder: of the labels; ``None`` where the source knows them.
        merging: which classes are counted as one.

    Raises:
        DataError, SourceError: the labels cannot be read, or are none of this source.
    """

    def __init__(self, spec: SourceSpec, folder: Path | None, merging: ClassMerging) -> None:
        sets = TargetSets(merging.classes)
        self._folder = LabelFolder(folder, sets, merging.table) if folder is not None else None
        self._times: list[float] = []
        self._pictures: dict[str, int] = {}
        self._of = f"its frame in {spec.name}"
        if self._folder is not None and spec.kind == "images":
            root, pictures = find_pictures(spec.value)
            names = [path.relative_to(root).with_suffix("").as_posix() for path in pictures]
            self._folder.check_names(names)
            self._pictures = {name: number for number, name in enumerate(names)}
        elif self._folder is not None:
            self._times = VideoFileSource(spec).times()
            self._folder.check_count(len(self._times), Path(spec.value))
        self._table = merging.truth(sets)
        self._own = merging.classes.of_cityscapes[TRAIN_ID_TO_ID]

    def read(self, frame: Frame) -> _Read | None:
        """Return the labels of a frame, if it has any.

        Raises:
            DataError: they cannot be read.
        """
        number = self._number(frame)
        if number is None:
            return None
        if self._folder is not None:
            file = self._folder.number_of(frame.name) if frame.name else number
            if file is None:
                return None
            target = self._folder.target(file, frame.image.shape[:2], self._of)
        elif frame.truth is not None:
            target = np.asarray(cv2.LUT(frame.truth, self._own), np.uint8)
        else:
            return None
        return _Read(number, np.asarray(cv2.LUT(target, self._table), np.uint8))

    def _number(self, frame: Frame) -> int | None:
        """Return the place of a frame in its source, whichever way it was come to."""
        if self._folder is not None and frame.name:
            return self._pictures.get(frame.name)
        if self._times:
            return max(0, bisect_right(self._times, frame.time + _SAME) - 1)
        rate = frame.session.source.rate if frame.session is not None else None
        return round(frame.time * rate) if rate else frame.index


class Truth:
    """Truth of the sources of a pipeline: chosen on the user's thread, used on the worker's.

    Labels are read on a thread of their own while the network is busy with the frame.

    Args:
        events: where it is said that labels cannot be used.
        spec: source that the folder belongs to.
        folder: labels to begin with; ``None`` where there are none.
        merging: as ``read_merging`` takes it; ``None`` are all classes.
        classes: returns those of the network in use.
    """

    def __init__(
        self,
        events: EventBus,
        spec: SourceSpec | None = None,
        folder: Path | None = None,
        merging: str | None = None,
        classes: Callable[[], ClassSet] = lambda: CITYSCAPES_SET,
    ) -> None:
        self._events = events
        self._folders: dict[_Source, Path] = {}
        self.merging = merging
        """Classes that are counted as one, in words."""
        self.newest: Verdict | None = None
        """Verdict on the first network of the last frame that was judged."""
        self._changes = 0
        self._classes_in_use = classes
        if spec is not None and folder is not None:
            self._folders[_key(spec)] = folder
        # The worker's own.
        self._drawn = 0
        self._merging = PLAIN
        self._opened: tuple[Hashable, _Labelled | None] = (None, None)
        self._reader: ThreadPoolExecutor | None = None
        self._asked: OrderedDict[Hashable, Future[_Read | None]] = OrderedDict()
        self._tallies: OrderedDict[Hashable, _Tally] = OrderedDict()
        self._tables: dict[tuple[str, ...], Labels | None] = {}

    # For the user's thread

    def choose(self, spec: SourceSpec, folder: Path | None) -> None:
        """Judge a source by the labels of a folder, or by none any longer."""
        if folder is not None:
            self._folders[_key(spec)] = folder
        else:
            self._folders.pop(_key(spec), None)
        self._changes += 1

    def merge(self, merging: str | None) -> None:
        """Count classes as one from now on, as ``read_merging`` takes it."""
        self.merging = merging
        self._changes += 1

    def folder_of(self, spec: SourceSpec | None) -> Path | None:
        """Return the folder of the labels of a source."""
        return self._folders.get(_key(spec)) if spec is not None else None

    def offered(self, spec: SourceSpec | None) -> bool:
        """Return whether a source has a truth."""
        return spec is not None and (spec.kind == "demo" or _key(spec) in self._folders)

    # For the worker

    @property
    def outdated(self) -> bool:
        """Return whether the user has chosen otherwise since the last result was judged."""
        return self._changes != self._drawn

    def ask(self, frame: Frame, *, wanted: bool) -> None:
        """Begin to read the labels of a frame, if there are any and they are wanted.

        Args:
            frame: the frame.
            wanted: whether it is to be judged where nobody has named labels for it.
        """
        session = frame.session
        if session is None or not (wanted or _key(session.spec) in self._folders):
            return
        place = self._place(frame, session)
        if place in self._asked or not self.offered(session.spec):
            return
        if self._reader is None:
            self._reader = ThreadPoolExecutor(1, "truth")
        self._asked[place] = self._reader.submit(self._read, frame, session.spec, self._changes)
        while len(self._asked) > _AHEAD:
            self._asked.popitem(last=False)[1].cancel()

    def judge(self, result: Result, ignored: tuple[Polygon, ...]) -> Judgement | None:
        """Return how right a result is; ``None`` where that is not known, or not wanted.

        Args:
            result: what the network saw.
            ignored: regions that are left out.
        """
        frame, session = result.frame, result.frame.session
        self._drawn = self._changes
        self.ask(frame, wanted=result.view.judges)
        if session is None:
            return None
        future = self._asked.get(self._place(frame, session))
        try:
            read = future.result(_PATIENCE) if future is not None else None
        except (DataError, TimeoutError) as error:
            self._refuse(session.spec, error)
            return None
        if read is None:
            return None
        truth = without_regions(read.truth, ignored)
        shown = np.asarray(cv2.LUT(truth, _numbers(self._merging)), np.uint8)
        verdicts = [self._verdict(one, truth, read.number, ignored) for one in result.predictions]
        known = tuple(one for one in verdicts if one is not None)
        self.newest = known[0] if known else self.newest
        table = self._merging.classes.table
        return Judgement(shown, table, known if len(known) == len(verdicts) else ())

    def close(self) -> None:
        """End the thread that reads; what it is at is left to it."""
        if self._reader is not None:
            self._reader.shutdown(wait=False, cancel_futures=True)

    def _read(self, frame: Frame, spec: SourceSpec, changes: int) -> _Read | None:
        """Read the labels of a frame, on the reading thread."""
        classes = self._classes()
        of = changes, _key(spec), classes
        if self._opened[0] != of:
            self._opened = of, None
            self._tallies.clear()
            self._tables.clear()
            try:
                plain = unmerged(classes)
                self._merging = read_merging(self.merging, classes) if self.merging else plain
                labelled = _Labelled(spec, self._folders.get(_key(spec)), self._merging)
            except (SourceError, ValueError) as error:
                raise DataError(str(error)) from error
            self._opened = of, labelled
        labels = self._opened[1]
        return labels.read(frame) if labels is not None else None

    def _place(self, frame: Frame, session: SessionInfo) -> Hashable:
        return self._changes, self._classes(), session.id, frame.segment, frame.index

    def _classes(self) -> ClassSet:
        """Return the classes that label files are of: the network's, where it says their values."""
        classes = self._classes_in_use()
        return classes if classes.values else CITYSCAPES_SET

    def _refuse(self, spec: SourceSpec, error: Exception) -> None:
        """Say once why labels cannot be used, and go on without them."""
        folder = self._folders.pop(_key(spec), None)
        self._asked.clear()
        if folder is not None:
            words = str(error) if isinstance(error, DataError) else f"{folder} does not answer."
            self._events.put(Event("error", words, SourceError.exit_code, topic=LABELS))

    def _verdict(
        self, seen: Prediction, truth: Labels, number: int, ignored: tuple[Polygon, ...]
    ) -> Verdict | None:
        names, merging = seen.classes.names, self._merging
        if names not in self._tables:
            try:
                self._tables[names] = merging.predictions(names)
            except ValueError as error:
                self._tables[names] = None
                self._events.notice(str(error))
        table = self._tables[names]
        if table is None:
            return None
        labels = np.asarray(cv2.LUT(seen.labels, table), np.uint8)
        found = confusion_matrix(truth, labels, len(merging))
        run = seen.run
        alike = (run.skip, run.steady, run.weights, seen.weights, names, seen.input_size, ignored)
        tally = self._tallies.get(alike) or _Tally(np.zeros_like(found))
        self._tallies[alike] = tally
        while len(self._tallies) > _MOST_TALLIES:
            self._tallies.popitem(last=False)
        tally.add(number, found)
        differs = cv2.compare(truth, labels, cv2.CMP_NE)
        wrong = cv2.bitwise_and(differs, cv2.inRange(truth, 0, UNKNOWN - 1))
        each = dict(zip(merging.names, class_iou(tally.confusion).tolist(), strict=True))
        return Verdict(
            np.asarray(wrong, np.uint8),
            mean_iou(found, only_occurring=True),
            mean_iou(tally.confusion, only_occurring=True),
            tally.frames,
            each,
        )


def _key(spec: SourceSpec) -> _Source:
    return spec.kind, spec.value


def _numbers(merging: ClassMerging) -> Labels:
    """Return 256 uint8: place in the merging's names → class that stands for it, else 255."""
    known = merging.classes.names
    table = np.full(256, UNKNOWN, np.uint8)
    for place, (name, members) in enumerate(zip(merging.names, merging.members, strict=True)):
        named = known.index(name) if name in known else -1
        table[place] = named if named in members else members[0]
    return table
