"""The forecaster of the stop rule and the policy: an LSTM fitted beforehand on drawn curves, with siblings beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from safetensors.torch import load_file

from models.forecaster.cleaning import clean
from models.forecaster.context import Curve, Siblings, gather
from models.forecaster.encoding import Encoded, SeenCurves, encode, horizon_features
from models.forecaster.forecast import Forecast, Quantiles
from models.forecaster.network import LEVELS, MEDIAN, ForecastNetwork
from models.forecaster.parametric import ParametricForecaster
from models.forecaster.siblings import tokens

if TYPE_CHECKING:
    from torch import Tensor

    from models.forecaster.forecast import Floats

WEIGHTS = Path(__file__).with_name("weights.safetensors")
LOW, HIGH = LEVELS.index(0.05), LEVELS.index(0.95)


def load(weights: Path = WEIGHTS) -> LstmForecaster:
    """The shipped forecaster, or one with other weights of the same shape."""
    network = ForecastNetwork()
    network.load_state_dict(load_file(weights))
    return LstmForecaster(network.eval())


@dataclass(frozen=True)
class LstmForecaster:
    """Forecasts by the network; by the parametric laws where a curve has no usable point."""

    network: ForecastNetwork

    def context(self, curves: Sequence[Curve]) -> Siblings | None:
        """Siblings (x, y) or (x, y, covariates), ready for many forecasts; None if none has a usable point."""
        return gather(curves)

    def forecast(self, x: Floats, y: Floats, at: Floats, siblings: Siblings | None = None) -> Forecast:
        """Forecast one curve."""
        return self.forecast_many([(x, y)], [at], siblings)[0]

    def forecast_many(
        self, curves: Sequence[tuple[Floats, Floats]], at: Sequence[Floats], siblings: Siblings | None = None
    ) -> list[Forecast]:
        """Forecast R curves, each at as many positions."""
        at = np.asarray(at, dtype=np.float64)
        seen = clean([c[0] for c in curves], [c[1] for c in curves])
        encoded = encode(SeenCurves(seen.x, seen.y, np.maximum(seen.count, 1)))
        quantiles = self._quantiles(encoded, at, siblings)
        return [_as_forecast(row) for row in quantiles]

    def _quantiles(self, encoded: Encoded, at: Floats, siblings: Siblings | None) -> Floats:
        rows, horizons = at.shape
        with torch.no_grad():
            state = self.network.state(_tensor(encoded.sequence), _tensor(encoded.summary))
            state = state.repeat_interleave(horizons, dim=0)
            horizon = _tensor(horizon_features(encoded, at)).flatten(0, 1)
            if siblings is None:
                compared = torch.zeros((rows * horizons, 0, 1))
            else:
                compared = _tensor(tokens(encoded, siblings.values(encoded, at), at)).flatten(0, 1)
            there = torch.ones(compared.shape[:2])
            units = self.network(state, horizon, compared, there).numpy().astype(np.float64)
        units = units.reshape(rows, horizons, 2, len(LEVELS))
        return encoded.level[:, None, None, None] + encoded.scale[:, None, None, None] * units


def _as_forecast(q: Floats) -> Forecast:
    q = np.clip(q, 0.0, 1.0)
    new, expected = q[:, 0], q[:, 1]
    mean = new[:, MEDIAN - 1 : MEDIAN + 2].mean(axis=1)
    return Forecast(mean, new[:, LOW], new[:, HIGH], expected[:, LOW], expected[:, HIGH], "lstm", Quantiles(np.array(LEVELS), expected))


def _tensor(values: Floats) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(values, dtype=np.float32))
