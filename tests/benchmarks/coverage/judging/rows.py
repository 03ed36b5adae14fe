"""The rows of the table: which answers of which scenarios are judged, by what, and what is wanted of them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from tests.benchmarks.coverage.asked.contenders import FORMERLY, ORACLE
from tests.benchmarks.coverage.judging import items
from tests.benchmarks.coverage.scenes.laws import FAMILIES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from tests.benchmarks.coverage.judging.items import Chance
    from tests.benchmarks.coverage.scenes.scenarios import Answers

FEW_SHARE = 0.3  # of the cases: where noise that grows as they get fewer is judged
CALIBRATED_FROM = 30  # validation cases
BINS = ((0.0, 0.5), (0.5, 0.7), (0.7, 0.9), (0.9, 0.97), (0.97, 1.001))
REACHABLE, CLEARLY = 0.0, -0.03  # the target less the best
MANY = 200  # cases
INTERVALS = {
    "mean DSC": items.means,
    "one new run": items.new_runs,
    "f(N) of each depth": items.at_all,
    "gain along the front": items.steps,
}


@dataclass(frozen=True)
class Row:
    """A row of the table.

    Attributes:
        number: Of the situation.
        label: What is judged, and where.
        scenarios: That it is taken from.
        judge: Gives the items of a study: what was said, by stage, against the truth.
        wanted: Range of the share of items that hold; None: only reported.
        where: Which studies count.
    """

    number: int
    label: str
    scenarios: tuple[str, ...]
    judge: Callable[[Answers, Any], Iterable[Any]]
    wanted: tuple[float, float] | None
    where: Callable[[Any], bool] = lambda _: True


class CoverageRow(Row):
    """Items are 90 % intervals, which hold the truth."""


class ChanceRow(Row):
    """Items are stated probabilities, which must come true as often as they say."""


class ShareRow(Row):
    """Items are what holds or not."""


@dataclass(frozen=True)
class Width:
    """A mean width of ours, which is at most so many times that of a rival."""

    label: str
    rival: str
    most: float


def every_row() -> list[Row]:
    """All rows, by number."""
    rows = [*_coverage(), *_confirming(), *_recorded(), *_targets(), *_without_target(), *_plateaus(), *_single()]
    return sorted(rows, key=lambda row: row.number)


def every_width() -> list[Width]:
    """All widths that are bounded, by the label of their row."""
    most = {"mean DSC": 1.15, "f(N) of each depth": 1.3, "gain along the front": 1.4}
    former = [Width(_labels("three seeds", what), FORMERLY, times) for what, times in most.items()]
    return [*former, *(Width(_labels("one seed", what), ORACLE, 1.5) for what in INTERVALS)]


def every_pair() -> list[tuple[str, str]]:
    """Labels of rows of which the second is to cover no less than the first."""
    return [(_recommended("before", what), _recommended("after", what)) for what in ("mean", "new run")]


def at(stage: str, judge: Callable[[Any, Any], Iterable[Any]]) -> Callable[[Answers, Any], Iterable[Any]]:
    """Judge what was said at a stage; nothing where it was not come to."""
    return lambda answers, truth: judge(answers[stage], truth) if stage in answers else ()


def _labels(scenario: str, what: str) -> str:
    return f"{scenario}, most of 0.02 its own offset: {what}"


def _recommended(stage: str, what: str) -> str:
    return f"recommended, {stage} confirming: {what}"


def _coverage() -> Iterable[Row]:
    one, three = (0.85, 0.95), (0.87, 0.93)
    for what, judge in INTERVALS.items():
        judged_once = at("", judge)
        yield CoverageRow(1, _labels("one seed", what), ("one seed",), judged_once, one)
        yield CoverageRow(1, f"policy forecast, one seed: {what}", ("forecast policy",), judged_once, one)
        yield CoverageRow(2, _labels("three seeds", what), ("three seeds",), judged_once, three)
        yield CoverageRow(7, f"run SD 0.04 or 0.06: {what}", ("loud",), judged_once, one)
        yield CoverageRow(8, f"one seed, offset SD above 0.04: {what}", ("large offsets",), judged_once, None)
    for scenario, number in {"one seed": 1, "three seeds": 2}.items():
        label = f"{scenario}: f(2N) - f(N)"
        yield CoverageRow(number, label, (scenario,), at("", items.doublings), None)
    for what, judge in {"mean DSC": items.means, "one new run": items.new_runs}.items():
        label = f"noise that grows, up to 30 % of the cases: {what}"
        few = at("", partial(judge, largest_share=FEW_SHARE))
        yield CoverageRow(6, label, ("growing noise",), few, (0.85, 1.0))
    for what, judge in INTERVALS.items():
        yield CoverageRow(9, f"one and three seeds, 10 to 200 cases: {what}", ("various",), at("", judge), None)
    for cases in (10, 30, 100, 200):
        label = f"one and three seeds, {cases} test cases: mean DSC"
        yield CoverageRow(9, label, ("various",), at("", items.means), None, where=partial(_tested_on, cases=cases))


def _confirming() -> Iterable[Row]:
    for what, judge in {"mean": items.recommended_mean, "new run": items.recommended_run}.items():
        for stage, wanted in {"before": None, "after": (0.87, 0.93)}.items():
            yield CoverageRow(3, _recommended(stage, what), ("confirming",), at(stage, judge), wanted)


def _recorded() -> Iterable[Row]:
    runs = at("", items.new_runs)
    yield CoverageRow(4, "Kvasir-SEG 64, one seed given: the other seeds' runs", ("Kvasir-SEG 64",), runs, (0.85, 1.0))
    label = "Kvasir-SEG 64 of others, every other ratio given: the rest"
    yield CoverageRow(4, label, ("other Kvasir-SEG 64",), runs, None)
    label = "Kvasir-SEG 128, one repeat a depth: the other runs"
    yield CoverageRow(5, label, ("Kvasir-SEG 128",), runs, (0.8, 1.0))
    yield CoverageRow(5, "phantom, one seed given: the other seeds' runs", ("phantom",), runs, (0.85, 1.0))
    label = "Kvasir-SEG 64 up to 140 cases, three seeds: f(280) - f(140)"
    yield CoverageRow(16, label, ("Kvasir-SEG 64 to 140",), at("", items.doublings), (0.66, 1.0))


def _targets() -> Iterable[Row]:
    scenarios = ("target",)
    yield from _chances(10, "target", scenarios)
    recommends = at("", items.recommends)
    yield ShareRow(11, "target above all: recommended", scenarios, recommends, (0.0, 0.1), where=_unreachable)
    label = "best 0.03 above the target, 200 cases: recommended"
    yield ShareRow(12, label, scenarios, recommends, (0.6, 1.0), where=partial(_reachable, margin=CLEARLY))
    label = "any target in reach, 200 cases: recommended"
    yield ShareRow(12, label, scenarios, recommends, (0.3, 1.0), where=partial(_reachable, margin=REACHABLE))


def _without_target() -> Iterable[Row]:
    yield from _chances(13, "no target", ("one seed", "three seeds", "various"))


def _chances(number: int, when: str, scenarios: tuple[str, ...]) -> Iterable[Row]:
    """Of the recommended in all and by what was stated, and of any configuration by what was stated."""
    whole = f"{when}: P of the recommended"
    yield ChanceRow(number, whole, scenarios, at("", items.recommended_chance), None, where=_calibrated)
    for what, judge in {"the recommended": items.recommended_chance, "any": items.every_chance}.items():
        for least, most in BINS:
            if least == 0 and judge is items.recommended_chance:
                continue
            label = f"{when}: P of {what}, stated {least:g} to {min(most, 1):g}"
            part = partial(_within, judge=judge, least=least, most=most)
            yield ChanceRow(number, label, scenarios, at("", part), None, where=_calibrated)


def _plateaus() -> Iterable[Row]:
    scenarios = ("one seed", "three seeds", "various")
    wrong = at("", items.wrong_plateaus)
    yield ShareRow(14, "plateau claimed: wrongly", scenarios, wrong, (0.0, 0.12))
    for family in FAMILIES:
        where = partial(_of_family, family=family)
        yield ShareRow(14, f"plateau claimed: wrongly, {family}", scenarios, wrong, (0.0, 0.2), where=where)
    yield ShareRow(14, "true plateau: claimed", scenarios, at("", items.found_plateaus), None)


def _single() -> Iterable[Row]:
    line, end = at("", items.gain_read), at("", items.end_read)
    yield ShareRow(15, "noise-free lines: gain of twice the cases within 15 %", ("noise-free line",), line, (1.0, 1.0))
    yield ShareRow(15, "noise-free ends, gain up to 0.003: said up to 0.005", ("noise-free end",), end, (1.0, 1.0))
    yield ShareRow(17, "one run at 0.05: recommendation unmoved", ("bad run",), items.unmoved, (0.9, 1.0))
    yield ShareRow(17, "one run at 0.05: not worse by the tolerance", ("bad run",), items.not_worse, (0.95, 1.0))


def _within(
    said: Any, truth: Any, *, judge: Callable[[Any, Any], Iterable[Chance]], least: float, most: float
) -> Iterable[Chance]:
    return (chance for chance in judge(said, truth) if least <= chance.stated < most)


def _calibrated(scene: Any) -> bool:
    return bool(scene.design.num_validation >= CALIBRATED_FROM)


def _tested_on(scene: Any, cases: int) -> bool:
    return bool(scene.design.num_test == cases)


def _of_family(scene: Any, family: str) -> bool:
    return bool(scene.design.family == family)


def _unreachable(scene: Any) -> bool:
    return bool(scene.design.margin > REACHABLE)


def _reachable(scene: Any, margin: float) -> bool:
    return bool(scene.design.margin <= margin and scene.design.num_test == MANY)
