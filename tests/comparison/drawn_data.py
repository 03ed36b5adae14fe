"""Small data sets in every layout that dicecurve reads, drawn: the same files each time."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import nibabel
import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

SHAPE = (24, 20, 16)
MODALITIES = ("t1", "t1ce", "t2", "flair")
CASES = 20
VOLUMES = 14


def write_all(root: Path) -> None:
    """A folder a layout, and the CSV files and specs that go with them."""
    write_pictures(root / "folder")
    write_nnunet_2d(root / "nnunet_2d")
    write_volumes(root / "volumes")
    write_decathlon(root / "decathlon")
    write_brats(root / "brats")


def write_pictures(folder: Path) -> None:
    """Pairs of several sizes: a mask that is empty, one lost by resizing, two near-duplicates, groups in names."""
    for index in range(CASES):
        height, width = (64, 48) if index % 3 else (32, 80)
        name = f"p{index % 10}_{'ab'[index // 10]}.png"
        mask = disc(height, width, index) * np.uint8(255)
        if index in {3, 4}:
            mask[:] = 0
        if index == 4:
            mask[20, 20] = 255
        save_picture(folder / "images" / name, picture(0 if index == 9 else index, height, width))
        save_picture(folder / "masks" / name, mask)
    rows = [f"p{index % 10}_{'ab'[index // 10]},patient {index // 2}" for index in range(CASES)]
    (folder / "groups.csv").write_text("\n".join(["case,group", *rows]) + "\n")


def write_nnunet_2d(folder: Path) -> None:
    """Grey pictures with masks of two labels and a region."""
    for index in range(CASES):
        save_picture(folder / "imagesTr" / f"eye{index:02d}_0000.png", picture(index, 40, 40)[..., 0])
        mask = disc(40, 40, index)
        mask[:, 20:] *= 2
        save_picture(folder / "labelsTr" / f"eye{index:02d}.png", mask)
    labels = {"background": 0, "disc": [1, 2], "cup": 2}
    about = {"channel_names": {"0": "grey"}, "labels": labels, "numTraining": CASES, "file_ending": ".png"}
    write_json(folder, about)


def write_volumes(folder: Path) -> None:
    """Pairs of NIfTI files, half of them stored along other axes."""
    for index in range(VOLUMES):
        affine = np.diag([-1.0, -1.0, 1.0, 1.0]) if index % 2 else np.eye(4)
        save_volume(folder / "images" / f"case{index:02d}.nii.gz", scan(index), affine)
        save_volume(folder / "masks" / f"case{index:02d}.nii.gz", lesion(index, (1,)), affine)


def write_decathlon(folder: Path) -> None:
    """Two modalities along the last axis, of voxels that are no cubes, and three labels."""
    affine = np.diag([0.8, 0.8, 2.5, 1.0])
    for index in range(VOLUMES):
        both = np.stack([scan(index), scan(100 + index)], axis=-1)
        save_volume(folder / "imagesTr" / f"liver_{index:03d}.nii.gz", both, affine)
        save_volume(folder / "labelsTr" / f"liver_{index:03d}.nii.gz", lesion(index, (1, 2, 3)), affine)
    labels = {"0": "background", "1": "liver", "2": "cancer", "3": "vessel"}
    write_json(folder, {"modality": {"0": "CT", "1": "PET"}, "labels": labels, "numTraining": VOLUMES})


def write_brats(folder: Path) -> None:
    """A folder a case, four modalities."""
    for index in range(1, VOLUMES + 1):
        name = f"BraTS20_Training_{index:03d}"
        for number, modality in enumerate(MODALITIES):
            save_volume(folder / name / f"{name}_{modality}.nii.gz", scan(10 * index + number), np.eye(4))
        save_volume(folder / name / f"{name}_seg.nii.gz", lesion(index, (1, 2, 4)), np.eye(4))


def picture(seed: int, height: int, width: int) -> NDArray[np.uint8]:
    """Coarse noise in three colours."""
    coarse = np.random.default_rng(seed).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    return np.asarray(Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC))


def disc(height: int, width: int, seed: int) -> NDArray[np.uint8]:
    """Ones in a circle somewhere near the middle."""
    y, x = np.mgrid[0:height, 0:width]
    inside = (y - height / 2 - seed % 5) ** 2 + (x - width / 2 + seed % 7) ** 2 < (6 + seed % 4) ** 2
    return inside.astype(np.uint8)


def scan(seed: int) -> NDArray[np.int16]:
    """Noise over 100 in a box, 0 around it."""
    values = np.zeros(SHAPE, dtype=np.int16)
    inside = values[3:-3, 2:-2, 2:-1]
    inside[:] = 200 + np.random.default_rng(seed).integers(-50, 50, inside.shape)
    return values


def lesion(seed: int, labels: tuple[int, ...]) -> NDArray[np.uint8]:
    """A box a label, one above the other."""
    mask = np.zeros(SHAPE, dtype=np.uint8)
    left = 6 + seed % 4
    for index, label in enumerate(labels):
        mask[left : left + 7, 6:13, 3 + 3 * index : 6 + 3 * index] = label
    return mask


def save_picture(path: Path, values: NDArray[np.uint8]) -> None:
    """Write a PNG."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(values).save(path)


def save_volume(path: Path, values: NDArray[Any], affine: NDArray[np.float64]) -> None:
    """Write a NIfTI file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    nibabel.save(nibabel.Nifti1Image(values, affine), path)


def write_json(folder: Path, content: dict[str, Any]) -> None:
    """Write dataset.json."""
    (folder / "dataset.json").write_text(json.dumps(content))
