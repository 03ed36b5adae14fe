"""Power laws a - b·x^(-c) through learning curves: a batch fit, closed forms, and the plain forecaster.

The three-parameter law ("pow3") is the usual baseline for learning curves (Mohr and van Rijn 2022, arXiv:2201.12150).
It is linear in (a, b) once c is fixed, so that variable projection (Golub and Pereyra 1973) leaves a search over c.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from models.forecaster.forecast import Forecast

if TYPE_CHECKING:
    from models.forecaster.forecast import Floats

ASYMPTOTE_MAX = 1.0  # a DSC cannot pass 1, nor may its asymptote
EXPONENTS = np.geomspace(0.05, 4.0, 80)
EXPONENT_CENTRE = 0.5
# The prior weighs as much as one unit of log c against this noise: it decides between exponents that one or two
# points cannot tell apart, and fades as soon as the errors of a fit exceed it.
PRIOR_NOISE = 0.01
FIT_PARAMETERS = 3

POSITIONS = (1e-6, 1e9)  # evaluations, epochs, steps and cases all lie between; beyond, powers leave the floats

NORMAL_90 = 1.645  # half a 90 % interval, in standard deviations


@dataclass(frozen=True)
class PowerLaws:
    """R laws f(x) = a - b·x^(-c), with b >= 0 and c > 0: none ever falls.

    Attributes:
        a: Asymptotes, shape (R,).
        b: Distances from the asymptote at x = 1, shape (R,).
        c: Exponents, shape (R,).
    """

    a: Floats
    b: Floats
    c: Floats

    def at(self, x: Floats) -> Floats:
        """Values at positive positions x of shape (H,): shape (R, H)."""
        powers = np.asarray(x, dtype=np.float64)[None, :] ** -self.c[:, None]
        values: Floats = self.a[:, None] - self.b[:, None] * powers
        return values

    def gain(self, start: float, end: float) -> Floats:
        """Rise f(end) - f(start) of each law, shape (R,)."""
        # Without a, the difference of two near-equal values keeps its digits.
        rise: Floats = self.b * (start**-self.c - end**-self.c)
        return rise

    def sufficient_within(self, n_max: float, tolerance: float) -> Floats:
        """Smallest whole n >= 1 with f(n_max) - f(n) <= tolerance, shape (R,).

        From b·(n^(-c) - n_max^(-c)) = tolerance: n = n_max·(1 + tolerance·n_max^c / b)^(-1/c).
        """
        with np.errstate(divide="ignore", over="ignore", invalid="ignore"):  # b near 0, or 0: sorted out below
            slack = tolerance * n_max**self.c / self.b
            n = n_max * np.exp(-np.log1p(slack) / self.c)
        return _whole(np.where(self.b > 0, n, 1.0))

    def plateau(self, tolerance: float) -> Floats:
        """Smallest whole n >= 1 with f(2n) - f(n) <= tolerance, shape (R,); inf where no float can hold it.

        From b·n^(-c)·(1 - 2^(-c)) = tolerance: n = (b·(1 - 2^(-c)) / tolerance)^(1/c).
        """
        with np.errstate(divide="ignore", over="ignore", invalid="ignore"):  # b = 0 or tolerance = 0; a tiny c
            n = (self.b * -np.expm1(-self.c * np.log(2.0)) / tolerance) ** (1.0 / self.c)
        return _whole(np.where(self.b > 0, n, 1.0))


def fit_power_laws(x: Floats, y: Floats, weights: Floats | None = None) -> PowerLaws:
    """Least-squares laws through R curves that share their positions.

    Args:
        x: Positions, positive, shape (P,).
        y: Values, shape (R, P).
        weights: Weight of each position, shape (P,); only their ratios count. None: all alike.

    Returns:
        R laws, in the units of x. With one distinct position b is 0; with two, c stays near the prior's centre.

    Raises:
        ValueError: If shapes disagree, x is not positive, a value is not finite, or no weight is positive.
    """
    weights = np.ones(len(x)) if weights is None else np.asarray(weights, dtype=np.float64)
    x, y = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    _check_curves(x, y, weights)
    scale = x.max()
    powers = (x / scale)[None, :] ** -EXPONENTS[:, None]
    a, b, errors = _fit_lines(powers, y, weights / weights.mean())
    prior = PRIOR_NOISE**2 * np.log(EXPONENTS / EXPONENT_CENTRE) ** 2
    best = (errors + prior).argmin(axis=1)
    rows, c = np.arange(len(y)), EXPONENTS[best]
    return PowerLaws(a[rows, best], b[rows, best] * scale**c, c)


@dataclass(frozen=True)
class PowerLawForecaster:
    """Forecast by one power law through the part of a curve after its take-off.

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

    def forecast(self, x: Floats, y: Floats, at: Floats) -> Forecast:
        """Forecast the curve through (x, y), both of shape (T,), at positions ``at`` of shape (H,).

        Points that are not finite, or at no sensible position (POSITIONS), are left out. ``method`` is "power law", or
        "last value" where fewer than three positions are left or no rise stands out of the noise: such a curve says
        nothing about its end. Before the first fitted point the law does not hold: a position there gets the value
        at that point.

        Raises:
            ValueError: If x and y differ in shape.
        """
        x, y, at = (np.asarray(values, dtype=np.float64) for values in (x, y, at))
        seen_x, seen_y = _seen(x, y)
        start = _take_off(seen_y)
        # The law begins at take-off, so it counts from the position before; a curve fitted whole counts from 0.
        origin = seen_x[seen_x < seen_x[start]].max(initial=0.0) if start else 0.0
        kept_x, kept_y = seen_x[start:] - origin, seen_y[start:]
        if len(np.unique(kept_x)) < FIT_PARAMETERS:
            return self._last_value(seen_y, at)
        law = fit_power_laws(kept_x, kept_y[None, :])
        noise = self._noise(kept_y - law.at(kept_x)[0])
        if law.gain(kept_x[0], kept_x[-1])[0] <= 2 * noise:
            return self._last_value(seen_y, at)
        return self._power_law(law, noise, kept_x, np.maximum(at - origin, kept_x[0]))

    def _noise(self, residuals: Floats) -> float:
        """Standard deviation of a measured value around the law, in DSC."""
        # Three to six points leave almost no residual, by luck or by lack of freedom: two virtual degrees of freedom
        # at the usual noise keep the interval from closing on them.
        virtual = 2
        squares = residuals @ residuals + virtual * (2 * self.noise_floor) ** 2
        return max(self.noise_floor, float(np.sqrt(squares / (len(residuals) - FIT_PARAMETERS + virtual))))

    def _power_law(self, law: PowerLaws, noise: float, x: Floats, at: Floats) -> Forecast:
        rng = np.random.default_rng(self.seed)
        redrawn = law.at(x) + rng.normal(0.0, noise, (self.replicates, len(x)))
        curves = fit_power_laws(x, redrawn).at(at)
        mean = law.at(at)[0]
        low, high = np.percentile(curves, [5, 95], axis=0)
        below, above = np.maximum(mean - low, 0), np.maximum(high - mean, 0)
        # A new value adds its own noise to the mean's error; the two are independent, so their squares add.
        one = NORMAL_90 * noise
        around_new = _Band(mean - np.hypot(below, one), mean + np.hypot(above, one))
        return _forecast("power law", mean, around_new, _Band(mean - below, mean + above))

    def _last_value(self, y: Floats, at: Floats) -> Forecast:
        last, half = (y[-1], self.fallback_half_width) if len(y) else (0.5, 0.5)
        mean = np.full(at.shape, last)
        band = _Band(mean - half, mean + half)
        return _forecast("last value", mean, band, band)


