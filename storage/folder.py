"""Reads a folder with `images/` and `masks/` as Kvasir-SEG ships them, and names everything that is wrong with it."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, UnidentifiedImageError

from storage.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

SUFFIXES = (".jpg", ".jpeg", ".png", ".tif", ".tiff", ".bmp")
FOREGROUND_ABOVE = 127
# JPEG smears a mask: black comes back as 0..8 in Kvasir-SEG. Values between this and 127 are labels we do not know.
BLACK_UP_TO = 16
MOST_NAMED = 10


@dataclass(frozen=True)
class ImageFile:
    """One case: a name, its image and its mask."""

    name: str
    image: Path
    mask: Path


def find_pairs(folder: Path) -> list[ImageFile]:
    """Pair images with masks by file name without suffix, sorted by name.

    Raises:
        DataError: A folder is missing or empty, an image lacks its mask, a mask its image, or two share a name.
    """
    images, masks = _by_stem(folder, "images"), _by_stem(folder, "masks")
    problems = [f"{path.name}: image without mask" for name, path in images.items() if name not in masks]
    problems += [f"{path.name}: mask without image" for name, path in masks.items() if name not in images]
    _raise(problems, folder)
    if not images:
        raise DataError(f"no images in {folder / 'images'}; expected files such as NAME.jpg ({', '.join(SUFFIXES)})")
    return [ImageFile(name, images[name], masks[name]) for name in sorted(images)]


def read_cases(pairs: list[ImageFile]) -> Iterator[tuple[str, NDArray[np.uint8], NDArray[np.bool_]]]:
    """Yield (name, image (H, W, 3) uint8, mask (H, W) bool) for every pair.

    Raises:
        DataError: After the last pair, naming every file that is unreadable, empty or of another size than its mask.
    """
    problems: list[str] = []
    for pair in pairs:
        try:
            image = np.asarray(_open(pair.image).convert("RGB"))
            mask = _foreground(pair.mask)
            if image.shape[:2] != mask.shape:
                raise DataError(  # noqa: TRY301 - one place collects what is wrong with a case
                    f"{pair.mask.name}: mask is {mask.shape[1]}x{mask.shape[0]}, "
                    f"its image {image.shape[1]}x{image.shape[0]}"
                )
        except DataError as error:
            problems.append(str(error))
            continue
        yield pair.name, image, mask
    _raise(problems, pairs[0].image.parent.parent)


def _by_stem(folder: Path, kind: str) -> dict[str, Path]:
    if not (folder / kind).is_dir():
        raise DataError(f"no folder {kind}/ in {folder}; expected images/ and masks/ (--data, [data] path)")
    files = sorted(p for p in (folder / kind).iterdir() if p.suffix.lower() in SUFFIXES and p.is_file())
    by_stem = {p.stem: p for p in files}
    _raise([f"{p.name}: another file in {kind}/ has the same name" for p in files if by_stem[p.stem] != p], folder)
    return by_stem


def _open(path: Path) -> Image.Image:
    if path.stat().st_size == 0:
        raise DataError(f"{path.name}: empty file in {path.parent.name}/")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # a truncated file or a decompression bomb warns before it fails
            image = Image.open(path)
            image.load()
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, Warning) as error:
        raise DataError(
            f"{path.name}: unreadable image in {path.parent.name}/ ({str(error).splitlines()[0]})"
        ) from None
    return image


def _foreground(path: Path) -> NDArray[np.bool_]:
    values = np.asarray(_open(path).convert("L"))
    highest = int(values.max())
    lossless = path.suffix.lower() not in {".jpg", ".jpeg"}
    if lossless and highest <= 1:
        return values > 0
    if BLACK_UP_TO < highest <= FOREGROUND_ABOVE:
        raise DataError(
            f"{path.name}: highest mask value is {highest}; foreground must be above {FOREGROUND_ABOVE} (or 1 in a "
            "lossless file)"
        )
    return values > FOREGROUND_ABOVE


def _raise(problems: list[str], folder: Path) -> None:
    if not problems:
        return
    more = [f"... and {len(problems) - MOST_NAMED} more"] if len(problems) > MOST_NAMED else []
    listed = "\n  ".join(problems[:MOST_NAMED] + more)
    raise DataError(f"{len(problems)} file(s) in {folder} need mending or removing:\n  {listed}")
