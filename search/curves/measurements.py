"""Finished cells, and the configurations that they repeat."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal

import numpy as np

from search.prices import PriceSpec, case_price, training_price
from storage.variants import OWN, configuration_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from search.prices import Device
    from storage.variants import ConfigurationKey

    Floats = NDArray[np.float64]

CaseSet = Literal["validation", "test"]
Flag = Literal["not_learned", "collapsed"]


@dataclass(frozen=True, eq=False)
class Measurement:
    """One finished cell.

    Attributes:
        key: The cell's key, unique within its study.
        depth: Of the U-Net.
        ratio: Share of the training cases.
        num_cases: Training cases.
        seed: Of this run.
        parameters: Weights of the network.
        device: What it was trained on.
        budget_seconds: Device seconds of one full-budget training: seconds x GPU fraction, or x CPUs.
        seconds_estimated: Whether the run was stopped, and the seconds are those of its planned steps.
        validation: DSC of each validation case at the best-validation checkpoint, shape (V,).
        test: DSC of each test case at the same checkpoint, shape (T,).
        remaining_gain: Forecast rise of DSC from the stop to the end of the budget; 0 for a run that was not stopped.
        remaining_gain_lower: Its 5th percentile.
        remaining_gain_upper: Its 95th percentile.
        flag: Why this run says nothing about its configuration; None for a run that learned.
        confirms: Whether it is the fresh seed that confirms a recommendation.
        device_name: Name of the processor, which may have a price of its own.
        variant: Of the protocol; empty is its own.
    """

    key: str
    depth: int
    ratio: float
    num_cases: int
    seed: int
    parameters: int
    device: Device
    budget_seconds: float
    seconds_estimated: bool
    validation: Floats
    test: Floats
    remaining_gain: float = 0.0
    remaining_gain_lower: float = 0.0
    remaining_gain_upper: float = 0.0
    flag: Flag | None = None
    confirms: bool = False
    device_name: str | None = None
    variant: str = OWN

    def case_dsc(self, case_set: CaseSet) -> Floats:
        """DSC of each case of the set, shape (V,) or (T,)."""
        return self.validation if case_set == "validation" else self.test

    def dsc(self, case_set: CaseSet) -> float:
        """Mean DSC over the cases of the set."""
        return self._means[case_set]

    @cached_property
    def _means(self) -> dict[CaseSet, float]:
        return {"validation": float(np.mean(self.validation)), "test": float(np.mean(self.test))}


@dataclass(frozen=True, eq=False)
class Configuration:
    """A recipe and a number of cases, measured under one or more seeds.

    Attributes:
        measurements: Those that learned; if none did, the flagged ones.
        flag: The first one's flag if none learned, else None.
    """

    measurements: tuple[Measurement, ...]
    flag: Flag | None

    @property
    def variant(self) -> str:
        """Of the protocol; empty is its own."""
        return self.measurements[0].variant

    @property
    def depth(self) -> int:
        """Depth of the U-Net."""
        return self.measurements[0].depth

    @property
    def num_cases(self) -> int:
        """Training cases."""
        return self.measurements[0].num_cases

    @property
    def seeds(self) -> int:
        """Number of measurements that count."""
        return len(self.measurements)

    def dsc(self, case_set: CaseSet) -> float:
        """Mean measured DSC over seeds and cases."""
        return float(np.mean([measurement.dsc(case_set) for measurement in self.measurements]))

    def training_seconds(self) -> float:
        """Device seconds of one full-budget training, averaged over the seeds."""
        return float(np.mean([measurement.budget_seconds for measurement in self.measurements]))

    def price(self, prices: PriceSpec, held_out_cases: int) -> float:
        """Price of one training and of its cases, the validation and test cases among them."""
        trainings = [
            training_price(prices, device=run.device, seconds=run.budget_seconds, device_name=run.device_name)
            for run in self.measurements
        ]
        return float(np.mean(trainings)) + case_price(prices, self.num_cases + held_out_cases)


@dataclass(frozen=True)
class Planned:
    """A configuration that was not measured: it waits, was skipped, or was given up before its end.

    Attributes:
        depth: Of the U-Net.
        ratio: Share of the training cases.
        num_cases: Training cases.
        parameters: Weights of the network.
        device: What it would be trained on.
        budget_seconds: Predicted device seconds of one full-budget training.
        device_name: Name of the processor, which may have a price of its own.
        variant: Of the protocol; empty is its own.
    """

    depth: int
    ratio: float
    num_cases: int
    parameters: int
    device: Device
    budget_seconds: float
    device_name: str | None = None
    variant: str = OWN


def configurations_of(measurements: Iterable[Measurement]) -> tuple[Configuration, ...]:
    """Group cells by recipe and number of cases, in rising order of both."""
    groups: dict[ConfigurationKey, list[Measurement]] = defaultdict(list)
    for measurement in measurements:
        groups[configuration_of(measurement)].append(measurement)
    return tuple(_configuration(groups[key]) for key in sorted(groups))


def _configuration(measurements: Sequence[Measurement]) -> Configuration:
    learned = tuple(measurement for measurement in measurements if measurement.flag is None)
    return Configuration(learned, None) if learned else Configuration(tuple(measurements), measurements[0].flag)


def check_measurements(measurements: Sequence[Measurement]) -> None:
    """Raise ValueError unless all cells were scored on the same cases, each with a finite DSC."""
    for case_set in ("validation", "test"):
        shapes = {measurement.case_dsc(case_set).shape for measurement in measurements}
        if len(shapes) > 1 or any(len(shape) != 1 or shape[0] == 0 for shape in shapes):
            raise ValueError(f"every cell must have one {case_set} DSC for each of the same cases, got shapes {shapes}")
        for measurement in measurements:
            if not np.isfinite(measurement.case_dsc(case_set)).all():
                raise ValueError(f"DSC must be finite, got {case_set} values that are not in cell {measurement.key}")
