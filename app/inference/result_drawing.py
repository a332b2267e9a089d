"""Drawing of results: sides, captions, names, and what must not be seen."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from app.core.formatting import iou
from app.core.frame import Frame, Result
from app.inference.feed import Feed
from app.rendering.overlay import draw, draw_errors
from app.rendering.palettes import recolored
from app.rendering.privacy import numbers_known
from app.rendering.view_options import JUDGING
from fastscnn.ignored_regions import Polygon, without_regions

if TYPE_CHECKING:
    from app.inference.network_manager import NetworkManager


def drawn(feed: Feed, result: Result, networks: NetworkManager) -> Result:
    """A result with its sides drawn and named, and without what is to be blurred.

    Args:
        feed: the source's: its options, and what is drawn by the frames before.
        result: what the network saw.
        networks: their names, and who is told what they do not know.
    """
    image, view = _hidden(feed, result, networks), result.view
    feed.ignored = ignored_in(feed, result.frame)
    seen_as = (
        replace(
            one,
            classes=recolored(one.classes.names, view.palette, one.classes.colors),
            labels=without_regions(one.labels, feed.ignored),
        )
        for one in result.predictions
    )
    if view.named is not None and result.predictions:
        networks.tell_once(view.named.unknown(result.predictions[0].classes.names))
    frame = result.frame
    if image is not frame.image:
        frame = replace(frame, image=image)
    result = replace(result, frame=frame, predictions=tuple(seen_as))
    if feed.truth is not None:
        result = replace(result, judgement=feed.truth.judge(result, feed.ignored))
    captions = list(view.captions(result.skip, networks.names))
    sides = []
    for number in range(len(view.sides)):
        picture, said = _side(feed, result, number)
        sides.append(picture)
        captions[number] += said
    return replace(result, sides=tuple(sides), captions=tuple(captions))


def _side(feed: Feed, result: Result, number: int) -> tuple[NDArray[np.uint8], str]:
    """Return one side drawn, and what is to be said of it behind its caption."""
    image, view, side = result.frame.image, result.view, result.view.sides[number]
    seen, judgement = result.prediction_at(number), result.judgement
    if seen is None:  # the second checkpoint is not there
        return image, " (not loaded)"
    content, labels, classes = side.content, seen.labels, seen.classes
    if content in JUDGING and judgement is None:
        return image, " (no labels)"
    if content == "errors":
        verdict = result.verdict_at(number)
        if verdict is None or judgement is None:
            return image, " (other classes)"
        return draw_errors(image, judgement.truth, verdict.wrong), f" · {iou(verdict.so_far)}"
    if content == "truth" and judgement is not None:
        content, labels = "overlay", judgement.truth
        classes = recolored(judgement.classes.names, view.palette, judgement.classes.colors)
    side_drawn = draw(image, content, view, labels, seen.confidence, classes)
    if view.class_names and content != "raw":
        side_drawn = side_drawn.copy() if side_drawn is image else side_drawn
        feed.names[number].write(
            side_drawn,
            labels,
            classes,
            hidden=view.numbered_as(classes.names).hidden,
            segment=result.frame.segment,
            index=result.frame.index,
        )
    return side_drawn, ""


def ignored_in(feed: Feed, frame: Frame) -> tuple[Polygon, ...]:
    """Return the regions that are to be ignored in a frame."""
    return feed.live.ignored_in(frame.session.spec if frame.session is not None else None)


def _hidden(feed: Feed, result: Result, networks: NetworkManager) -> NDArray[np.uint8]:
    """Return the picture of a result without what is to be blurred."""
    frame, names = result.frame, result.view.blurred
    seen = [(one.labels, one.classes) for one in result.predictions]
    if names and any(numbers_known(classes, names) is None for _, classes in seen):
        networks.tell_once(
            f"These weights do not know all of what is to be blurred ({', '.join(names)}):"
            " whole pictures are blurred. Blur other classes, or take other weights."
        )
    scene = frame.segment
    place = scene, frame.index
    return feed.privacy.hide(frame.image, seen, names, scene=scene, frame=place)
