"""Drawing of results: sides, captions, names, and what must not be seen."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from app.core.frame import Frame, Result
from app.inference.feed import Feed
from app.rendering.overlay import draw
from app.rendering.palettes import recolored
from app.rendering.privacy import numbers_known
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
    captions = list(view.captions(result.skip, networks.names))
    sides = []
    for number, side in enumerate(view.sides):
        seen = result.prediction_at(number)
        if seen is None:  # the second checkpoint is not there
            sides.append(image)
            captions[number] += " (not loaded)"
            continue
        side_drawn = draw(image, side.content, view, seen.labels, seen.confidence, seen.classes)
        if view.class_names and side.content != "raw":
            side_drawn = side_drawn.copy() if side_drawn is image else side_drawn
            feed.names[number].write(
                side_drawn,
                seen.labels,
                seen.classes,
                hidden=view.numbered_as(seen.classes.names).hidden,
                segment=result.frame.segment,
                index=result.frame.index,
            )
        sides.append(side_drawn)
    return replace(result, sides=tuple(sides), captions=tuple(captions))


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
