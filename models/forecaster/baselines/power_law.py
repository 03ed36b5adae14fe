"""Power laws a - b·x^(-c) through learning curves, many at once.

The three-parameter law ("pow3") is the usual baseline for learning curves (Mohr and van Rijn 2022, arXiv:2201.12150).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from models.forecaster.baselines.lines import fit_rising_lines

if TYPE_CHECKING:
    from models.forecaster.curves import Floats

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
    a, b, errors = fit_rising_lines((x / scale)[:, None] ** -EXPONENTS, y, weights)
    prior = PRIOR_NOISE**2 * np.log(EXPONENTS / EXPONENT_CENTRE) ** 2
    best = (errors + prior / len(x)).argmin(axis=1)
    rows, c = np.arange(len(y)), EXPONENTS[best]
    return PowerLaws(a[rows, best], b[rows, best] * scale**c, c)


def _check_curves(x: Floats, y: Floats, weights: Floats) -> None:
    if x.ndim != 1 or x.size == 0 or y.ndim != 2 or y.shape[1:] != x.shape or weights.shape != x.shape:  # noqa: PLR2004 - two axes
        msg = f"x must be (P,), y (R, P), weights (P,) with P >= 1, got {x.shape}, {y.shape}, {weights.shape}"
        raise ValueError(msg)
    if not (np.isfinite(x).all() and (x > 0).all() and np.isfinite(y).all()):
        raise ValueError("x must be positive, x and y finite")
    if not ((weights >= 0).all() and 0 < weights.sum() < np.inf):
        raise ValueError(f"weights must be >= 0 and not all 0, got {weights}")
