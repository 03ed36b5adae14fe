"""Laws of growth."""

from __future__ import annotations

import numpy as np

from models.surface.laws import FEW, laws

SHARE = np.array([0.01, FEW, 0.2, 0.5, 1.0, 2.0, 4.0])


def test_every_law_falls_from_1_at_few_cases_to_0_at_all() -> None:
    """What is lacking falls with every further case, and none of it is left at all cases."""
    for law in laws(SHARE):
        assert law.shape[1] == 1
        assert law.shape[4] == 0
        assert (np.diff(law.shape) < 0).all()


def test_the_logarithm_gains_as_much_by_every_doubling() -> None:
    """One law has a constant slope in log n: it never flattens."""
    steps = -np.diff(laws(np.array([0.25, 0.5, 1.0, 2.0, 4.0]))[0].shape)
    np.testing.assert_allclose(steps, steps[0])


def test_families_are_alike_before_anything_is_measured() -> None:
    """Logarithm, powers and exponentials weigh the same, however many members they have."""
    weights = [law.weight for law in laws(SHARE)]
    assert weights[0] == 1
    np.testing.assert_allclose(sum(weights), 3)
