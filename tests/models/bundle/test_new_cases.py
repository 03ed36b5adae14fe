"""Cases that an exported model has not seen."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from monai.data import MetaTensor

from models.bundle.new_cases import ByArrayd, case_name, list_cases

if TYPE_CHECKING:
    from pathlib import Path

VOLUMES = (".nii.gz", ".nii")


def touch(folder: Path, *names: str) -> None:
    """Empty files."""
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()


def listed(folder: Path, *suffixes: str) -> list[list[str]]:
    """Cases as paths within the folder."""
    cases = list_cases(str(folder), VOLUMES, suffixes or ("",))
    return [[path.removeprefix(f"{folder}/") for path in case["image"]] for case in cases]


def test_every_file_is_a_case(tmp_path: Path) -> None:
    """At any depth; what a Mac leaves beside them is none, nor is another kind of file."""
    touch(tmp_path, "b.nii", "deep/a.nii.gz", "._b.nii", "notes.txt")
    assert listed(tmp_path) == [["b.nii"], ["deep/a.nii.gz"]]


def test_channels_of_a_case_go_together(tmp_path: Path) -> None:
    """In the order of the suffixes; a case that lacks one is none."""
    touch(tmp_path, "a/a_t1.nii.gz", "a/a_flair.nii.gz", "a/a_seg.nii.gz", "b/b_t1.nii.gz")
    assert listed(tmp_path, "_flair", "_t1") == [["a/a_flair.nii.gz", "a/a_t1.nii.gz"]]


def test_a_file_may_hold_all_channels(tmp_path: Path) -> None:
    """As in the Decathlon: no name ends as a channel does."""
    touch(tmp_path, "case1.nii.gz", "case2.nii.gz")
    assert listed(tmp_path, "_0000", "_0001") == [["case1.nii.gz"], ["case2.nii.gz"]]


def test_no_case_is_told(tmp_path: Path) -> None:
    """With the option that names the folder."""
    with pytest.raises(ValueError, match="--dataset_dir"):
        listed(tmp_path)


@pytest.mark.parametrize(
    ("file", "suffix", "subject"),
    [
        ("x/a_t1.nii.gz", "_t1", "x/a.nii.gz"),
        ("x/a_t1.nii", "_t1", "x/a.nii"),
        ("x/a.b.png", "", "x/a.b.png"),
        ("x/a.b_0000.nii.gz", "_0000", "x/a.b.nii.gz"),
    ],
)
def test_a_mask_is_named_after_its_case(file: str, suffix: str, subject: str) -> None:
    """Without the end that says which channel was read first; dots within a name stay."""
    assert case_name({"filename_or_obj": file}, None, suffix)["subject"] == subject


def test_the_inverse_comes_back_to_the_shape() -> None:
    """Linearly; values that no grid changed stay as they are, and so does where an image lies."""
    affine = torch.diag(torch.tensor([1.0, 2.0, 3.0, 1.0], dtype=torch.float64))
    image = MetaTensor(torch.arange(4.0).reshape(1, 4, 1, 1).expand(1, 4, 2, 2), affine=affine)
    doubled = ByArrayd("image", lambda image: np.repeat(image.numpy(), 2, axis=1))
    there = doubled({"image": image})
    assert there["image"].shape == (1, 8, 2, 2)
    back = doubled.inverse(there)["image"]
    assert torch.allclose(back.as_tensor(), image.as_tensor())
    assert torch.equal(back.affine, affine)
    same = ByArrayd("image", lambda image: image.numpy() + 1)
    assert torch.equal(same.inverse(same({"image": image}))["image"].as_tensor(), image.as_tensor() + 1)
