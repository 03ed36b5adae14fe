"""The plain forecaster: a power law and an exponential law through a training curve, averaged by how well they fit.

A training curve may creep like a - b·x^(-c), or saturate like a - b·exp(-c·x): pow3 and exp3 of Viering and Loog (2021,
arXiv:2103.10948). Fitted to a saturated curve the power law keeps rising, and fitted to a creeping one the exponential
law stops too soon, hence both, weighted by their likelihoods as in Burnham and Anderson (2002).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from models.forecaster.baselines.lines import fit_rising_lines
from models.forecaster.baselines.power_law import FIT_PARAMETERS, NORMAL_90, fit_power_laws
from models.forecaster.forecast import Forecast

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from models.forecaster.baselines.power_law import PowerLaws
    from models.forecaster.curves import Curve, Floats
    from models.forecaster.siblings import Sibling, Siblings

RATES = np.geomspace(0.7, 100.0, 40)  # by the last position: slower is a straight line, faster is a step
FAMILIES = ("power law", "exponential law")  # in the order of _fit
# Neither law is true, and a false law errs in runs: so many neighbouring points count as one between the two. Chosen
# on simulated curves: 1 covers less, 16 hardly lets a sigmoid stop.
RUN_LENGTH = 8

POSITIONS = (1e-6, 1e9)  # evaluations, epochs, steps and cases all lie between; beyond, powers leave the floats


@dataclass(frozen=True)
class ExponentialLaws:
    """R laws f(x) = a - b·exp(-c·x), with b >= 0 and c > 0: none ever falls.

    Attributes:
        a: Asymptotes, shape (R,).
        b: Distances from the asymptote at x = 0, shape (R,).
        c: Rates, shape (R,).
    """

    a: Floats
    b: Floats
    c: Floats

    def at(self, x: Floats) -> Floats:
        """Values at positions x of shape (H,): shape (R, H)."""
        shapes = np.exp(-self.c[:, None] * np.asarray(x, dtype=np.float64)[None, :])
        values: Floats = self.a[:, None] - self.b[:, None] * shapes
        return values


def fit_exponential_laws(x: Floats, y: Floats) -> ExponentialLaws:
    """Least-squares laws through R curves that share their positions: x positive, shape (P,); y of shape (R, P)."""
    first, last = x.min(), x.max()
    # From the first position on, no shape is so small that the fit takes it for flat.
    shapes = np.exp(-RATES * ((x - first) / last)[:, None])
    a, b, errors = fit_rising_lines(shapes, y, np.ones(len(x)))
    best = errors.argmin(axis=1)
    rows, c = np.arange(len(y)), RATES[best] / last
    return ExponentialLaws(a[rows, best], b[rows, best] * np.exp(c * first), c)


@dataclass(frozen=True)
class ParametricForecaster:
    """Forecast by a power law and an exponential law through the part of a curve after its take-off.

    Attributes:
        replicates: Replicates of the parametric residual bootstrap.
        seed: Of the bootstrap: the same curve gets the same forecast.
        noise_floor: Least standard deviation of a measured value.
        fallback_half_width: Half the interval around the last value, where no law can be fitted.
    """

    replicates: int = 200
    seed: int = 0
    noise_floor: float = 0.005
    fallback_half_width: float = 0.25

    def context(self, curves: Sequence[Curve | Sibling]) -> Siblings | None:  # noqa: ARG002 - every forecaster is asked
        """Nothing: the laws know of one curve."""
        return None

    def forecast(self, x: Floats, y: Floats, at: Floats, siblings: Siblings | None = None) -> Forecast:  # noqa: ARG002
        """Forecast the curve through (x, y), both of shape (T,), at positions ``at`` of shape (H,).

        The mean is that of both laws, by their weights. Points that are not finite, or at no sensible position
        (POSITIONS), are left out. ``method`` names the law that fits better, or is "last value" where fewer than three
        positions are left or no rise stands out of the noise: such a curve says nothing about its end. Before the
        first fitted point the laws do not hold: a position there gets the value at that point.

        Raises:
            ValueError: If x and y differ in shape.
        """
        x, y, at = (np.asarray(values, dtype=np.float64) for values in (x, y, at))
        seen_x, seen_y = _seen(x, y)
        start = _take_off(seen_y)
        # A law begins at take-off, so it counts from the position before; a curve fitted whole counts from 0.
        origin = seen_x[seen_x < seen_x[start]].max(initial=0.0) if start else 0.0
        kept_x, kept_y = seen_x[start:] - origin, seen_y[start:]
        if len(np.unique(kept_x)) < FIT_PARAMETERS:
            return self._last_value(seen_y, at)
        fits = _fit(kept_x, kept_y[None, :])
        fitted = fits.at(kept_x)[fits.best[0], 0]
        noise = self._noise(kept_y - fitted)
        if fitted[-1] - fitted[0] <= 2 * noise:
            return self._last_value(seen_y, at)
        return self._both_laws(fits, noise, kept_x, np.maximum(at - origin, kept_x[0]))

    def _noise(self, residuals: Floats) -> float:
        """Standard deviation of a measured value around its law, in DSC."""
        # Three to six points leave almost no residual, by luck or by lack of freedom: two virtual degrees of freedom
        # at the usual noise keep the interval from closing on them.
        virtual = 2
        squares = residuals @ residuals + virtual * (2 * self.noise_floor) ** 2
        return max(self.noise_floor, float(np.sqrt(squares / (len(residuals) - FIT_PARAMETERS + virtual))))

    def _both_laws(self, fits: _Fits, noise: float, x: Floats, at: Floats) -> Forecast:
        rng = np.random.default_rng(self.seed)
        weights = _weights(fits.errors[:, 0], noise)
        mean = weights @ fits.at(at)[:, 0]
        # The families hold for their shares of the replicates, and each replicate chooses again: the interval covers
        # the choice too.
        shares = (np.arange(self.replicates) + 0.5) / self.replicates
        truth = fits.at(x)[(shares >= weights[0]).astype(np.intp), 0]
        refits = _fit(x, truth + rng.normal(0.0, noise, truth.shape))
        curves = refits.at(at)[refits.best, np.arange(self.replicates)]
        low, high = np.percentile(curves, [5, 95], axis=0)
        below, above = np.maximum(mean - low, 0), np.maximum(high - mean, 0)
        # A new value adds its own noise to the mean's error; the two are independent, so their squares add.
        one = NORMAL_90 * noise
        around_new = _Band(mean - np.hypot(below, one), mean + np.hypot(above, one))
        return _forecast(FAMILIES[fits.best[0]], mean, around_new, _Band(mean - below, mean + above))

    def _last_value(self, y: Floats, at: Floats) -> Forecast:
        last, half = (y[-1], self.fallback_half_width) if len(y) else (0.5, 0.5)
        mean = np.full(at.shape, last)
        band = _Band(mean - half, mean + half)
        return _forecast("last value", mean, band, band)


class _Fits(NamedTuple):
    """Both families through the same R curves, and their squared errors, shape (2, R)."""

    power: PowerLaws
    exponential: ExponentialLaws
    errors: Floats

    @property
    def best(self) -> NDArray[np.intp]:
        """Which family fits each curve better, shape (R,)."""
        best: NDArray[np.intp] = self.errors.argmin(axis=0)
        return best

    def at(self, x: Floats) -> Floats:
        """Values at positions x of shape (H,): shape (2, R, H)."""
        return np.stack([self.power.at(x), self.exponential.at(x)])


class _Band(NamedTuple):
    """A 90 % interval at H positions: two arrays of shape (H,)."""

    lower: Floats
    upper: Floats


def _fit(x: Floats, y: Floats) -> _Fits:
    laws = fit_power_laws(x, y), fit_exponential_laws(x, y)
    errors = np.stack([((y - law.at(x)) ** 2).sum(axis=1) for law in laws])
    return _Fits(*laws, errors)


def _weights(errors: Floats, noise: float) -> Floats:
    """Share of each family, by its likelihood; both have as many parameters."""
    likelihoods = np.exp(-(errors - errors.min()) / (2 * RUN_LENGTH * noise**2))
    weights: Floats = likelihoods / likelihoods.sum()
    return weights


def _seen(x: Floats, y: Floats) -> tuple[Floats, Floats]:
    """The points that a law can be fitted to, by rising x, with y within [0, 1]."""
    if x.shape != y.shape:
        raise ValueError(f"x and y must have one shape, got {x.shape} and {y.shape}")
    usable = (x >= POSITIONS[0]) & (x <= POSITIONS[1]) & np.isfinite(y)
    order = np.argsort(x[usable], kind="stable")
    return x[usable][order], np.clip(y[usable][order], 0.0, 1.0)


def _take_off(y: Floats) -> int:
    """Index of the first point to fit: past the flat start of an S-shaped curve, but with five points left."""
    # Both laws are steepest at their start, a training curve is flat there. The last point in the lower half of the
    # curve's range stands on the rise, whatever the length of the flat part; a running median keeps one
    # outlier from setting the range. On a curve that never was flat the rule costs a few early points.
    smooth = _running_median(y)
    if smooth.size == 0:
        return 0
    low = np.flatnonzero(smooth <= (smooth.min() + smooth.max()) / 2)
    return max(0, min(int(low[-1]), len(y) - 5))


def _running_median(y: Floats) -> Floats:
    """Median of each point and its two neighbours; the ends repeat themselves."""
    padded = np.concatenate([y[:1], y, y[-1:]])
    median: Floats = np.median([padded[:-2], padded[1:-1], padded[2:]], axis=0)
    return median


def _forecast(method: str, mean: Floats, new: _Band, expected: _Band) -> Forecast:
    """A forecast within [0, 1], where every DSC lies."""
    mean, lower, upper, mean_lower, mean_upper = np.clip(np.stack([mean, *new, *expected]), 0.0, 1.0)
    return Forecast(mean, lower, upper, mean_lower, mean_upper, method)
