"""Whatever the user does: captured frames are shown or dropped, offered ones recorded or not."""

import pytest

from tests.soak.switching import random_run


@pytest.mark.parametrize("seed", [1, 3])
def test_the_counters_add_up_at_every_moment_of_a_random_run(tmp_path, seed):
    assert random_run(40, seed, tmp_path)["captured"] > 0
