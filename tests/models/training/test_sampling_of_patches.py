"""Where patches lie, and what is in them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from models.training.sampling import cut, draw_corners

if TYPE_CHECKING:
    from numpy.typing import NDArray

sides = st.tuples(*[st.integers(1, 12)] * 3)
seeds = st.integers(0, 2**31)
NOWHERE = np.empty((0, 3), dtype=np.int32)


def corner(
    shape: tuple[int, ...], positions: NDArray[np.int32], patch: tuple[int, ...], share: float, seed: int
) -> NDArray[np.int64]:
    """Corner of one patch."""
    return draw_corners([shape], [positions], patch, share, np.random.default_rng(seed))[0]


@given(shape=sides, patch=sides, seed=seeds, share=st.sampled_from([0.0, 0.5, 1.0]), filled=st.booleans())
def test_a_patch_lies_within_the_volume(
    shape: tuple[int, ...], patch: tuple[int, ...], seed: int, share: float, *, filled: bool
) -> None:
    """Along sides that are long enough; along a shorter one the volume lies within the patch, in its middle."""
    positions = np.argwhere(np.ones(shape)).astype(np.int32) if filled else NOWHERE
    first = corner(shape, positions, patch, share, seed)
    for at, side, length in zip(first, patch, shape, strict=True):
        if length >= side:
            assert 0 <= at <= length - side
        else:
            assert at == -((side - length) // 2)


@given(shape=sides, patch=sides, seed=seeds, data=st.data())
def test_a_patch_holds_its_foreground_voxel(
    shape: tuple[int, ...], patch: tuple[int, ...], seed: int, data: st.DataObject
) -> None:
    """The one foreground voxel is in the patch, and in its middle where the border allows it."""
    voxel = np.array([data.draw(st.integers(0, length - 1)) for length in shape], dtype=np.int32)
    first = corner(shape, voxel[None], patch, 1.0, seed)
    assert ((first <= voxel) & (voxel < first + patch)).all()
    for at, side, length, position in zip(first, patch, shape, voxel, strict=True):
        if side // 2 <= position <= length - side + side // 2:
            assert position - at == side // 2


def test_the_share_of_foreground_patches_is_the_one_asked_for() -> None:
    """Of patches of one voxel, which hold the foreground by chance only rarely."""
    shape, voxel = (20, 20, 20), np.array([[3, 14, 9]], dtype=np.int32)
    rng = np.random.default_rng(0)
    for share in (0.0, 0.3, 1.0):
        corners = draw_corners([shape] * 2000, [voxel] * 2000, (1, 1, 1), share, rng)
        assert abs(np.mean([(at == voxel[0]).all() for at in corners]) - share) < 0.04


def test_other_patches_lie_anywhere() -> None:
    """Every corner comes up."""
    rng = np.random.default_rng(0)
    corners = draw_corners([(3, 4, 2)] * 300, [NOWHERE] * 300, (2, 2, 2), 0.5, rng)
    assert {tuple(at.tolist()) for at in corners} == {(x, y, 0) for x in range(2) for y in range(3)}


@given(shape=sides, patch=sides, channels=st.integers(1, 3), seed=seeds)
def test_a_patch_is_cut_out_and_padded_with_zeros(
    shape: tuple[int, ...], patch: tuple[int, ...], channels: int, seed: int
) -> None:
    """Each voxel of the patch is the volume's, or 0 outside of it, whatever was there before."""
    volume = np.random.default_rng(seed).integers(1, 100, (channels, *shape)).astype(np.float16)
    at = corner(shape, NOWHERE, patch, 0.0, seed)
    patch_voxels = np.full((channels, *patch), 7, dtype=np.float16)
    cut(volume, at, patch_voxels)
    wide = np.pad(volume, [(0, 0), *((side, side) for side in patch)])  # as much as a patch can ever reach out
    expected = wide[:, *(slice(a + side, a + 2 * side) for a, side in zip(at, patch, strict=True))]
    assert np.array_equal(patch_voxels, expected)
