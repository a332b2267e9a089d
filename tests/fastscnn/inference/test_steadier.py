"""Steady logits: a still scene stands still, what moves takes its logits along, a cut forgets."""

import itertools

import cv2
import numpy as np
import pytest
import torch

from fastscnn.inference.steadier import Steadier

SIZES = [(128, 192), (256, 448)]


def scene(height, width, seed=0):
    """A picture with something to see everywhere, as a street has."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (height // 8, width // 8, 3), np.uint8)
    return cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)


def noisy(height, width, seed):
    """Logits of two classes, a half of the picture each, with noise that confuses them."""
    rng = torch.Generator().manual_seed(seed)
    logits = torch.randn(1, 2, height // 8, width // 8, generator=rng)
    logits[:, 0, :, : width // 16] += 1
    logits[:, 1, :, width // 16 :] += 1
    return logits


def changes(frames):
    labels = [each.argmax(1) for each in frames]
    return sum(int((a != b).sum()) for a, b in itertools.pairwise(labels))


@pytest.mark.parametrize("size", SIZES)
def test_labels_of_a_still_scene_stand_still(size):
    steadier, picture = Steadier(), scene(*size)
    plain = [noisy(*size, seed) for seed in range(12)]
    held = [steadier.steady(picture, {"a": one})["a"] for one in plain]
    assert changes(held[4:]) < 0.25 * changes(plain[4:])


@pytest.mark.parametrize("size", SIZES)
def test_what_was_wrong_is_not_kept_for_long(size):
    steadier, picture = Steadier(), scene(*size)
    first, other = noisy(*size, 0), 10 * noisy(*size, 1)
    steadier.steady(picture, {"a": first})
    for _ in range(40):
        held = steadier.steady(picture, {"a": other})["a"]
    assert torch.allclose(held, other, rtol=0.05, atol=0.5)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("cells", [1, 2])
def test_what_moves_takes_its_logits_along(size, cells):
    """The scene moves by whole cells to the right: so must the labels, and nothing stays behind."""
    height, width = size
    wide = scene(height, 2 * width)
    truth = torch.zeros(1, 2, height // 8, width // 4)
    truth[:, 1, height // 32 : height // 16, width // 10 : width // 5] = 10
    truth[:, 0] = 5
    steadier = Steadier()
    for step in range(5):
        start = width // 2 - step * cells * 8
        picture = np.ascontiguousarray(wide[:, start : start + width])
        logits = truth[..., start // 8 : (start + width) // 8]
        held = steadier.steady(picture, {"a": logits})["a"]
    wrong = (held.argmax(1) != logits.argmax(1)).float().mean()
    assert wrong < 0.01


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("other", ["cut", "forget", "key", "cells", "picture"])
def test_what_does_not_go_on_begins_anew(size, other):
    steadier, picture = Steadier(), scene(*size)
    steadier.steady(picture, {"a": noisy(*size, 0)})
    height, width = size
    key = "a"
    if other == "cut":
        picture = scene(*size, seed=9)
    elif other == "forget":
        steadier.forget()
    elif other == "key":
        key = "b"
    elif other == "cells":
        height //= 2
    else:
        picture = scene(height, width // 2)
    new = noisy(height, width, 5)
    assert torch.equal(steadier.steady(picture, {key: new})[key], new)


def test_what_was_not_there_for_the_frame_before_is_not_brought_back():
    steadier, picture = Steadier(), scene(64, 96)
    steadier.steady(picture, {"a": noisy(64, 96, 0)})
    steadier.steady(picture, {"b": noisy(64, 96, 1)})
    new = noisy(64, 96, 2)
    assert torch.equal(steadier.steady(picture, {"a": new})["a"], new)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_logits_keep_their_type_and_what_was_given_is_left_alone(dtype):
    steadier, picture = Steadier(), scene(64, 96)
    for seed in range(3):
        given = noisy(64, 96, seed).to(dtype)
        before = given.clone()
        assert steadier.steady(picture, {"a": given})["a"].dtype is dtype
        assert torch.equal(given, before)
        given.fill_(float("nan"))  # a buffer of the network that is written over


@pytest.mark.parametrize("size", [(32, 32), (32, 4096), (4096, 32), (100, 37), (37, 33)])
def test_pictures_of_any_shape_are_taken(size):
    steadier, rng = Steadier(), np.random.default_rng(0)
    for _ in range(3):
        picture = rng.integers(0, 256, (*size, 3), np.uint8)
        logits = torch.zeros(1, 3, -(-size[0] // 8), -(-size[1] // 8))
        assert steadier.steady(picture, {0: logits})[0].shape == logits.shape
