"""Small volumes as the tests write them, in the layouts that are read."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import nibabel
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import ArrayLike, NDArray

SHAPE = (24, 20, 16)
MODALITIES = ("t1", "t1ce", "t2", "flair")


def save(path: Path, values: ArrayLike, affine: ArrayLike | None = None) -> Path:
    """Write a NIfTI file; 1 mm in RAS unless an affine says otherwise."""
    path.parent.mkdir(parents=True, exist_ok=True)
    image = nibabel.Nifti1Image(np.asarray(values), np.eye(4) if affine is None else np.asarray(affine))
    nibabel.save(image, path)
    return path


def scan(seed: int = 0, shape: Sequence[int] = SHAPE) -> NDArray[np.int16]:
    """Smooth values over 100 in a box, 0 around it."""
    rng = np.random.default_rng(seed)
    values = np.zeros(shape, dtype=np.int16)
    inside = values[3:-3, 2:-2, 2:-1]
    inside[:] = 200 + rng.integers(-50, 50, inside.shape)
    return values


def lesion(shape: Sequence[int] = SHAPE, labels: Sequence[int] = (1,)) -> NDArray[np.uint8]:
    """A mask of one box a label, one above the other."""
    mask = np.zeros(shape, dtype=np.uint8)
    for index, label in enumerate(labels):
        mask[8:14, 6:12, 4 + 2 * index : 6 + 2 * index] = label
    return mask


def write_pairs(folder: Path, cases: int = 4) -> Path:
    """images/ and masks/ with nothing wrong in them."""
    for index in range(cases):
        save(folder / "images" / f"case{index}.nii.gz", scan(index))
        save(folder / "masks" / f"case{index}.nii.gz", lesion())
    return folder


def write_brats(folder: Path, cases: int = 3, shape: Sequence[int] = SHAPE, ending: str = ".nii.gz") -> Path:
    """BraTS 2020's layout: four modalities and labels 0, 1, 2, 4; its tables lie beside the cases."""
    for index in range(1, cases + 1):
        name = f"BraTS20_Training_{index:03d}"
        for number, modality in enumerate(MODALITIES):
            save(folder / name / f"{name}_{modality}{ending}", scan(10 * index + number, shape))
        save(folder / name / f"{name}_seg{ending}", lesion(shape, (1, 2, 4)))
    (folder / "name_mapping.csv").write_text("Grade\n")
    (folder / "survival_info.csv").write_text("Brats20ID\n")
    return folder


def write_dataset_json(folder: Path, **content: Any) -> None:
    """A dataset.json."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "dataset.json").write_text(json.dumps(content))
