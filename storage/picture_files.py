"""Reads one file of pixels, an image or a mask, or says what is wrong with it."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image, UnidentifiedImageError

from storage.sources import BadCase

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

SUFFIXES = (".jpg", ".jpeg", ".png", ".tif", ".tiff", ".bmp")
LOSSY = (".jpg", ".jpeg")
MODES = {1: "L", 3: "RGB"}  # Pillow's, by channels
FOREGROUND_ABOVE = 127
# JPEG smears a mask: black comes back as 0..8 in Kvasir-SEG. Values between this and 127 are labels we do not know.
BLACK_UP_TO = 16
DEEP_MODES = ("I", "F")  # Pillow would clip them at 255
GREY_MODES = ("1", "L", "LA")
LABEL_MODES = ("1", "L", "P", "I", "I;16", "I;16B", "I;16L")  # of one channel; a palette's numbers are labels


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
