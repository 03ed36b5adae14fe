"""Draws an overlay: an image with its truth outlined from outside in blue, and the prediction from inside in yellow.

Blue and yellow are told apart by the colour-blind (Okabe and Ito 2008), and the sides of the outline without colour.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, TypeVar

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Pixels = NDArray[np.uint8]
    Mask = NDArray[np.bool_]

_Value = TypeVar("_Value", bound=np.generic)
SIDE = 256  # pixels of the picture's longer side
STRIP = 22  # pixels of the legend below it
WIDTH = 2  # pixels of an outline
COLOURS = 96  # of the image; an optimised palette makes the file a third as large
TRUTH, PREDICTION = (86, 180, 233), (240, 228, 66)
DARK, LIGHT = (24, 24, 24), (235, 235, 235)


def overlay_png(image: Pixels, truth: Mask, predicted: Mask, *, aspect: float, dsc: float) -> bytes:
    """A PNG of 256 pixels in width, with a legend.

    Args:
        image: Shape (height, width), or (height, width, 3) in colour.
        truth: Shape (height, width).
        predicted: Likewise.
        aspect: Height by width as a person would see it; pixels need not be square.
        dsc: Of the case, for the legend.
    """
    width, height = round(SIDE / max(1, aspect)), round(SIDE * min(1, aspect))
    canvas = Image.new("RGB", (SIDE, height + STRIP), DARK)
    left = (SIDE - width) // 2
    canvas.paste(Image.fromarray(image).convert("RGB").resize((width, height), Image.Resampling.BICUBIC), (left, 0))
    _write_legend(canvas, height, dsc)
    outside, inside = np.zeros((2, height + STRIP, SIDE), dtype=bool)
    outside[:height, left : left + width] = _outside(_resized(truth, width, height))
    inside[:height, left : left + width] = _inside(_resized(predicted, width, height))
    middle = height + STRIP // 2
    outside[middle : middle + WIDTH, 6:22] = inside[middle : middle + WIDTH, 62:78] = True
    return _encoded(canvas, outside, inside)


def grey(slice_: NDArray[np.floating]) -> Pixels:
    """A slice of a volume as grey values, its 1st percentile black and its 99th white."""
    values = slice_.astype(np.float32)
    low, high = np.percentile(values, (1, 99))
    scaled = np.clip((values - low) / max(high - low, np.finfo(np.float32).tiny), 0, 1)
    return np.asarray(255 * scaled, dtype=np.uint8)


def axial(volume: NDArray[_Value], z: int) -> NDArray[_Value]:
    """A slice of a volume (X, Y, Z) in RAS as radiologists look at it: front above, the patient's right on the left."""
    return np.ascontiguousarray(volume[:, :, z].T[::-1, ::-1])


def _write_legend(canvas: Image.Image, top: int, dsc: float) -> None:
    pen, font = ImageDraw.Draw(canvas), ImageFont.load_default(11)
    for x, text in ((26, "truth"), (82, "prediction")):
        pen.text((x, top + STRIP / 2 + 1), text, LIGHT, font, anchor="lm")
    pen.text((SIDE - 6, top + STRIP / 2 + 1), f"DSC {dsc:.3f}", LIGHT, font, anchor="rm")


def _resized(mask: Mask, width: int, height: int) -> Image.Image:
    soft = Image.fromarray(255 * mask.astype(np.uint8)).resize((width, height), Image.Resampling.BILINEAR)
    return soft.point([0] * 128 + [255] * 128)


def _outside(mask: Image.Image) -> Mask:
    return np.asarray(mask.filter(ImageFilter.MaxFilter(2 * WIDTH + 1))) > np.asarray(mask)


def _inside(mask: Image.Image) -> Mask:
    """The inner rim, at the edges of the picture too."""
    # A filter takes what lies beyond an edge for more of the same, and a mask that fills the picture would have no rim.
    framed = Image.new("L", (mask.width + 2 * WIDTH, mask.height + 2 * WIDTH))
    framed.paste(mask, (WIDTH, WIDTH))
    core = np.asarray(framed.filter(ImageFilter.MinFilter(2 * WIDTH + 1)))[WIDTH:-WIDTH, WIDTH:-WIDTH]
    return np.asarray(mask) > core


def _encoded(canvas: Image.Image, outside: Mask, inside: Mask) -> bytes:
    small = canvas.quantize(COLOURS, dither=Image.Dither.NONE)
    colours = (small.getpalette() or [])[: 3 * COLOURS]
    palette = colours + [0] * (3 * COLOURS - len(colours)) + [*TRUTH, *PREDICTION]
    indices = np.where(inside, COLOURS + 1, np.where(outside, COLOURS, np.asarray(small))).astype(np.uint8)
    drawn = Image.fromarray(indices, mode="P")
    drawn.putpalette(palette)
    content = io.BytesIO()
    drawn.save(content, "PNG", optimize=True)
    return content.getvalue()
