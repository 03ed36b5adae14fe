"""A case of volumes: all files on one grid, every problem named."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from storage.data.readers.volume_folder import list_volumes
from storage.data.readers.volumes import read_case
from storage.data.source import BadCase
from storage.data.spec import DataSpec
from tests.helpers.volume_makers import lesion, save, scan, write_pairs

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from storage.data.source import VolumeCase

SPEC = DataSpec(kind="volumes")


def read(folder: Path, spec: DataSpec = SPEC) -> VolumeCase:
    """The first case of a folder."""
    listing = list_volumes(spec, folder)
    return read_case(listing, listing.cases[0])


def problems(folder: Path, spec: DataSpec = SPEC) -> tuple[str, ...]:
    """What is wrong with the first case."""
    with pytest.raises(BadCase) as caught:
        read(folder, spec)
    return caught.value.problems


def moved(millimetres: float) -> NDArray[np.float64]:
    """An affine that lies so far to the right."""
    affine = np.eye(4)
    affine[0, 3] = millimetres
    return affine


def test_a_case_is_image_mask_and_spacing(tmp_path: Path) -> None:
    """float32 (channels, X, Y, Z), bool (X, Y, Z), mm."""
    case = read(write_pairs(tmp_path, 1))
    assert (case.name, case.spacing) == ("case0", (1, 1, 1))
    assert (case.image.shape, case.image.dtype) == ((1, 24, 20, 16), np.float32)
    assert np.array_equal(case.image[0], scan())
    assert np.array_equal(case.mask, lesion() == 1)


def test_one_grid_may_be_stored_in_two_ways(tmp_path: Path) -> None:
    """A mask that is stored mirrored, with the affine that says so, fits its image."""
    write_pairs(tmp_path, 1)
    mirrored = np.diag([-1.0, 1, 1, 1])
    mirrored[0, 3] = 23
    save(tmp_path / "masks" / "case0.nii.gz", lesion()[::-1], mirrored)
    assert np.array_equal(read(tmp_path).mask, lesion() == 1)


def test_rounded_headers_are_let_be(tmp_path: Path) -> None:
    """A twentieth of a voxel is rounding."""
    write_pairs(tmp_path, 1)
    save(tmp_path / "masks" / "case0.nii.gz", lesion(), moved(0.05))
    assert read(tmp_path).mask.any()


def test_grids_that_differ_are_named(tmp_path: Path) -> None:
    """Another shape, another place, another spacing."""
    write_pairs(tmp_path, 1)
    mask = tmp_path / "masks" / "case0.nii.gz"
    save(mask, lesion((24, 20, 15)))
    (shape,) = problems(tmp_path)
    assert shape.startswith(
        "masks/case0.nii.gz: its shape is 24x20x15 in RAS, that of the image 24x20x16 (images/case0"
    )
    save(mask, lesion(), moved(12))
    assert "its affine puts a corner 12 mm from where that of the image does" in problems(tmp_path)[0]
    save(mask, lesion(), np.diag([1.0, 1, 2, 1]))
    assert "its affine puts a corner 16 mm from where that of the image does" in problems(tmp_path)[0]


def test_modalities_must_share_a_grid(tmp_path: Path) -> None:
    """Each is compared with the first."""
    spec = DataSpec(kind="volumes", modalities={"ct": "_0000", "pet": "_0001"})
    save(tmp_path / "images" / "a_0000.nii", scan())
    save(tmp_path / "images" / "a_0001.nii", scan(1), moved(3))
    save(tmp_path / "masks" / "a.nii", lesion())
    (problem,) = problems(tmp_path, spec)
    assert problem.startswith("images/a_0001.nii: its affine puts a corner 3 mm")


def test_unknown_labels_are_named(tmp_path: Path) -> None:
    """With those that are known, and the remedy."""
    write_pairs(tmp_path, 1)
    save(tmp_path / "masks" / "case0.nii.gz", lesion(labels=(1, 3, 2)))
    (problem,) = problems(tmp_path)
    assert problem == (
        "masks/case0.nii.gz: label 2, 3 is unknown (known: 0, 1); name it in foreground or background ([data])"
    )
    spec = DataSpec(kind="volumes", foreground=(1, 3), background=(2,))
    assert np.array_equal(read(tmp_path, spec).mask, np.isin(lesion(labels=(1, 3, 2)), [1, 3]))


def test_all_that_is_wrong_with_a_case_is_told(tmp_path: Path) -> None:
    """An unreadable image, and a mask with an unknown label."""
    write_pairs(tmp_path, 1)
    (tmp_path / "images" / "case0.nii.gz").write_bytes(b"")
    save(tmp_path / "masks" / "case0.nii.gz", lesion(labels=(7,)))
    first, second = problems(tmp_path)
    assert "empty file" in first
    assert "label 7" in second


def test_an_image_of_one_value_is_none(tmp_path: Path) -> None:
    """All channels 0 is a failed export."""
    write_pairs(tmp_path, 1)
    save(tmp_path / "images" / "case0.nii.gz", np.zeros((24, 20, 16)))
    assert problems(tmp_path) == ("images/case0.nii.gz: every voxel is 0",)
