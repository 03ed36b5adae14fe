"""One NIfTI file: what is read, and what is refused."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING

import nibabel
import numpy as np
import pytest

from storage.data.readers.nifti import name_of, read_image, read_mask
from storage.data.source import BadCase
from tests.helpers.volume_makers import lesion, save, scan

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

LPS = np.diag([-1.0, -1.0, 1.0, 1.0])


@pytest.mark.parametrize("ending", [".nii", ".nii.gz"])
@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.float32, np.float64])
def test_every_number_becomes_float32(tmp_path: Path, ending: str, dtype: type) -> None:
    """Whatever the file holds; the name is that without .nii or .nii.gz."""
    path = save(tmp_path / f"p.1{ending}", scan().astype(dtype))
    volume = read_image(path, "p")
    assert volume.values.dtype == np.float32
    assert np.array_equal(volume.values, scan().astype(dtype))
    assert volume.spacing == (1, 1, 1)
    assert name_of(path) == "p.1"


def test_scaled_integers_are_scaled(tmp_path: Path) -> None:
    """Slope and intercept of the header hold."""
    image = nibabel.Nifti1Image(scan(), np.eye(4))
    image.header.set_slope_inter(0.5, -100)
    nibabel.save(image, tmp_path / "a.nii")
    stored = nibabel.load(tmp_path / "a.nii")
    assert np.allclose(read_image(tmp_path / "a.nii", "a").values, stored.get_fdata())


def test_volumes_come_to_ras(tmp_path: Path) -> None:
    """A volume stored to the left, to the back, and with its axes swapped shows the same voxels at the same places."""
    values = scan()
    straight = read_image(save(tmp_path / "ras.nii", values, np.diag([1.0, 2.0, 3.0, 1.0])), "")
    mirrored = np.diag([-1.0, -2.0, 3.0, 1.0])
    mirrored[:3, 3] = [23, 38, 0]
    turned = read_image(save(tmp_path / "lps.nii", values[::-1, ::-1], mirrored), "")
    swapped = np.zeros((4, 4))
    swapped[0, 1], swapped[1, 0], swapped[2, 2], swapped[3, 3] = 1, 2, 3, 1
    other = read_image(save(tmp_path / "swapped.nii", values.swapaxes(0, 1), swapped), "")
    assert [volume.axes for volume in (straight, turned, other)] == ["RAS", "LPS", "ARS"]
    for volume in (turned, other):
        assert np.array_equal(volume.values, straight.values)
        assert np.allclose(volume.affine, straight.affine)
        assert volume.spacing == (1, 2, 3)


def test_labels_may_be_floats_that_round(tmp_path: Path) -> None:
    """0.99999997 is 1; 0.5 is no label."""
    mask = lesion().astype(np.float32)
    assert np.array_equal(read_mask(save(tmp_path / "a.nii", mask * np.float32(0.9999999)), "").values, lesion())
    with pytest.raises(BadCase, match=r"a\.nii: labels must be whole numbers, got 0.5"):
        read_mask(save(tmp_path / "a.nii", mask / 2), "a.nii")


def empty(path: Path) -> None:
    """A disk was full."""
    path.write_bytes(b"")


def garbage(path: Path) -> None:
    """Something else."""
    path.write_bytes(b"no volume" * 100)


def truncated(path: Path) -> None:
    """A download broke off."""
    whole = save(path, np.random.default_rng(0).standard_normal((20, 20, 20))).read_bytes()
    path.write_bytes(whole[: len(whole) // 2])


def short(path: Path) -> None:
    """The header promises more than the archive holds."""
    save(path, scan())
    path.write_bytes(gzip.compress(gzip.decompress(path.read_bytes())[:2000]))


def corrupt(path: Path) -> None:
    """Bytes were changed within the archive."""
    whole = bytearray(save(path, np.random.default_rng(0).standard_normal((20, 20, 20))).read_bytes())
    whole[len(whole) // 2 : len(whole) // 2 + 50] = bytes(50)
    path.write_bytes(whole)


def four(path: Path) -> None:
    """A time series."""
    save(path, np.stack([scan(), scan()], axis=-1))


def flat(path: Path) -> None:
    """A slice."""
    save(path, scan()[:, :, 5])


def nan(path: Path) -> None:
    """Three voxels are no numbers."""
    values = scan().astype(np.float32)
    values[0, 0, :3] = np.nan, np.inf, -np.inf
    save(path, values)


def colours(path: Path) -> None:
    """A voxel holds red, green and blue."""
    save(path, np.zeros((4, 4, 4), dtype=[("R", "u1"), ("G", "u1"), ("B", "u1")]))


def nowhere(path: Path) -> None:
    """All voxels lie in a plane."""
    image = nibabel.Nifti1Image(scan(), None)
    image.header["sform_code"] = 1
    image.header["srow_x"] = [1, 0, 0, 0]
    image.header["srow_y"] = [1, 0, 0, 0]
    image.header["srow_z"] = [0, 0, 1, 0]
    image.to_filename(path)


@pytest.mark.parametrize(
    ("spoil", "rule"),
    [
        (empty, "empty file"),
        (garbage, "unreadable volume"),
        (truncated, "unreadable volume"),
        (short, "unreadable volume"),
        (corrupt, "unreadable volume"),
        (four, r"4D \(24x20x16x2\) where 3D is due"),
        (flat, r"2D \(24x20\) where 3D is due"),
        (nan, "3 voxels are NaN or infinite"),
        (colours, "voxels must be numbers"),
        (nowhere, "its affine places voxels nowhere"),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
@pytest.mark.parametrize("read", [read_image, read_mask])
def test_a_bad_volume_is_named_with_its_rule(
    tmp_path: Path, spoil: Callable[[Path], None], rule: str, read: Callable[[Path, str], object]
) -> None:
    """As an image and as a mask."""
    spoil(tmp_path / "bad.nii.gz")
    with pytest.raises(BadCase, match=rf"^images/bad\.nii\.gz: {rule}"):
        read(tmp_path / "bad.nii.gz", "images/bad.nii.gz")


def test_modalities_along_the_last_axis_are_counted(tmp_path: Path) -> None:
    """Four where four are due, neither two nor none."""
    four_of_them = np.stack([scan(seed) for seed in range(4)], axis=-1)
    assert read_image(save(tmp_path / "a.nii", four_of_them), "a", 4).values.shape == (24, 20, 16, 4)
    for wrong in (four_of_them[..., :2], four_of_them[..., 0]):
        with pytest.raises(BadCase, match="where 4D with 4 modalities along the last axis is due"):
            read_image(save(tmp_path / "a.nii", wrong), "a", 4)
