"""What is kept of a volume."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.volume_arrays import arrays_of, bounding_box, resample, same_spacing
from storage.volumes import VolumeCase
from tests.storage.volume_makers import lesion, scan

if TYPE_CHECKING:
    from numpy.typing import NDArray

sides = st.tuples(*[st.integers(3, 20)] * 3)


def case_of(image: NDArray[np.float32], mask: NDArray[np.bool_], spacing: tuple[float, float, float]) -> VolumeCase:
    """A case."""
    return VolumeCase("case", image, mask, spacing)


def small_case(spacing: tuple[float, float, float] = (1, 1, 1)) -> VolumeCase:
    """Two channels that begin and end at other voxels."""
    image = np.stack([scan(0), np.roll(scan(1), 1, axis=0)]).astype(np.float32)
    return case_of(image, lesion() == 1, spacing)


def test_what_is_0_in_all_channels_is_cropped() -> None:
    """Foreground is never cropped."""
    case = small_case()
    assert bounding_box(case.image, case.mask) == (slice(3, 22), slice(2, 18), slice(2, 15))
    far = case.mask.copy()
    far[0, 0, 0] = True
    assert bounding_box(case.image, far) == (slice(0, 22), slice(0, 18), slice(0, 15))


def test_the_arrays_fit_each_other() -> None:
    """float16 image, mask of 0 and 1 on the same grid, positions of its foreground in order, a thumbnail."""
    kept = arrays_of(small_case(), ("zscore", "zscore_nonzero"), None)
    assert {kind: (array.dtype, array.shape) for kind, array in kept.items()} == {
        "images": (np.float16, (2, 19, 16, 13)),
        "masks": (np.uint8, (1, 19, 16, 13)),
        "foreground": (np.int32, (72, 3)),
        "thumbnails": (np.float32, (4096,)),
    }
    assert np.array_equal(kept["foreground"], np.argwhere(kept["masks"][0]))


def test_positions_are_drawn_by_name_alone() -> None:
    """At most 4,096, none twice, in order; the same at every call, others for another name."""
    mask = np.ones((20, 20, 20), dtype=np.bool_)
    image = np.ones((1, 20, 20, 20), dtype=np.float32)
    one, again = (arrays_of(case_of(image, mask, (1, 1, 1)), ("zscore",), None)["foreground"] for _ in range(2))
    other = arrays_of(VolumeCase("other", image, mask, (1, 1, 1)), ("zscore",), None)["foreground"]
    assert one.shape == (4096, 3)
    assert np.array_equal(one, again)
    assert not np.array_equal(one, other)
    assert len(np.unique(one, axis=0)) == 4096
    assert one.mean(axis=0) == pytest.approx([9.5] * 3, abs=0.4)


def test_a_ct_waits_for_all_cases() -> None:
    """It is kept as it was read, with a sample of its foreground; other channels are scaled."""
    case = small_case()
    kept = arrays_of(case, ("ct", "zscore"), None)
    assert "images" not in kept
    assert np.array_equal(kept["raw"][0], case.image[0, 3:22, 2:18, 2:15])
    assert kept["raw"][1].mean() == pytest.approx(0, abs=1e-5)
    assert np.array_equal(kept["samples"][0], case.image[0][case.mask])


@given(before=sides, after=sides)
def test_resampling_keeps_a_ramp(before: tuple[int, ...], after: tuple[int, ...]) -> None:
    """Between the outermost centres a linear ramp stays itself: voxels stay where they are in mm."""
    old = tuple(10 / side for side in before)
    new = tuple(10 / side for side in after)
    centres = [(np.arange(side) + 0.5) * step for side, step in zip(before, old, strict=True)]
    ramp = sum(np.meshgrid(*centres, indexing="ij")).astype(np.float32)
    found, _ = resample(ramp[None], np.zeros(before, dtype=np.bool_), old, new)
    assert found.shape == (1, *after)
    expected = [
        np.clip((np.arange(side) + 0.5) * step, o / 2, 10 - o / 2)
        for side, step, o in zip(after, new, old, strict=True)
    ]
    assert found[0] == pytest.approx(sum(np.meshgrid(*expected, indexing="ij")), abs=1e-3)


def test_a_mask_keeps_its_volume() -> None:
    """A ball of 10 mm radius in voxels of 1 x 1 x 3 mm holds as many mm³ at 1.5 mm, within 2 %."""
    x, y, z = np.meshgrid(np.arange(40) - 19.5, np.arange(40) - 19.5, 3 * (np.arange(14) - 6.5), indexing="ij")
    ball = x**2 + y**2 + z**2 < 100
    _, found = resample(ball[None].astype(np.float32), ball, (1, 1, 3), (1.5, 1.5, 1.5))
    assert found.shape == (27, 27, 28)
    assert 1.5**3 * found.sum() == pytest.approx(3 * ball.sum(), rel=0.02)


def test_spacings_agree_within_a_hundredth() -> None:
    """As headers round them; then nothing is interpolated."""
    assert same_spacing((1, 1, 3), (1.005, 0.995, 3.02))
    assert not same_spacing((1, 1, 3), (1, 1, 3.1))
    case = small_case((1.005, 1, 1))
    assert np.array_equal(
        arrays_of(case, ("zscore",) * 2, (1, 1, 1))["masks"], arrays_of(case, ("zscore",) * 2, None)["masks"]
    )
    assert arrays_of(small_case((1, 1, 2)), ("zscore",) * 2, (1, 1, 1))["masks"].shape == (1, 19, 16, 26)
