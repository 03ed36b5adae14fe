"""Straight lines in given shapes s of x, through many curves at once, by weighted least squares.

A law a - b·s(x) is a straight line in s once the exponent or the rate within s is fixed, so that variable projection
(Golub and Pereyra 1973) leaves a search over that one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from models.forecaster.curves import Floats

ASYMPTOTE_MAX = 1.0  # a DSC cannot pass 1, nor may its asymptote


@dataclass(frozen=True)
class Moments:
    """Weighted means over the points of curves, for each of G shapes: of shape (..., G), or broadcast to it.

    Attributes:
        s_mean: Of the shapes s.
        y_mean: Of the values y.
        ss: Of the squares of s - s_mean.
        sy: Of the products of s - s_mean and y - y_mean.
        yy: Of the squares of y - y_mean.
    """

    s_mean: Floats
    y_mean: Floats
    ss: Floats
    sy: Floats
    yy: Floats

    def slope(self, least: Floats | float) -> Floats:
        """Of the least-squares line; 0 where ``ss`` is not above ``least``, for there it is nothing but rounding."""
        sloped = self.ss > least
        return np.where(sloped, self.sy / np.where(sloped, self.ss, 1.0), 0.0)


def moments(shapes: Floats, y: Floats, weights: Floats) -> Moments:
    """Moments of curves of P points, their leading axes broadcast.

    Args:
        shapes: Shape (..., P, G), or (P, G) where all curves share their positions.
        y: Shape (..., P).
        weights: Shape (..., P), or (P,) where all curves share their positions; only their ratios count.
    """
    share = weights / weights.sum(axis=-1, keepdims=True)
    s_mean = (share[..., None] * shapes).sum(axis=-2)
    y_mean = (share * y).sum(axis=-1)[..., None]
    s_off, y_off = shapes - s_mean[..., None, :], y - y_mean
    weighted = share[..., None] * s_off
    ss, yy = (weighted * s_off).sum(axis=-2), (share * y_off**2).sum(axis=-1)[..., None]
    if weighted.ndim == 2:  # noqa: PLR2004 - shared positions: a product of matrices, with no array of all (R, P, G)
        return Moments(s_mean, y_mean, ss, y_off @ weighted, yy)
    return Moments(s_mean, y_mean, ss, (weighted * y_off[..., None]).sum(axis=-2), yy)


class RisingLines(NamedTuple):
    """Lines y = a - b·s through R curves in each of G shapes, and their mean squared errors, each of shape (R, G)."""

    a: Floats
    b: Floats
    errors: Floats


def fit_rising_lines(shapes: Floats, y: Floats, weights: Floats) -> RisingLines:
    """Fit under b >= 0 and a <= 1.

    Args:
        shapes: Falling in x, at positions that all curves share, shape (P, G).
        y: Shape (R, P).
        weights: Shape (P,).
    """
    m = moments(shapes, y, weights)
    # One distinct position leaves nothing but rounding in ss: then there is no slope.
    b = np.maximum(0.0 - m.slope(1e-12 * m.s_mean**2), 0.0)
    a = m.y_mean + b * m.s_mean
    # Where the asymptote would pass 1 it is held there, and b alone is fitted.
    held = np.maximum((m.s_mean * (ASYMPTOTE_MAX - m.y_mean) - m.sy) / (m.ss + m.s_mean**2), 0.0)
    b, a = np.where(a > ASYMPTOTE_MAX, held, b), np.minimum(a, ASYMPTOTE_MAX)
    errors = m.yy + 2 * b * m.sy + b**2 * m.ss + (m.y_mean - a + b * m.s_mean) ** 2
    return RisingLines(a, b, errors)
