"""What siblings say about one curve: tokens that compare each of them with the target."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from models.forecaster.lstm.encoding import Encoded, squash, unit_of

if TYPE_CHECKING:
    from models.forecaster.curves import Floats
    from models.forecaster.siblings import Siblings

TOKEN_FEATURES = 14
LEAST_REACH = -3.0  # siblings that ended even earlier count alike


@dataclass(frozen=True)
class SiblingValues:
    """Smoothed values of J siblings at the positions of each of R target curves.

    Attributes:
        at_bins: At the target's bins, shape (R, J, BINS).
        at_last: At its last position, shape (R, J).
        at_horizon: At the positions asked for, or at the sibling's end if that comes first, shape (R, H, J).
        reach: Log of the sibling's end by the position asked for, at most 0, shape (R, H, J).
        distance: Between covariates, in standard deviations, 0 where unknown, shape (R, J).
        known: Whether covariates are known, 0 or 1, shape (R, J).
    """

    at_bins: Floats
    at_last: Floats
    at_horizon: Floats
    reach: Floats
    distance: Floats
    known: Floats


def sibling_values(siblings: Siblings, target: Encoded, at: Floats) -> SiblingValues:
    """Siblings at the positions of R targets and at ``at`` of shape (R, H)."""
    positions = np.concatenate([target.bin_x, target.last_x[:, None], at], axis=1)
    table = siblings.at(positions)
    rows, bins = target.bin_x.shape
    reach = np.clip(np.log(siblings.ends / at[:, :, None]), LEAST_REACH, 0.0)
    number = len(siblings.chosen)
    return SiblingValues(
        table[:, :, :bins],
        table[:, :, bins],
        table[:, :, bins + 1 :].swapaxes(1, 2),
        reach,
        np.broadcast_to(siblings.distance, (rows, number)),
        np.broadcast_to(siblings.known, (rows, number)),
    )


def tokens(target: Encoded, values: SiblingValues, at: Floats) -> Floats:
    """Compare siblings with targets at positions ``at`` of shape (R, H): shape (R, H, J, TOKEN_FEATURES).

    What a sibling did afterwards comes first, then how it differs from the target so far.
    """
    count = np.broadcast_to(target.bin_count[:, None], values.at_bins.shape)
    unit, _ = unit_of(values.at_bins, count, np.zeros(values.at_last.shape))
    after, before = _after(target, values, unit, at), _before(target, values, unit)
    before = np.broadcast_to(before[:, None], (*after.shape[:-1], before.shape[-1]))
    return np.concatenate([after, before], axis=-1)


def _after(target: Encoded, values: SiblingValues, unit: Floats, at: Floats) -> Floats:
    """What each sibling, whose own differences come in units of shape (R, J), did afterwards: shape (R, H, J, 5)."""
    scale = target.scale[:, None, None]
    gain = values.at_horizon - values.at_last[:, None]
    far = np.log(np.maximum(at / target.last_x[:, None], 1.0))
    return np.stack(
        [
            squash(gain / scale),
            squash(gain / unit[:, None]),
            squash((values.at_horizon - target.level[:, None, None]) / scale),
            values.reach,
            np.broadcast_to(far[..., None], gain.shape),
        ],
        axis=-1,
    )


def _before(target: Encoded, values: SiblingValues, unit: Floats) -> Floats:
    """How each sibling differs from the target as far as that is seen, shape (R, J, TOKEN_FEATURES - 5)."""
    scale, ours, theirs = target.scale[:, None], target.bin_y[:, None], values.at_bins
    share = (target.bin_count / target.bin_count.sum(axis=1, keepdims=True))[:, None]
    full = (target.bin_count > 0)[:, None]
    half, bins = np.maximum(full.sum(axis=-1, keepdims=True) // 2, 1), theirs.shape[-1]
    late = full & (np.arange(bins) >= bins - half)
    gap = (ours - theirs) * full
    recent = gap.sum(axis=-1, where=late) / late.sum(axis=-1)
    bent = np.sqrt(((gap - recent[..., None]) ** 2).sum(axis=-1, where=late) / late.sum(axis=-1))
    relative = (ours - target.level[:, None, None]) / scale[..., None]
    shape = relative - (theirs - values.at_last[..., None]) / unit[..., None]
    return np.stack(
        [
            squash((values.at_last - target.level[:, None]) / scale),
            squash(recent / scale),
            squash(np.sqrt((gap**2 * share).sum(axis=-1)) / scale),
            squash(bent / scale),
            squash(np.sqrt((shape**2 * share).sum(axis=-1))),
            np.log(unit / scale),
            squash((gap[..., -1] - gap[..., -4:].mean(axis=-1)) / scale),
            values.distance,
            values.known,
        ],
        axis=-1,
    )
