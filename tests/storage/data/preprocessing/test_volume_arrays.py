"""What is kept of a volume."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from storage.data.preprocessing.volume_arrays import arrays_of, bounding_box
from storage.data.source import VolumeCase
from tests.helpers.volume_makers import lesion, scan

if TYPE_CHECKING:
    from numpy.typing import NDArray


def case_of(image: NDArray[np.float32], mask: NDArray[np.bool_], spacing: tuple[float, float, float]) -> VolumeCase:
    """A case."""
    return VolumeCase("case", image, mask, spacing, "RAS")


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
    other = arrays_of(VolumeCase("other", image, mask, (1, 1, 1), "RAS"), ("zscore",), None)["foreground"]
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


def test_a_like_spacing_is_left_alone() -> None:
    """Nothing is interpolated where headers differ by rounding."""
    case = small_case((1.005, 1, 1))
    assert np.array_equal(
        arrays_of(case, ("zscore",) * 2, (1, 1, 1))["masks"], arrays_of(case, ("zscore",) * 2, None)["masks"]
    )
    assert arrays_of(small_case((1, 1, 2)), ("zscore",) * 2, (1, 1, 1))["masks"].shape == (1, 19, 16, 26)
