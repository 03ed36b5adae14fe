"""What an answer says, set against the truth: intervals, chances and claims, an item each."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple, Protocol

from tests.benchmarks.coverage.scenes.simulated import TOLERANCE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tests.benchmarks.coverage.scenes.scenarios import Answers
    from tests.benchmarks.coverage.scenes.study import Bounds, Said

ALPHA = 0.1  # of a 90 % interval
GAIN_ERROR = 0.15  # share by which the gain of a noise-free line may be misread
ENDED, SAID_ENDED = 0.003, 0.005  # gain of twice the cases of a curve that has all but ended, and as it may be read


class Truth(Protocol):
    """What is known of a study: drawn, or measured by runs that no answer was given."""

    @property
    def num_train(self) -> int:
        """Training cases at hand, N."""

    @property
    def floor(self) -> float:
        """The DSC that is truly good enough."""

    def dsc(self, depth: int, num_cases: float) -> float:
        """Expected DSC."""

    def doubling_gain(self, depth: int) -> float:
        """f(2N) - f(N)."""

    def new_runs(self, depth: int, num_cases: int) -> Iterable[float]:
        """DSC of further runs."""


class Interval(NamedTuple):
    """A 90 % interval and the true value."""

    lower: float
    upper: float
    truth: float

    @property
    def holds(self) -> bool:
        """Whether the truth lies inside."""
        return self.lower <= self.truth <= self.upper

    @property
    def width(self) -> float:
        """In DSC."""
        return self.upper - self.lower

    @property
    def score(self) -> float:
        """The interval score (Gneiting and Raftery 2007, equation 43): width, and what misses cost; less is better."""
        below, above = max(0.0, self.lower - self.truth), max(0.0, self.truth - self.upper)
        return self.width + 2 / ALPHA * (below + above)


class Chance(NamedTuple):
    """A stated probability, and whether it came true."""

    stated: float
    true: bool


def means(said: Said, truth: Truth, largest_share: float = 1.0) -> Iterator[Interval]:
    """Mean DSC over runs of every configuration, or of those of few cases."""
    for row in said.rows:
        if row.num_cases <= largest_share * truth.num_train:
            yield _interval(row.mean, truth.dsc(row.depth, row.num_cases))


def new_runs(said: Said, truth: Truth, largest_share: float = 1.0) -> Iterator[Interval]:
    """One new run of every configuration, several times."""
    for row in said.rows:
        if row.num_cases <= largest_share * truth.num_train:
            for dsc in truth.new_runs(row.depth, row.num_cases):
                yield _interval(row.run, dsc)


def at_all(said: Said, truth: Truth) -> Iterator[Interval]:
    """f(N) of each depth."""
    for depth in said.depths:
        yield _interval(depth.at_all, truth.dsc(depth.depth, truth.num_train))


def doublings(said: Said, truth: Truth) -> Iterator[Interval]:
    """f(2N) - f(N) of each depth."""
    for depth in said.depths:
        yield _interval(depth.doubling_bounds, truth.doubling_gain(depth.depth))


def steps(said: Said, truth: Truth) -> Iterator[Interval]:
    """The gain of each configuration of the front over the one before it."""
    for before, step in pairwise(said.front):
        assert step.gain is not None
        gain = truth.dsc(step.depth, step.num_cases) - truth.dsc(before.depth, before.num_cases)
        yield _interval(step.gain, gain)


def recommended_mean(said: Said, truth: Truth) -> Iterator[Interval]:
    """Mean DSC over runs of the recommended configuration."""
    row = None if said.recommended is None else said.row(said.recommended)
    if row is not None:
        yield _interval(row.mean, truth.dsc(row.depth, row.num_cases))


def recommended_run(said: Said, truth: Truth) -> Iterator[Interval]:
    """One new run of it, several times."""
    row = None if said.recommended is None else said.row(said.recommended)
    if row is not None:
        for dsc in truth.new_runs(row.depth, row.num_cases):
            yield _interval(row.run, dsc)


def recommended_chance(said: Said, truth: Truth) -> Iterator[Chance]:
    """The stated P of the recommended configuration, and whether it is truly good enough."""
    row = None if said.recommended is None else said.row(said.recommended)
    if row is not None and row.chance is not None:
        yield Chance(row.chance, truth.dsc(row.depth, row.num_cases) >= truth.floor)


def every_chance(said: Said, truth: Truth) -> Iterator[Chance]:
    """The same of every configuration."""
    for row in said.rows:
        if row.chance is not None:
            yield Chance(row.chance, truth.dsc(row.depth, row.num_cases) >= truth.floor)


def recommends(said: Said, _: Truth) -> Iterator[bool]:
    """Whether anything is recommended."""
    yield said.recommended is not None


def plateau_claims(said: Said, truth: Truth) -> Iterator[tuple[bool, bool]]:
    """Of each depth whether its plateau is said to be reached, and whether it is: twice N bring up to the tolerance."""
    for depth in said.depths:
        yield depth.reached, truth.doubling_gain(depth.depth) <= TOLERANCE


def wrong_plateaus(said: Said, truth: Truth) -> Iterator[bool]:
    """Of each claimed plateau whether it is none."""
    return (not true for claimed, true in plateau_claims(said, truth) if claimed)


def found_plateaus(said: Said, truth: Truth) -> Iterator[bool]:
    """Of each true plateau whether it is claimed."""
    return (claimed for claimed, true in plateau_claims(said, truth) if true)


def gain_read(said: Said, truth: Truth) -> Iterator[bool]:
    """Of each depth whether the gain of twice the cases is said within 15 %."""
    for depth in said.depths:
        yield abs(depth.doubling / truth.doubling_gain(depth.depth) - 1) <= GAIN_ERROR


def end_read(said: Said, truth: Truth) -> Iterator[bool]:
    """Of each depth that has all but ended whether little gain is said."""
    for depth in said.depths:
        if truth.doubling_gain(depth.depth) <= ENDED:
            yield depth.doubling <= SAID_ENDED


def unmoved(answers: Answers, _: Truth) -> Iterator[bool]:
    """Whether the same is recommended after a bad run as before it."""
    yield answers["before"].recommended == answers["after"].recommended


def not_worse(answers: Answers, truth: Truth) -> Iterator[bool]:
    """Whether what is recommended after a bad run truly lies no further below than the tolerance."""
    before, after = answers["before"].recommended, answers["after"].recommended
    if before is not None and after is not None:
        yield truth.dsc(*after) >= truth.dsc(*before) - TOLERANCE


def _interval(said: Bounds, truth: float) -> Interval:
    return Interval(said.lower, said.upper, truth)
