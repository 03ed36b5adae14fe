"""Reads the cases of a dataset of pictures: image and mask of one size, and what is wrong with each."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image, UnidentifiedImageError

from storage.data.readers.labels import unknown_labels
from storage.data.source import BadCase, Source, fingerprint_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

    from storage.data.file_hashes import FileHashes
    from storage.data.readers.labels import Labels
    from storage.data.source import CaseFiles, Picture

SUFFIXES = (".jpg", ".jpeg", ".png", ".tif", ".tiff", ".bmp")
LOSSY = (".jpg", ".jpeg")
MODES = {1: "L", 3: "RGB"}  # Pillow's, by channels
FOREGROUND_ABOVE = 127
# JPEG smears a mask: black comes back as 0..8 in Kvasir-SEG. Values between this and 127 are labels we do not know.
BLACK_UP_TO = 16
DEEP_MODES = ("I", "F")  # Pillow would clip them at 255
GREY_MODES = ("1", "L", "LA")
LABEL_MODES = ("1", "L", "P", "I", "I;16", "I;16B", "I;16L")  # of one channel; a palette's numbers are labels


@dataclass(frozen=True)
class PictureListing:
    """What lies in a folder: the cases, what keeps other files from being one, and what the numbers mean.

    Attributes:
        folder: All paths lie in it.
        cases: Sorted by name, an image file each.
        problems: A line each.
        channels: Of every image, 1 or 3.
        labels: What the values of the masks mean; None: they are black and white.
    """

    folder: Path
    cases: tuple[CaseFiles, ...]
    problems: tuple[str, ...]
    channels: int
    labels: Labels | None


def picture_source(listing: PictureListing, file_hashes: FileHashes) -> Source[Picture]:
    """The cases of a listing."""
    parts = [(case.name, [file_hashes.of(path) for path in (*case.images, case.mask)]) for case in listing.cases]
    about = "" if listing.labels is None else repr((listing.channels, sorted(listing.labels.foreground)))
    return Source(
        fingerprint=fingerprint_of(parts, about),
        names=tuple(case.name for case in listing.cases),
        channels=listing.channels,
        read=lambda index: read_picture(listing, listing.cases[index]),
        problems=listing.problems,
        place=str(listing.folder),
    )


def read_picture(listing: PictureListing, files: CaseFiles) -> Picture:
    """Read image (H, W, channels) uint8 and mask (H, W) bool of a case.

    Raises:
        BadCase: It has to be mended.
    """
    image, mask = read_image(files.images[0], listing.channels), _foreground(listing, files.mask)
    if image.shape[:2] != mask.shape:
        raise BadCase(
            f"{files.mask.name}: mask is {mask.shape[1]}x{mask.shape[0]}, its image {image.shape[1]}x{image.shape[0]}"
        )
    return image, mask


def read_image(path: Path, channels: int) -> NDArray[np.uint8]:
    """An image of 1 (grey) or 3 channels (RGB), shape (H, W, channels); grey ones are read as RGB where that is due.

    Raises:
        BadCase: It cannot be read, has colours where grey is due, or more than 8 bits.
    """

    def take(image: Image.Image) -> NDArray[np.uint8]:
        pixels = _eight_bits(image, MODES[channels], path)
        if channels == 1 and image.mode not in GREY_MODES:
            raise BadCase(f"{path.name}: colours (mode {image.mode}) where one grey channel is due; convert it")
        return pixels

    pixels = _opened(path, take)
    return pixels if channels > 1 else pixels[..., None]


def read_black_and_white(path: Path) -> NDArray[np.bool_]:
    """A mask of two values, shape (H, W): white is foreground, in a lossless file 1 too.

    Raises:
        BadCase: It cannot be read, or holds what is neither.
    """
    values = _opened(path, lambda image: _eight_bits(image, "L", path))
    highest = int(values.max())
    if path.suffix.lower() not in LOSSY and highest <= 1:
        return values > 0
    if BLACK_UP_TO < highest <= FOREGROUND_ABOVE:
        raise BadCase(
            f"{path.name}: highest mask value is {highest}; foreground must be above {FOREGROUND_ABOVE} (or 1 in a "
            "lossless file), or name its labels in foreground ([data])"
        )
    return values > FOREGROUND_ABOVE


def read_labels(path: Path) -> NDArray[np.uint16]:
    """A mask of labels, shape (H, W).

    Raises:
        BadCase: It cannot be read, is lossy, or has colours.
    """
    if path.suffix.lower() in LOSSY:
        raise BadCase(f"{path.name}: JPEG changes labels; bring a lossless file, such as PNG")
    return _opened(path, lambda image: _labels(image, path))


def _foreground(listing: PictureListing, path: Path) -> NDArray[np.bool_]:
    if listing.labels is None:
        return read_black_and_white(path)
    values = read_labels(path)
    if unknown := unknown_labels(values, listing.labels):
        raise BadCase(f"{path.name}: {unknown}")
    return listing.labels.is_foreground(values)


def _labels(image: Image.Image, path: Path) -> NDArray[np.uint16]:
    values = np.asarray(image)
    if image.mode == "RGB" and (values == values[..., :1]).all():  # grey, saved as RGB
        return values[..., 0].astype(np.uint16)
    if image.mode not in LABEL_MODES:
        raise BadCase(f"{path.name}: labels must be in one channel of whole numbers, got mode {image.mode}; convert it")
    highest = np.iinfo(np.uint16).max
    if values.min() < 0 or values.max() > highest:
        raise BadCase(f"{path.name}: labels must be 0..{highest}, got {values.min()} to {values.max()}")
    return values.astype(np.uint16)


def _eight_bits(image: Image.Image, mode: str, path: Path) -> NDArray[np.uint8]:
    if image.mode.startswith(DEEP_MODES):
        raise BadCase(f"{path.name}: pixels of more than 8 bits (mode {image.mode}); convert it to 8 bits")
    return np.asarray(image.convert(mode))


def _opened(path: Path, take: Callable[[Image.Image], NDArray[Any]]) -> NDArray[Any]:
    if path.stat().st_size == 0:
        raise BadCase(f"{path.name}: empty file in {path.parent.name}/")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # a truncated file warns before it fails
            with Image.open(path) as image:
                return take(image)
    except (UnidentifiedImageError, Image.DecompressionBombError, OSError, SyntaxError, ValueError, Warning) as error:
        reason = str(error).partition("\n")[0]
        raise BadCase(f"{path.name}: unreadable image in {path.parent.name}/ ({reason})") from None
