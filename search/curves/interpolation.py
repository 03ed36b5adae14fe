"""Curves over numbers of cases: values between known positions, and the numbers of cases that are read off them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Curves:
    """R curves with the same positions, straight in the logarithm of the number of cases between them.

    Attributes:
        positions: Numbers of cases, rising, shape (P,).
        values: DSC there, shape (R, P).
    """

    positions: Floats
    values: Floats

    def at(self, num_cases: Floats) -> Floats:
        """Values at numbers of cases of shape (H,), which lie within the positions: shape (R, H)."""
        log = np.log(self.positions)
        wanted = np.clip(np.log(np.asarray(num_cases, dtype=np.float64)), log[0], log[-1])
        right = np.clip(np.searchsorted(log, wanted), 1, len(log) - 1)
        share = (wanted - log[right - 1]) / (log[right] - log[right - 1])
        values: Floats = self.values[:, right - 1] * (1 - share) + self.values[:, right] * share
        return values

    def gain(self, start: float, end: float) -> Floats:
        """Rise from one number of cases to another, shape (R,)."""
        values = self.at(np.array([start, end]))
        rise: Floats = values[:, 1] - values[:, 0]
        return rise

    def sufficient_within(self, num_train: float, tolerance: float) -> Floats:
        """Fewest cases from which on all N bring at most the tolerance more, whole numbers of shape (R,)."""
        positions = np.append(self.positions[self.positions < num_train], num_train)
        return _first_lasting(positions, self.at(np.array([num_train])) - self.at(positions), tolerance)

    def reaching(self, target: Floats, most: float) -> Floats:
        """Fewest cases from which up to ``most`` DSC is at least the target, shape (R,) or (1,); inf where none."""
        positions = np.append(self.positions[self.positions < most], most)
        return _first_lasting(positions, np.reshape(target, (-1, 1)) - self.at(positions), 0.0)

    def plateau(self, tolerance: float) -> Floats:
        """Fewest cases from which on twice as many bring at most the tolerance more, shape (R,); inf where none."""
        positions = self.positions[2 * self.positions <= self.positions[-1] * (1 + 1e-9)]
        return _first_lasting(positions, self.at(2 * positions) - self.at(positions), tolerance)


def _first_lasting(positions: Floats, lack: Floats, tolerance: float) -> Floats:
    """The first number of cases after which the lack (R, P) stays within the tolerance; inf if it ends above."""
    above = lack > tolerance
    last = np.where(above.any(axis=1), above.shape[1] - 1 - above[:, ::-1].argmax(axis=1), -1)
    rows = np.arange(len(lack))
    left, right = np.maximum(last, 0), np.minimum(last + 1, len(positions) - 1)
    before, after = lack[rows, left], lack[rows, right]
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.where(before > after, (before - tolerance) / (before - after), 1.0)
        crossing = np.exp(np.log(positions[left]) * (1 - share) + np.log(positions[right]) * share)
    cases = np.where(last < 0, positions[0], np.where(last == len(positions) - 1, np.inf, crossing))
    whole: Floats = np.ceil(cases * (1 - 1e-9))
    return whole
