"""Volumes on another grid."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.data.preprocessing.resample import resample, resample_mask, same_spacing

sides = st.tuples(*[st.integers(3, 20)] * 3)


def test_spacings_agree_within_a_hundredth() -> None:
    """As headers round them."""
    assert same_spacing((1, 1, 3), (1.005, 0.995, 3.02))
    assert not same_spacing((1, 1, 3), (1, 1, 3.1))


@given(before=sides, after=sides)
def test_resampling_keeps_a_ramp(before: tuple[int, ...], after: tuple[int, ...]) -> None:
    """Between the outermost centres a linear ramp stays itself: voxels stay where they are in mm."""
    old = tuple(10 / side for side in before)
    new = tuple(10 / side for side in after)
    centres = [(np.arange(side) + 0.5) * step for side, step in zip(before, old, strict=True)]
    ramp = sum(np.meshgrid(*centres, indexing="ij")).astype(np.float32)
    resampled = resample(ramp[None], old, new)
    assert resampled.shape == (1, *after)
    expected = [
        np.clip((np.arange(side) + 0.5) * step, o / 2, 10 - o / 2)
        for side, step, o in zip(after, new, old, strict=True)
    ]
    assert resampled[0] == pytest.approx(sum(np.meshgrid(*expected, indexing="ij")), abs=1e-3)


def test_a_mask_keeps_its_volume() -> None:
    """A ball of 10 mm radius in voxels of 1 x 1 x 3 mm holds as many mm³ at 1.5 mm, within 2 %."""
    x, y, z = np.meshgrid(np.arange(40) - 19.5, np.arange(40) - 19.5, 3 * (np.arange(14) - 6.5), indexing="ij")
    ball = x**2 + y**2 + z**2 < 100
    resampled = resample_mask(ball, (1, 1, 3), (1.5, 1.5, 1.5))
    assert resampled.shape == (27, 27, 28)
    assert 1.5**3 * resampled.sum() == pytest.approx(3 * ball.sum(), rel=0.02)
