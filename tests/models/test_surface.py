"""Configurations that were never trained: between depths, beyond all cases, and how sure the forecast is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from models.forecaster.surface import PerformanceSurface

PARAMETERS = np.array([1e5, 4e5, 1.6e6, 6.5e6])
CASES = np.array([40.0, 80.0, 160.0, 320.0, 640.0])
SURFACE = Path(__file__).parents[1] / "data" / "kvasir64_4x4.csv"


def truth(cases: np.ndarray, parameters: np.ndarray) -> np.ndarray:
    """Larger networks need more cases, and end higher."""
    size = np.log(parameters / 1e5)
    return 0.8 + 0.02 * size - (0.2 + 0.03 * size) * (cases / 40) ** -0.6


def drawn(seed: int = 0, *, depths: tuple[int, ...] = (0, 1, 2, 3)) -> PerformanceSurface:
    """A measured grid."""
    cases, parameters = (grid.ravel() for grid in np.meshgrid(CASES, PARAMETERS[list(depths)]))
    noise = 0.01 * np.random.default_rng(seed).standard_normal(len(cases))
    return PerformanceSurface(cases, parameters, truth(cases, parameters) + noise)


def test_a_depth_between_the_trained_ones_is_known() -> None:
    """Depths 1, 2 and 4 say what depth 3 does."""
    forecast = drawn(depths=(0, 1, 3)).forecast(CASES, np.full(5, PARAMETERS[2]))
    np.testing.assert_allclose(forecast.mean, truth(CASES, np.full(5, PARAMETERS[2])), atol=0.02)


def test_more_cases_than_there_are_bring_more_with_less_certainty() -> None:
    """What would 500 more cases bring? More, and the interval opens."""
    forecast = drawn().forecast(np.array([640.0, 1280.0, 5000.0]), np.full(3, PARAMETERS[1]))
    assert (np.diff(forecast.mean) > 0).all()
    assert (np.diff(forecast.mean_upper - forecast.mean_lower) > 0).all()
    assert (forecast.upper - forecast.lower > forecast.mean_upper - forecast.mean_lower).all()


def test_intervals_cover_what_was_not_trained() -> None:
    """Nine in ten, or so, of new runs at twice the cases lie within."""
    rng, hits = np.random.default_rng(1), []
    for seed in range(40):
        forecast = drawn(seed).forecast(np.full(4, 1280.0), PARAMETERS)
        new = truth(np.full(4, 1280.0), PARAMETERS) + 0.01 * rng.standard_normal(4)
        hits.extend((forecast.lower <= new) & (new <= forecast.upper))
    assert 0.84 <= np.mean(hits) <= 1.0


def test_the_recorded_surface_is_forecast_cell_by_cell() -> None:
    """Each real cell from the fifteen others: closer than their mean, and mostly within the interval."""
    table = pd.read_csv(SURFACE)
    ends = table[table["evaluation"] == table["evaluation"].max()]
    parameters = ends["depth"].map(dict(zip((3, 4, 5, 6), PARAMETERS, strict=True))).to_numpy(float)
    cases, dsc = ends["cases"].to_numpy(float), ends["val_dsc"].to_numpy(float)
    errors, hits = [], []
    for i in range(len(dsc)):
        others = np.arange(len(dsc)) != i
        forecast = PerformanceSurface(cases[others], parameters[others], dsc[others]).forecast(
            cases[[i]], parameters[[i]]
        )
        errors.append(abs(forecast.mean[0] - dsc[i]))
        hits.append(forecast.lower[0] <= dsc[i] <= forecast.upper[0])
    assert np.mean(errors) < np.abs(dsc - dsc.mean()).mean() / 2
    assert np.mean(hits) >= 0.75


def test_a_single_cell_is_enough_to_say_how_little_is_known() -> None:
    """One measurement: a wide interval elsewhere."""
    forecast = PerformanceSurface(np.array([100.0]), np.array([1e6]), np.array([0.6])).forecast(
        np.array([100.0, 1000.0]), np.array([1e6, 1e6])
    )
    assert forecast.mean[0] == pytest.approx(0.6, abs=0.05)
    assert forecast.upper[1] - forecast.lower[1] > 0.15


def test_what_cannot_be_fitted_is_refused() -> None:
    """Shapes and signs."""
    with pytest.raises(ValueError, match="one shape"):
        PerformanceSurface(np.ones(2), np.ones(3), np.ones(2))
    with pytest.raises(ValueError, match="positive"):
        PerformanceSurface(np.zeros(2), np.ones(2), np.ones(2))
