"""Overlays as drawn: outlines where the masks end, in two exact colours, in small files."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from search.worker.overlay_image import PREDICTION, SIDE, STRIP, TRUTH, axial, grey, overlay_png

if TYPE_CHECKING:
    from numpy.typing import NDArray

SMALL = 64
SCALE = SIDE // SMALL


def block(top: int, bottom: int, left: int, right: int) -> NDArray[np.bool_]:
    """A mask of 64 x 64 with a rectangle."""
    mask = np.zeros((SMALL, SMALL), dtype=bool)
    mask[top:bottom, left:right] = True
    return mask


def drawn(truth: NDArray[np.bool_], predicted: NDArray[np.bool_], aspect: float = 1.0) -> NDArray[np.uint8]:
    """The picture without its legend, shape (height, width, 3)."""
    image = np.full((SMALL, SMALL), 120, dtype=np.uint8)
    png = overlay_png(image, truth, predicted, aspect=aspect, dsc=0.5)
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB"))[:-STRIP]


def extent(picture: NDArray[np.uint8], colour: tuple[int, int, int]) -> tuple[int, int, int, int]:
    """First and last row, first and last column of a colour."""
    rows, columns = np.nonzero((picture == colour).all(axis=2))
    return rows.min(), rows.max() + 1, columns.min(), columns.max() + 1


def test_truth_is_outlined_from_outside_and_the_prediction_from_inside() -> None:
    """Where both agree, both outlines are seen: two pixels on either side of the border."""
    mask = block(16, 32, 8, 40)
    picture = drawn(mask, mask)
    inside = np.array([16, 32, 8, 40]) * SCALE
    assert extent(picture, PREDICTION) == tuple(inside)
    assert extent(picture, TRUTH) == tuple(inside + np.array([-2, 2, -2, 2]))


def test_a_prediction_that_fills_the_picture_is_seen() -> None:
    """Its rim runs along the edges; an empty one leaves no outline."""
    assert extent(drawn(block(16, 32, 8, 40), block(0, 64, 0, 64)), PREDICTION) == (0, SIDE, 0, SIDE)
    assert not (drawn(block(16, 32, 8, 40), block(0, 0, 0, 0)) == PREDICTION).all(axis=2).any()


@pytest.mark.parametrize(("aspect", "height", "width"), [(0.5, 128, 256), (2.0, 256, 128)])
def test_a_picture_has_the_proportions_that_a_person_would_see(aspect: float, height: int, width: int) -> None:
    """A square array of a wide or high picture is drawn wide or high, in a picture of 256 pixels in width."""
    picture = drawn(block(0, 0, 0, 0), block(0, 64, 0, 64), aspect)
    assert picture.shape == (height, SIDE, 3)
    top, bottom, left, right = extent(picture, PREDICTION)
    assert (bottom - top, right - left) == (height, width)


def test_a_picture_of_noise_in_colour_stays_small() -> None:
    """Under 80 kB whatever it shows: three for each of 200 cells are under 50 MB."""
    image = np.random.default_rng(0).integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8)
    assert len(overlay_png(image, np.eye(SIDE) > 0, np.eye(SIDE) > 0, aspect=1.0, dsc=0.5)) < 80_000


def test_an_axial_slice_is_seen_as_radiologists_see_it() -> None:
    """The front is above, the patient's right on the left; the volume is in RAS."""
    volume = np.zeros((4, 3, 2))
    volume[3, 2, 1] = 1.0  # right, front, up
    assert np.argwhere(axial(volume, 1)).tolist() == [[0, 0]]
    assert axial(volume, 1).shape == (3, 4)
    assert not axial(volume, 0).any()


def test_grey_values_span_what_a_slice_holds() -> None:
    """From black to white without the outermost percents; an even slice is no error."""
    values = grey(np.linspace(-3, 5, 1000).reshape(10, 100).astype(np.float16))
    assert (values.min(), values.max()) == (0, 255)
    assert not grey(np.ones((5, 5), dtype=np.float16)).any()
