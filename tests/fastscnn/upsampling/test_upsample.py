import itertools

import numpy as np
import pytest
import torch

from fastscnn import Segmenter
from fastscnn.data.street import Street
from fastscnn.upsampling import row_strips
from fastscnn.upsampling.confidence import confidence_by_cells, confidence_reference
from fastscnn.upsampling.upsample import (
    entropy,
    labels,
    labels_and_confidence,
    labels_by_cells,
    labels_reference,
    probabilities,
    probabilities_reference,
)


def _street_like(generator, h, w, classes=19):
    """Logits with regions and soft borders, as a network gives them."""
    coarse = torch.randn(1, classes, 4, 6, generator=generator) * 4
    smooth = torch.nn.functional.interpolate(coarse, (h, w), mode="bicubic")[0]
    return smooth + 0.2 * torch.randn(classes, h, w, generator=generator)


def _assert_same_but_for_rounding(logits, size, align_corners=False):
    """Equal labels, except on pixels where float64 cannot tell the two classes apart either."""
    fast = labels_by_cells(logits, size, align_corners)
    plain = labels_reference(logits[None], size, align_corners)[0]
    assert fast.shape == size
    return _assert_equal_but_for_rounding(logits, fast, plain, align_corners)


def _assert_equal_but_for_rounding(logits, fast, plain, align_corners):
    size = plain.shape
    assert fast.shape == size
    assert fast.dtype == torch.uint8
    differing = fast != plain
    if differing.any():
        exact = torch.nn.functional.interpolate(
            logits[None].double(), size, mode="bilinear", align_corners=align_corners
        )[0]
        a = exact.gather(0, fast[None].long())[0][differing]
        b = exact.gather(0, plain[None].long())[0][differing]
        assert (a - b).abs().max() <= 1e-5 * logits.abs().max()
    return int(differing.sum())


@pytest.mark.parametrize("scale", range(1, 17))
def test_whole_scales_give_the_reference_labels(scale):
    generator = torch.Generator().manual_seed(scale)
    logits = _street_like(generator, 24, 37)
    assert _assert_same_but_for_rounding(logits, (24 * scale, 37 * scale)) <= 2


@pytest.mark.parametrize(
    "size",
    [(135, 241), (540, 960), (333, 467), (65, 113), (64, 113), (71, 112), (1000, 113), (127, 1999)],
)
def test_odd_sizes_give_the_reference_labels(size):
    generator = torch.Generator().manual_seed(1)
    assert _assert_same_but_for_rounding(_street_like(generator, 64, 112), size) <= 4


@pytest.mark.parametrize("size", [(192, 296), (193, 297), (24, 37), (25, 38), (333, 467)])
def test_aligned_corners_give_the_reference_labels(size):
    logits = _street_like(torch.Generator().manual_seed(6), 24, 37)
    assert _assert_same_but_for_rounding(logits, size, align_corners=True) <= 4


def test_pure_noise_gives_the_reference_labels():
    logits = torch.randn(19, 20, 30, generator=torch.Generator().manual_seed(2))
    assert _assert_same_but_for_rounding(logits, (160, 240)) <= 2


def test_a_class_that_leads_at_no_corner_may_win_between_them():
    logits = torch.full((3, 1, 2), -10.0)
    logits[0, 0, 0] = logits[1, 0, 1] = 5.0
    logits[2] = 4.0
    assert labels_by_cells(logits, (1, 8))[0].tolist() == [0, 0, 2, 2, 2, 2, 1, 1]
    _assert_same_but_for_rounding(logits, (4, 8))


@pytest.mark.parametrize("values", [(0.0,), (0.0, 1.0), (-1.0, 0.0, 1.0)])
def test_ties_go_to_the_lowest_class(values):
    generator = np.random.default_rng(3)
    logits = torch.from_numpy(generator.choice(np.float32(values), (5, 9, 11)))
    fast, plain = labels_by_cells(logits, (72, 88)), labels_reference(logits[None], (72, 88))[0]
    # Small whole numbers times eighths are exact in float32: here even ties must agree.
    assert torch.equal(fast, plain)


def test_logits_of_one_row_column_or_pixel_work():
    for h, w in itertools.product((1, 2), (1, 2, 3)):
        logits = torch.randn(19, h, w, generator=torch.Generator().manual_seed(h * w))
        _assert_same_but_for_rounding(logits, (h * 7 + 1, w * 5 + 2))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_logits_are_interpolated_in_float32(dtype):
    logits = _street_like(torch.Generator().manual_seed(4), 16, 24).to(dtype)
    assert _assert_same_but_for_rounding(logits, (128, 192)) <= 200  # bfloat16 ties often


def test_real_logits_give_the_reference_labels():
    segmenter = Segmenter.from_checkpoint(device="cpu", input_size="half")
    image, _ = Street(4, 1024, 512).render(7.0)
    logits = segmenter.logits(torch.from_numpy(segmenter.fit(image)))[0]
    for size in ((512, 1024), (540, 960), (1024, 2048)):
        assert _assert_same_but_for_rounding(logits, size) <= 4


def test_shrinking_and_batches_work_too():
    logits = torch.randn(2, 19, 40, 40, generator=torch.Generator().manual_seed(5))
    for size in ((10, 90), (90, 10), (7, 7), (80, 80)):
        assert (labels(logits, size) == labels_reference(logits, size)).float().mean() > 0.9999


