"""What the network sees of a curve."""

from __future__ import annotations

import numpy as np
import pytest

from models.forecaster.curves import SeenCurves
from models.forecaster.lstm.encoding import BINS, encode


def test_an_encoding_tells_nothing_of_the_rest() -> None:
    """Another end of a curve leaves its encoding as it was."""
    x = np.arange(1.0, 31)
    y = np.stack([0.8 - 0.5 / x, 0.8 - 0.5 / x])
    y[1, 12:] = 0.0
    encoded = encode(SeenCurves(np.stack([x, x]), y, np.array([12, 12])))
    for values in (encoded.sequence, encoded.summary, encoded.level, encoded.scale, encoded.lines.slope):
        np.testing.assert_array_equal(values[0], values[1])


@pytest.mark.parametrize("points", [1, 2, 19, 20, 21, 200, 2000])
def test_bins_hold_every_point_once(points: int) -> None:
    """Whatever the length and the spacing, right-aligned and without a gap."""
    for x in (np.arange(1.0, points + 1), np.geomspace(1.0, 1e4, points)):
        encoded = encode(SeenCurves(x[None], np.full((1, points), 0.5), np.array([points])))
        count = encoded.bin_count[0]
        assert count.sum() == points
        assert (count[BINS - np.count_nonzero(count) :] > 0).all()
        assert encoded.bin_x[0, -1] <= x[-1]
