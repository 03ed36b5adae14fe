"""What the decisions of a study follow: the one spec that policy and stop rule read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Callable

    from models.forecaster.interface import Forecaster
    from search.policy.stop_rule import StopSpec
    from search.prices import Device, PriceSpec

PolicyName = Literal["grid", "forecast"]

# A cell is trained if it is expected to lower the loss by as much, times the square root of the number of cells, for
# the seconds of the whole grid: a mean cell must bring more where the grid has fewer.
WORTH = 1.0


@dataclass(frozen=True, kw_only=True)
class DecisionSpec:
    """What decisions follow, and what they must know besides the cells.

    Attributes:
        policy: Which cells, and whether trainings may end early.
        stop: The stop rule's settings.
        forecaster: What the stop rule asks.
        d0: Mean validation DSC of "everything is foreground".
        evaluations: In a full budget.
        total_steps: Optimiser steps of a full budget, by number of training cases.
        tolerance: In DSC.
        target: DSC to reach, or None.
        assurance: Probability of good enough from which on a configuration is eligible; None: see `EnoughRule`.
        num_train: Training cases at hand, N.
        held_out_cases: Validation and test cases, part of every price.
        prices: Of hours and cases.
        device: What trials run on.
        device_share: GPU fraction, or CPUs, of a trial.
        device_name: What the processor is called, where the spec asks for one; it may have a price of its own.
        device_seconds: Limit of what the study may spend, or None.
        worth: Factor of the least expected fall of the loss for which a cell is trained.
        seed: Of the draws that stand for what is not known.
    """

    policy: PolicyName
    stop: StopSpec
    forecaster: Forecaster
    d0: float
    evaluations: int
    total_steps: Callable[[int], int]
    tolerance: float
    target: float | None
    num_train: int
    held_out_cases: int
    prices: PriceSpec
    assurance: float | None = None
    device: Device = "gpu"
    device_share: float = 1.0
    device_name: str | None = None
    device_seconds: float | None = None
    worth: float = WORTH
    seed: int = 0