class _Band(NamedTuple):
    """A 90 % interval at H positions: two arrays of shape (H,)."""

    lower: Floats
    upper: Floats


class _Lines(NamedTuple):
    """Least-squares (a, b) and squared error of R curves for each of G exponents, each of shape (R, G)."""

    a: Floats
    b: Floats
    errors: Floats


def _fit_lines(powers: Floats, y: Floats, weights: Floats) -> _Lines:
    """Fit y = a - b·s under b >= 0 and a <= 1, for s = powers of shape (G, P) and y of shape (R, P)."""
    total = weights.sum()
    s_mean, y_mean = powers @ weights / total, (y @ weights / total)[:, None]
    s_centred, y_centred = powers - s_mean[:, None], y - y_mean
    ss, sy = s_centred**2 @ weights, (y_centred * weights) @ s_centred.T
    yy = (y_centred**2 @ weights)[:, None]
    # One distinct position leaves nothing but rounding in ss: then there is no slope.
    sloped = ss > 1e-12 * total * s_mean**2
    b = np.where(sloped, np.maximum(-sy / np.where(sloped, ss, 1.0), 0.0), 0.0)
    a = y_mean + b * s_mean
    # Where the asymptote would pass 1 it is held there, and b alone is fitted.
    held = np.maximum((total * s_mean * (ASYMPTOTE_MAX - y_mean) - sy) / (ss + total * s_mean**2), 0.0)
    b, a = np.where(a > ASYMPTOTE_MAX, held, b), np.minimum(a, ASYMPTOTE_MAX)
    errors = yy + 2 * b * sy + b**2 * ss + total * (y_mean - a + b * s_mean) ** 2
    return _Lines(a, b, errors)


def _check_curves(x: Floats, y: Floats, weights: Floats) -> None:
    if x.ndim != 1 or x.size == 0 or y.ndim != 2 or y.shape[1:] != x.shape or weights.shape != x.shape:  # noqa: PLR2004 - two axes
        msg = f"x must be (P,), y (R, P), weights (P,) with P >= 1, got {x.shape}, {y.shape}, {weights.shape}"
        raise ValueError(msg)
    if not (np.isfinite(x).all() and (x > 0).all() and np.isfinite(y).all()):
        raise ValueError("x must be positive, x and y finite")
    if not ((weights >= 0).all() and 0 < weights.sum() < np.inf):
        raise ValueError(f"weights must be >= 0 and not all 0, got {weights}")


def _whole(n: Floats) -> Floats:
    """Round up to whole numbers >= 1; a number that is whole but for rounding stays."""
    whole: Floats = np.maximum(np.ceil(n * (1 - 1e-12)), 1.0)
    return whole


def _seen(x: Floats, y: Floats) -> tuple[Floats, Floats]:
    """The points that a law can be fitted to, by rising x, with y within [0, 1]."""
    if x.shape != y.shape:
        raise ValueError(f"x and y must have one shape, got {x.shape} and {y.shape}")
    usable = (x >= POSITIONS[0]) & (x <= POSITIONS[1]) & np.isfinite(y)
    order = np.argsort(x[usable], kind="stable")
    return x[usable][order], np.clip(y[usable][order], 0.0, 1.0)


def _take_off(y: Floats) -> int:
    """Index of the first point to fit: past the flat start of an S-shaped curve, but with five points left."""
    # A power law is steepest at its start, a training curve is flat there. The last point in the lower half of the
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
