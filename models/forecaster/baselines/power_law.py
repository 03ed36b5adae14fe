"""Power laws a - b·x^(-c) through learning curves: a batch fit, and closed forms.

The three-parameter law ("pow3") is the usual baseline for learning curves (Mohr and van Rijn 2022, arXiv:2201.12150).
It is linear in (a, b) once c is fixed, so that variable projection (Golub and Pereyra 1973) leaves a search over c.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from models.forecaster.forecast import Floats

ASYMPTOTE_MAX = 1.0  # a DSC cannot pass 1, nor may its asymptote
EXPONENTS = np.geomspace(0.05, 4.0, 80)
EXPONENT_CENTRE = 0.5
# The prior weighs as much as one unit of log c against this noise: it decides between exponents that one or two
# points cannot tell apart, and fades as soon as the errors of a fit exceed it.
PRIOR_NOISE = 0.01
FIT_PARAMETERS = 3

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
    a, b, errors = fit_lines(powers, y, weights / weights.mean())
    prior = PRIOR_NOISE**2 * np.log(EXPONENTS / EXPONENT_CENTRE) ** 2
    best = (errors + prior).argmin(axis=1)
    rows, c = np.arange(len(y)), EXPONENTS[best]
    return PowerLaws(a[rows, best], b[rows, best] * scale**c, c)


class Lines(NamedTuple):
    """Least-squares (a, b) and squared error of R curves for each of G shapes, each of shape (R, G)."""

    a: Floats
    b: Floats
    errors: Floats


def fit_lines(shapes: Floats, y: Floats, weights: Floats) -> Lines:
    """Fit y = a - b·s under b >= 0 and a <= 1, for s = shapes of shape (G, P) and y of shape (R, P)."""
    total = weights.sum()
    s_mean, y_mean = shapes @ weights / total, (y @ weights / total)[:, None]
    s_centred, y_centred = shapes - s_mean[:, None], y - y_mean
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
    return Lines(a, b, errors)


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
