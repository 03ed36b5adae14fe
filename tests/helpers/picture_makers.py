"""Small pictures with masks as the tests write them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

WIDTH, HEIGHT = 20, 14


def picture(seed: int = 0, *, height: int = HEIGHT, width: int = WIDTH) -> NDArray[np.uint8]:
    """A smooth picture of three channels."""
    y, x = np.mgrid[0:height, 0:width]
    return np.stack([10 * x, 10 * y, np.full_like(x, 40 + seed)], axis=-1).astype(np.uint8)


def left_half(value: int = 255, *, background: int = 0, height: int = HEIGHT, width: int = WIDTH) -> NDArray[np.uint8]:
    """A mask of one channel whose left half is foreground."""
    mask = np.full((height, width), background, dtype=np.uint8)
    mask[:, : width // 2] = value
    return mask


def save(path: Path, array: NDArray[np.uint8], **options: object) -> Path:
    """Write an array as an image of the format that the suffix says."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(array).save(path, **options)
    return path


def write_case(folder: Path, name: str, image: str = ".png", mask: str = ".png") -> None:
    """Write a case that is as it should be."""
    save(folder / "images" / f"{name}{image}", picture())
    save(folder / "masks" / f"{name}{mask}", left_half())


def good_folder(folder: Path, cases: int = 3) -> Path:
    """A folder with nothing wrong in it."""
    for index in range(cases):
        write_case(folder, f"good{index}")
    return folder
