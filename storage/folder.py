"""Reads a folder with `images/` and `masks/` as Kvasir-SEG ships them, and names everything that is wrong with it."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, UnidentifiedImageError

from storage.errors import DataError
from storage.sources import BadCase, Source, fingerprint_of, raise_problems

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from storage.digests import Digests
    from storage.sources import Picture

SUFFIXES = (".jpg", ".jpeg", ".png", ".tif", ".tiff", ".bmp")
FOREGROUND_ABOVE = 127
# JPEG smears a mask: black comes back as 0..8 in Kvasir-SEG. Values between this and 127 are labels we do not know.
BLACK_UP_TO = 16
CHANNELS = 3  # images are read as RGB
DEEP_MODES = ("I", "F")  # Pillow would clip them at 255


@dataclass(frozen=True)
class ImageFile:
    """One case: a name, its image and its mask."""

    name: str
    image: Path
    mask: Path


@dataclass(frozen=True)
class Listing:
    """What lies in a folder: the pairs, and what keeps other files from being one."""

    folder: Path
    pairs: tuple[ImageFile, ...]
    problems: tuple[str, ...]


def folder_source(folder: Path, digests: Digests) -> Source[Picture]:
    """The cases of a folder.

    Raises:
        DataError: A folder is missing, or no pair is in it.
    """
    listing = list_folder(folder)
    parts = ((pair.name, [digests.of(pair.image), digests.of(pair.mask)]) for pair in listing.pairs)
    return Source(
        fingerprint=fingerprint_of(parts),
        names=tuple(pair.name for pair in listing.pairs),
        channels=CHANNELS,
        read=lambda index: read_picture(listing.pairs[index]),
        problems=listing.problems,
        place=str(folder),
    )


def list_folder(folder: Path) -> Listing:
    """Pair images with masks by file name without suffix, sorted by name.

    Raises:
        DataError: A folder is missing, or no pair is in it.
    """
    images, image_problems = _by_stem(folder, "images")
    masks, mask_problems = _by_stem(folder, "masks")
    problems = [
        *image_problems,
        *mask_problems,
        *(f"{path.name}: image without mask" for name, path in images.items() if name not in masks),
        *(f"{path.name}: mask without image" for name, path in masks.items() if name not in images),
    ]
    pairs = tuple(ImageFile(name, images[name], masks[name]) for name in sorted(images.keys() & masks.keys()))
    if not pairs:
        raise_problems(problems, str(folder))
        raise DataError(f"no images in {folder / 'images'}; expected files such as NAME.jpg ({', '.join(SUFFIXES)})")
    return Listing(folder, pairs, tuple(problems))


def read_picture(pair: ImageFile) -> Picture:
    """Read image (H, W, 3) uint8 and mask (H, W) bool of a pair.

    Raises:
        BadCase: It has to be mended.
    """
    image, mask = _pixels(pair.image, "RGB"), _foreground(pair.mask)
    if image.shape[:2] != mask.shape:
        raise BadCase(
            f"{pair.mask.name}: mask is {mask.shape[1]}x{mask.shape[0]}, its image {image.shape[1]}x{image.shape[0]}"
        )
    return image, mask


def _by_stem(folder: Path, kind: str) -> tuple[dict[str, Path], list[str]]:
    if not (folder / kind).is_dir():
        raise DataError(f"no folder {kind}/ in {folder}; expected images/ and masks/ (--data, [data] path)")
    files = sorted(p for p in (folder / kind).iterdir() if p.suffix.lower() in SUFFIXES and p.is_file())
    by_stem = {p.stem: p for p in files}
    return by_stem, [f"{p.name}: another file in {kind}/ has the same name" for p in files if by_stem[p.stem] != p]


def _pixels(path: Path, mode: str) -> NDArray[np.uint8]:
    if path.stat().st_size == 0:
        raise BadCase(f"{path.name}: empty file in {path.parent.name}/")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # a truncated file warns before it fails
            with Image.open(path) as image:
                if image.mode.startswith(DEEP_MODES):
                    raise BadCase(f"{path.name}: pixels of more than 8 bits (mode {image.mode}); convert it to 8 bits")
                return np.asarray(image.convert(mode))
    except (UnidentifiedImageError, Image.DecompressionBombError, OSError, SyntaxError, ValueError, Warning) as error:
        reason = str(error).partition("\n")[0]
        raise BadCase(f"{path.name}: unreadable image in {path.parent.name}/ ({reason})") from None


def _foreground(path: Path) -> NDArray[np.bool_]:
    values = _pixels(path, "L")
    highest = int(values.max())
    lossless = path.suffix.lower() not in {".jpg", ".jpeg"}
    if lossless and highest <= 1:
        return values > 0
    if BLACK_UP_TO < highest <= FOREGROUND_ABOVE:
        raise BadCase(
            f"{path.name}: highest mask value is {highest}; foreground must be above {FOREGROUND_ABOVE} (or 1 in a "
            "lossless file)"
        )
    return values > FOREGROUND_ABOVE