@pytest.mark.parametrize("align_corners", [False, True])
@pytest.mark.parametrize("size", [(192, 296), (193, 301), (10, 300), (13, 17), (1, 1)])
def test_strips_give_what_interpolating_everything_gives(size, align_corners, monkeypatch):
    monkeypatch.setitem(row_strips.STRIP_BYTES, "cpu", 19 * 4 * size[1] * 7)  # seven rows each
    logits = _street_like(torch.Generator().manual_seed(8), 24, 37)
    plain = labels_reference(logits[None], size, align_corners)[0]
    sure = confidence_reference(logits[None], size, align_corners)[0]
    found, confidence = row_strips.confidence_by_strips(logits, size, align_corners)
    for fast in (row_strips.labels_by_strips(logits, size, align_corners), found):
        _assert_equal_but_for_rounding(logits, fast, plain, align_corners)
    assert (confidence.int() - sure.int()).abs().max() <= 1
    prob = row_strips.probabilities_by_strips(logits, size, align_corners)
    assert torch.allclose(
        prob, probabilities_reference(logits[None], size, align_corners)[0], atol=1e-5
    )


def test_strips_hold_no_more_than_they_may():
    logits = torch.randn(19, 16, 32, generator=torch.Generator().manual_seed(9))
    seen = 0
    for rows, values in row_strips.strips(logits, (1024, 2048)):
        assert values.numel() * 4 <= row_strips.STRIP_BYTES["cpu"]
        seen += rows.stop - rows.start
    assert seen == 1024


def _assert_near_the_defined_confidence(logits, size, align_corners=False):
    found, confidence = confidence_by_cells(logits, size, align_corners)
    assert torch.equal(found, labels_by_cells(logits, size, align_corners))
    assert confidence.dtype == torch.uint8
    exact = confidence_reference(logits[None], size, align_corners)[0]
    off = (confidence.int() - exact.int()).abs()
    assert off.max() <= 14
    assert off.float().mean() <= 0.75  # half a level is rounding


@pytest.mark.parametrize("align_corners", [False, True])
@pytest.mark.parametrize("size", [(192, 296), (333, 467), (24, 37), (25, 301)])
def test_confidence_is_within_a_few_levels_of_its_definition(size, align_corners):
    logits = _street_like(torch.Generator().manual_seed(10), 24, 37)
    _assert_near_the_defined_confidence(logits, size, align_corners)


def test_confidence_is_exact_where_neighbours_disagree():
    logits = torch.randn(19, 20, 30, generator=torch.Generator().manual_seed(11)) * 3
    _, confidence = confidence_by_cells(logits, (160, 240))
    exact = confidence_reference(logits[None], (160, 240))[0]
    # Between noise nearly all cells disagree.
    assert ((confidence.int() - exact.int()).abs() <= 1).float().mean() > 0.97


def test_confidence_of_real_logits_is_near_its_definition():
    segmenter = Segmenter.from_checkpoint(device="cpu", input_size="half")
    image, _ = Street(4, 1024, 512).render(7.0)
    logits = segmenter.logits(torch.from_numpy(segmenter.fit(image)))
    _assert_near_the_defined_confidence(logits[0], (540, 960))
    found, confidence = segmenter.labels_and_confidence(logits, (540, 960))
    assert torch.equal(found, segmenter.labels(logits, (540, 960)))
    # A network is surer inside of things than on their borders.
    border = torch.zeros_like(found, dtype=torch.bool)
    border[:, 1:] |= found[:, 1:] != found[:, :-1]
    assert confidence[border].float().mean() < confidence[~border].float().mean() - 50


def test_confidence_of_batches_and_shrunk_pictures_works_too():
    logits = torch.randn(2, 19, 40, 40, generator=torch.Generator().manual_seed(5))
    for size in ((10, 90), (7, 7), (80, 80)):
        found, confidence = labels_and_confidence(logits, size)
        assert torch.equal(found, labels(logits, size))
        assert (confidence.int() - confidence_reference(logits, size).int()).abs().max() <= 14


def test_probabilities_are_the_softmax_of_interpolated_logits():
    logits = torch.randn(1, 19, 4, 4)
    prob = probabilities(logits, (9, 13))
    assert prob.shape == (1, 19, 9, 13)
    assert torch.allclose(prob.sum(1), torch.ones(1, 9, 13), atol=1e-5)


def test_entropy_is_close_to_its_definition_and_exact_at_the_logits_own_size():
    segmenter = Segmenter.from_checkpoint(device="cpu", input_size="quarter")
    image, _ = Street(4, 512, 256).render(7.0)
    logits = segmenter.logits(torch.from_numpy(segmenter.fit(image)))
    for size, most in (((256, 512), 0.25), (tuple(logits.shape[2:]), 1e-5), ((97, 200), 0.25)):
        prob = probabilities(logits, size)
        exact = -(prob * prob.clamp_min(1e-30).log()).sum(1) / np.log(19)
        fast = entropy(logits, size)
        assert fast.shape == exact.shape
        assert (fast - exact).abs().max() < most
        assert (fast - exact).abs().mean() < (0.002 if size == (256, 512) else 0.01)
    assert entropy(torch.zeros(1, 19, 4, 4), (9, 9)).allclose(torch.ones(1, 9, 9))
