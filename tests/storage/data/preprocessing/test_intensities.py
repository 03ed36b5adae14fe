"""Scales of intensities."""

from __future__ import annotations

import numpy as np
import pytest

from storage.data.pipelines import schemes_of
from storage.data.preprocessing.intensities import ct, ct_scale, to_half, zscore, zscore_nonzero
from storage.data.spec import DataSpec

VALUES = np.random.default_rng(0).normal(300, 40, (10, 11, 12)).astype(np.float32)


def test_zscore_is_mean_0_and_sd_1() -> None:
    """Over all voxels; a channel of one value becomes 0."""
    scaled = zscore(VALUES)
    assert (scaled.mean(), scaled.std(), scaled.dtype) == (pytest.approx(0, abs=1e-5), pytest.approx(1), np.float32)
    assert not zscore(np.full((3, 3, 3), 7, np.float32)).any()


def test_zeros_stay_zero() -> None:
    """Only what is inside is scaled, and by what is inside."""
    values = VALUES.copy()
    values[:, :, :6] = 0
    scaled = zscore_nonzero(values)
    assert not scaled[:, :, :6].any()
    assert scaled[:, :, 6:] == pytest.approx(zscore(VALUES[:, :, 6:]), abs=1e-4)
    assert not zscore_nonzero(np.zeros((3, 3, 3), np.float32)).any()


def test_ct_clips_at_percentiles_of_the_foreground() -> None:
    """0.5 and 99.5, then mean and SD of the samples, as nnU-Net does it."""
    samples = np.arange(1001, dtype=np.float32)
    scale = ct_scale(samples)
    assert scale == (5, 995, 500, pytest.approx(samples.std()))
    scaled = ct(np.array([-1000, 5, 500, 3000], np.float32), scale)
    assert scaled == pytest.approx((np.array([5, 5, 500, 995]) - 500) / samples.std())


def test_half_floats_do_not_overflow() -> None:
    """What float16 cannot hold is cut off."""
    assert to_half(np.array([1e6, -1e6, 1.5], np.float32)).tolist() == [65504, -65504, 1.5]


@pytest.mark.parametrize(
    ("spec", "channels", "expected"),
    [
        ({"kind": "decathlon"}, ("CT", "PET"), ("ct", "zscore")),
        ({"kind": "volumes", "modalities": {"ct": "_0", "t1": "_1"}}, ("ct", "t1"), ("ct", "zscore")),
        ({"kind": "volumes"}, ("image",), ("zscore",)),
        ({"kind": "volumes", "intensities": "ct"}, ("image",), ("ct",)),
        ({"kind": "brats"}, ("t1", "flair"), ("zscore_nonzero", "zscore_nonzero")),
        ({"kind": "brats", "intensities": "zscore"}, ("t1", "flair"), ("zscore", "zscore")),
    ],
)
def test_the_scheme_is_chosen(spec: dict[str, object], channels: tuple[str, ...], expected: tuple[str, ...]) -> None:
    """By the spec, else by kind, else by the name of the modality."""
    assert schemes_of(DataSpec.model_validate(spec), channels) == expected
