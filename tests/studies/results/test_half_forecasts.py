"""Data curves forecast from their first half."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from studies.report.figures.half_forecasts import forecast_figure
from studies.report.figures.theme import hue
from studies.results.half_forecasts import MANY_CELLS, half_forecaster, half_forecasts
from tests.helpers.measured_surface import NUM_TRAIN, RATIOS, cell, surface


def test_measured_and_forecast_stand_side_by_side() -> None:
    """Sizes of up to half are seen; of the others there are a forecast with its interval, and a straight line."""
    forecasts = half_forecasts(surface(), NUM_TRAIN)
    assert [(half.depth, half.seen, len(half.linear)) for half in forecasts] == [(2, 4, 2), (3, 4, 2), (4, 4, 2)]
    for half in forecasts:
        assert (half.forecast.lower <= half.forecast.mean).all()
        assert (half.forecast.mean <= half.forecast.upper).all()
        slope, level = np.polyfit(half.num_cases[:4], half.measured[:4], 1)
        assert np.allclose(half.linear, level + slope * half.num_cases[4:])
        assert half.errors.mean() < half.linear_errors.mean()


def test_nothing_beyond_half_is_seen() -> None:
    """Other values beyond half, of any depth, change no forecast."""
    half = NUM_TRAIN / 2
    changed = [replace(cell, test=cell.test / 2) if cell.num_cases > half else cell for cell in surface()]
    for one, other in zip(half_forecasts(surface(), NUM_TRAIN), half_forecasts(changed, NUM_TRAIN), strict=True):
        assert np.array_equal(one.forecast.mean, other.forecast.mean)


def test_too_little_gives_none() -> None:
    """Two sizes up to half and one beyond; flagged runs do not count."""
    assert half_forecasts([], NUM_TRAIN) == ()
    assert half_forecasts([cell(4, ratio) for ratio in RATIOS[:4]], NUM_TRAIN) == ()
    assert half_forecasts([cell(4, ratio, flag="collapsed") for ratio in RATIOS], NUM_TRAIN) == ()


def test_a_process_beside_forecasts_the_same() -> None:
    """The report of a large study forecasts in another process, and no other values."""
    with half_forecaster(MANY_CELLS) as beside, half_forecaster(MANY_CELLS - 1) as here:
        assert here is half_forecasts
        for one, other in zip(beside(surface(), NUM_TRAIN), here(surface(), NUM_TRAIN), strict=True):
            assert (one.depth, one.seen) == (other.depth, other.seen)
            assert np.array_equal(one.forecast.mean, other.forecast.mean)
            assert np.array_equal(one.linear, other.linear)


def test_a_depth_has_one_colour_in_the_whole_report() -> None:
    """Where only some depths can be forecast, they keep the colours that they have among all of them."""
    deeper = [forecast for forecast in half_forecasts(surface(), NUM_TRAIN) if forecast.depth != 2]
    figure = forecast_figure(deeper, depths=[2, 3, 4])
    assert figure is not None
    measured = [trace.marker.color for trace in figure.figure.data if trace.name == "measured"]
    assert measured == [hue(3, [2, 3, 4]), hue(4, [2, 3, 4])]
