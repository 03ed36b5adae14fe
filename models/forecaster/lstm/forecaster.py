"""The forecaster of stop rule and policy: an LSTM fitted beforehand on drawn curves, with siblings beside it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from safetensors.torch import load_file

from models.forecaster.baselines.parametric import ParametricForecaster
from models.forecaster.curves import SeenCurves, clean, smooth
from models.forecaster.forecast import Forecast, Quantiles
from models.forecaster.lstm.encoding import Encoded, encode, horizon_features
from models.forecaster.lstm.interval_widths import widened
from models.forecaster.lstm.network import KINDS, LEVELS, MEDIAN, ForecastNetwork, as_tensor
from models.forecaster.lstm.sibling_features import TOKEN_FEATURES, sibling_values, tokens
from models.forecaster.siblings import Sibling, Siblings, gather
from models.threads import one_torch_thread

if TYPE_CHECKING:
    from collections.abc import Sequence

    from models.forecaster.curves import Curve, Floats

WEIGHTS = Path(__file__).with_name("weights.safetensors")
LOW, HIGH = LEVELS.index(0.05), LEVELS.index(0.95)
CENTRE = slice(MEDIAN - 1, MEDIAN + 2)  # their mean is what is given as the mean: tails of rare collapses stay out
FALLBACK_HALF_WIDTH = 0.25
BATCH = 1000


def load(weights: Path = WEIGHTS) -> LstmForecaster:
    """The shipped forecaster, or one with other weights of the same shapes."""
    network = ForecastNetwork()
    network.load_state_dict(load_file(weights))
    return LstmForecaster(network.eval().requires_grad_(requires_grad=False))


@dataclass(frozen=True)
class LstmForecaster:
    """Quantiles by the network; the parametric laws where a curve has no usable point.

    Attributes:
        network: Fitted, in evaluation mode.
    """

    network: ForecastNetwork

    def context(self, curves: Sequence[Curve | Sibling]) -> Siblings | None:
        """Siblings ready for many forecasts; None if none has a usable point.

        Args:
            curves: (x, y) or (x, y, covariates) of other curves of the same study, finished or partial; x and y of
                shape (P,), covariates of shape (C,), alike for all, such as depth, log parameters and log cases. A
                curve that is to be gathered again and again may come as ``make_ready`` returned it.

        Returns:
            At most the 64 nearest count: ``context.near(covariates)`` chooses them for one curve; without it they are
            taken evenly.
        """
        return gather(curves)

    def forecast(self, x: Floats, y: Floats, at: Floats, siblings: Siblings | None = None) -> Forecast:
        """Forecast the curve through (x, y), both of shape (T,), at positions ``at`` of shape (H,).

        Points that are not finite, or at positions outside 1e-6..1e12, are left out; values are held within [0, 1].
        A position not beyond the last point gets the smoothed measured value. ``method`` is "lstm", "lstm, N
        siblings", or "parametric (...), no usable point" with an interval as wide as the ignorance.

        Raises:
            ValueError: If x and y differ in shape, or a position asked for is not finite and positive.
        """
        return self.forecast_many([(x, y)], np.atleast_1d(at)[None], siblings)[0]

    def forecast_many(
        self, curves: Sequence[tuple[Floats, Floats]], at: Floats | Sequence[Floats], siblings: Siblings | None = None
    ) -> list[Forecast]:
        """Forecast R curves at once, each at H positions: ``at`` has shape (R, H). See ``forecast``."""
        asked = np.asarray(at, dtype=np.float64)
        if asked.shape[:1] != (len(curves),) or not (np.isfinite(asked) & (asked > 0)).all():
            raise ValueError(f"positions must be finite, positive and of shape ({len(curves)}, H), got {asked}")
        done: list[Forecast] = []
        for start in range(0, len(curves), BATCH):
            some = slice(start, start + BATCH)
            done.extend(self._batch(curves[some], asked[some], siblings))
        return done

    def _batch(self, curves: Sequence[tuple[Floats, Floats]], at: Floats, siblings: Siblings | None) -> list[Forecast]:
        x = [np.asarray(curve[0], dtype=np.float64) for curve in curves]
        y = [np.asarray(curve[1], dtype=np.float64) for curve in curves]
        seen = clean(x, y)
        encoded = encode(SeenCurves(seen.x, seen.y, np.maximum(seen.count, 1)))
        quantiles = self._quantiles(encoded, at, siblings)
        usable = (seen.count > 0) & np.isfinite(quantiles).all(axis=(1, 2, 3))
        others = 0 if siblings is None else len(siblings.chosen)
        method = f"lstm, {others} sibling{'s' * (others > 1)}" if others else "lstm"
        forecasts = _as_forecasts(quantiles, method)
        for i in np.flatnonzero((at <= encoded.last_x[:, None]).any(axis=1) & usable):
            n = seen.count[i]
            forecasts[i] = _with_measured(forecasts[i], seen.x[i, :n], seen.y[i, :n], at[i])
        for i in np.flatnonzero(~usable):
            forecasts[i] = _fallback(x[i], y[i], at[i])
        return forecasts

    def _quantiles(self, encoded: Encoded, at: Floats, siblings: Siblings | None) -> Floats:
        """Quantiles of values, shape (R, H, KINDS, len(LEVELS))."""
        rows, horizons = at.shape
        with one_torch_thread(), torch.inference_mode():
            state = self.network.state(as_tensor(encoded.sequence), as_tensor(encoded.summary))
            state = state.repeat_interleave(horizons, dim=0)
            horizon = as_tensor(horizon_features(encoded, at)).flatten(0, 1)
            if siblings is None:
                compared = torch.zeros((rows * horizons, 0, TOKEN_FEATURES))
            else:
                compared = as_tensor(tokens(encoded, sibling_values(siblings, encoded, at), at)).flatten(0, 1)
            units = self.network(state, horizon, compared, torch.ones(compared.shape[:2]))
        gains = units.numpy().astype(np.float64).reshape(rows, horizons, KINDS, len(LEVELS))
        far = np.log(np.maximum(at / encoded.last_x[:, None], 1.0))
        gains = widened(gains, far, encoded.even, siblings=siblings is not None)
        values = encoded.level[:, None, None, None] + encoded.scale[:, None, None, None] * gains
        return np.clip(values, 0.0, 1.0)


def _as_forecasts(quantiles: Floats, method: str) -> list[Forecast]:
    """From quantiles of shape (R, H, KINDS, len(LEVELS))."""
    new, expected = quantiles[:, :, 0], quantiles[:, :, 1]
    mean = new[..., CENTRE].mean(axis=-1)
    levels = np.array(LEVELS)
    columns = (mean, new[..., LOW], new[..., HIGH], expected[..., LOW], expected[..., HIGH], expected)
    return [
        Forecast(mean, lower, upper, mean_lower, mean_upper, method, Quantiles(levels, row))
        for mean, lower, upper, mean_lower, mean_upper, row in zip(*columns, strict=True)
    ]


def _with_measured(forecast: Forecast, x: Floats, y: Floats, at: Floats) -> Forecast:
    """The forecast, but what was measured where ``at`` is not beyond the last point."""
    smoothed = smooth(y)
    noise = max(float((y - smoothed).std()), 0.005)
    value = np.interp(at, x, smoothed)[:, None]
    spread = np.array([0.0, -1.645, 1.645, -0.95, 0.95]) * noise  # the mean of about three values errs by 1/sqrt(3)
    measured = np.clip(value + spread, 0.0, 1.0).T
    past = at <= x[-1]
    ours = np.stack([forecast.mean, forecast.lower, forecast.upper, forecast.mean_lower, forecast.mean_upper])
    mean, lower, upper, mean_lower, mean_upper = np.where(past, measured, ours)
    quantiles = forecast.quantiles
    assert quantiles is not None
    flat = np.where(past[:, None], value, quantiles.values)
    return Forecast(mean, lower, upper, mean_lower, mean_upper, forecast.method, Quantiles(quantiles.levels, flat))


def _fallback(x: Floats, y: Floats, at: Floats) -> Forecast:
    """By the parametric laws, and at least as wide as FALLBACK_HALF_WIDTH on both sides."""
    plain = ParametricForecaster().forecast(x, y, at)
    lower = np.clip(np.minimum(plain.lower, plain.mean - FALLBACK_HALF_WIDTH), 0.0, 1.0)
    upper = np.clip(np.maximum(plain.upper, plain.mean + FALLBACK_HALF_WIDTH), 0.0, 1.0)
    return Forecast(plain.mean, lower, upper, lower, upper, f"parametric ({plain.method}), no usable point")
