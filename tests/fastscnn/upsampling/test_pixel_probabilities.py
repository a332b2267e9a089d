import numpy as np
import pytest
import torch

from fastscnn.upsampling.pixel_probabilities import probabilities_at
from fastscnn.upsampling.upsample import probabilities


@pytest.mark.parametrize("align_corners", [False, True])
@pytest.mark.parametrize("shape", [(5, 7), (1, 1), (1, 6)])
@pytest.mark.parametrize("size", [(40, 56), (33, 61), (9, 7), (1, 1)])
def test_a_pixels_probabilities_are_those_of_the_whole_picture(shape, size, align_corners):
    logits = torch.randn(1, 19, *shape, generator=torch.Generator().manual_seed(3)) * 4
    whole = probabilities(logits, size, align_corners)[0].numpy()
    places = np.random.default_rng(1).integers(0, size, (30, 2)).tolist()
    for row, column in [[0, 0], [size[0] - 1, size[1] - 1], *places]:
        one = probabilities_at(logits[0].numpy(), size, row, column, align_corners)
        assert one == pytest.approx(whole[:, row, column], abs=1e-5)
