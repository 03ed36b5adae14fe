"""Paired folders of volumes: what is a case, and what is left over."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from storage.data.readers.volume_folder import list_volumes
from storage.data.spec import DataSpec
from storage.errors import DataError
from tests.helpers.volume_makers import lesion, save, scan, write_pairs

if TYPE_CHECKING:
    from pathlib import Path

SPEC = DataSpec(kind="volumes")
TWO = DataSpec(kind="volumes", modalities={"ct": "_0000", "pet": "_0001"})


def test_pairs_match_by_name(tmp_path: Path) -> None:
    """.nii and .nii.gz may mix; other files, and a Mac's copies, are let be."""
    write_pairs(tmp_path, 2)
    save(tmp_path / "images" / "b.1.nii", scan())
    save(tmp_path / "masks" / "b.1.nii.gz", lesion())
    (tmp_path / "images" / "._case0.nii.gz").write_bytes(b"x")
    (tmp_path / "images" / "notes.txt").write_text("x")
    listing = list_volumes(SPEC, tmp_path)
    assert [case.name for case in listing.cases] == ["b.1", "case0", "case1"]
    assert (listing.problems, listing.channels) == ((), ("image",))


def test_masks_may_be_called_labels(tmp_path: Path) -> None:
    """But not both at once."""
    write_pairs(tmp_path, 1)
    (tmp_path / "masks").rename(tmp_path / "labels")
    assert len(list_volumes(SPEC, tmp_path).cases) == 1
    (tmp_path / "masks").mkdir()
    with pytest.raises(DataError, match=r"both masks/ and labels/ are in"):
        list_volumes(SPEC, tmp_path)


def test_modalities_are_files_by_suffix(tmp_path: Path) -> None:
    """In the order of the spec; one modality may carry nnU-Net's suffix with nothing said."""
    for name in ("a", "b"):
        save(tmp_path / "masks" / f"{name}.nii", lesion())
        save(tmp_path / "images" / f"{name}_0000.nii", scan())
    assert [case.name for case in list_volumes(SPEC, tmp_path).cases] == ["a", "b"]
    for name in ("a", "b"):
        save(tmp_path / "images" / f"{name}_0001.nii", scan())
    first = list_volumes(TWO, tmp_path).cases[0]
    assert [path.name for path in first.images] == ["a_0000.nii", "a_0001.nii"]


def test_what_is_left_over_is_named(tmp_path: Path) -> None:
    """Image without mask, mask without image, missing modality, two files of one name."""
    for name in ("whole", "half"):
        save(tmp_path / "masks" / f"{name}.nii", lesion())
        save(tmp_path / "images" / f"{name}_0000.nii", scan())
    save(tmp_path / "images" / "whole_0001.nii", scan())
    save(tmp_path / "masks" / "lonely.nii", lesion())
    save(tmp_path / "masks" / "whole.nii.gz", lesion())
    save(tmp_path / "images" / "alone_0000.nii", scan())
    listing = list_volumes(TWO, tmp_path)
    assert [case.name for case in listing.cases] == ["whole"]
    assert sorted(listing.problems) == [
        "images/alone_0000.nii: image without mask",
        "images/half_0001: missing modality of case half",
        "masks/lonely.nii: mask without image",
        "masks/whole.nii: another file in masks/ has the same name",
    ]


def test_missing_and_empty_folders_are_refused(tmp_path: Path) -> None:
    """The message says which, and what belongs there."""
    with pytest.raises(DataError, match=r"no folder images/ in .*\(--data, \[data\] path\)"):
        list_volumes(SPEC, tmp_path)
    (tmp_path / "images").mkdir()
    with pytest.raises(DataError, match=r"no folder masks/ in"):
        list_volumes(SPEC, tmp_path)
    (tmp_path / "masks").mkdir()
    with pytest.raises(DataError, match=r"no cases in .*images; expected files such as NAME\.nii\.gz"):
        list_volumes(SPEC, tmp_path)
