import itertools

import numpy as np
import pytest
import torch

from fastscnn import Segmenter
from fastscnn.data.street import Street
from fastscnn.upsample import labels, labels_by_cells, labels_reference, probabilities


def _street_like(generator, h, w, classes=19):
    """Logits with regions and soft borders, as a network gives them."""
    coarse = torch.randn(1, classes, 4, 6, generator=generator) * 4
    smooth = torch.nn.functional.interpolate(coarse, (h, w), mode="bicubic")[0]
    return smooth + 0.2 * torch.randn(classes, h, w, generator=generator)


def _assert_same_but_for_rounding(logits, size, align_corners=False):
    """Equal labels, except on pixels where float64 cannot tell the two classes apart either."""
    fast = labels_by_cells(logits, size, align_corners)
    plain = labels_reference(logits[None], size, align_corners)[0]
    assert fast.shape == plain.shape == size
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


def test_probabilities_are_the_softmax_of_interpolated_logits():
    logits = torch.randn(1, 19, 4, 4)
    prob = probabilities(logits, (9, 13))
    assert prob.shape == (1, 19, 9, 13)
    assert torch.allclose(prob.sum(1), torch.ones(1, 9, 13), atol=1e-5)
