"""A wanted DSC: how many cases it takes at each depth, and whether those at hand are enough for the chosen network.

Validation cases choose the network; the number of cases is read off its curve on test cases.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from search.curves.curve_answer import case_count
from search.curves.interpolation import Curves
from search.curves.intervals import Interval, interval_of
from search.prices import missing_cases
from storage.variants import OWN, Recipe, recipe_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from search.analysis.good_enough import EnoughRule
    from search.analysis.ranking import RankedConfiguration
    from search.curves.curve_answer import CaseCount
    from search.curves.data_curves import DataCurves
    from search.prices import PriceSpec

    Floats = NDArray[np.float64]

Verdict = Literal["enough", "annotate", "uncertain", "out of reach", "cannot tell"]
HOPELESS = 0.05  # probability of reaching the target with twice the cases below which it is out of reach


@dataclass(frozen=True)
class DepthTarget:
    """What the target takes at one depth, read off its curve on test cases; N is the number of cases at hand.

    Attributes:
        depth: Of the U-Net.
        cases: Fewest cases from which on up to 2N its expected DSC is at least the target: median, and the interval;
            without number where half of the replicates miss it with 2N.
        assured: As many as reach it with the wanted assurance; None beyond 2N.
        run_interval: Of the number at which one new run reaches it, in cases.
        run_capped: Whether that interval ends at 2N because nothing is extrapolated beyond.
        extrapolated: Whether the number lies beyond N.
        p_at_hand: Probability that the expected DSC at N reaches it.
        p_run: The same of one new run at N.
        p_doubled: Probability that the expected DSC reaches it with some number up to 2N; extrapolated.
        shortfall: The target less the expected DSC at N; negative where that exceeds it.
        shortfall_interval: Its interval.
        dsc_doubled: Expected DSC at 2N, extrapolated.
        dsc_doubled_interval: Its interval.
        variant: Of the protocol; empty is its own.
    """

    depth: int
    cases: CaseCount
    assured: int | None
    run_interval: Interval
    run_capped: bool
    extrapolated: bool
    p_at_hand: float
    p_run: float
    p_doubled: float
    shortfall: float
    shortfall_interval: Interval
    dsc_doubled: float
    dsc_doubled_interval: Interval
    variant: str = OWN


@dataclass(frozen=True)
class TargetAnswer:
    """What it takes to reach the target.

    Attributes:
        target: DSC.
        assurance: Probability with which it is to be reached.
        depths: Each recipe that has a curve.
        chosen: The network that validation cases choose: the recommended one, else the one to plan with; None where
            it has no curve.
        is_recommended: Whether a measured configuration of it is recommended; else it is a network to plan with.
        verdict: Whether N cases are enough for it, by its curve on test cases.
        expected_more: Cases to annotate beyond those owned, held-out ones among them, to reach the target as likely as
            not; None beyond 2N.
        assured_more: The same to reach it with the assurance.
        p_validation: Probability on validation cases that the recommended configuration reaches it, else that N cases
            do at the network to plan with.
    """

    target: float
    assurance: float
    depths: tuple[DepthTarget, ...]
    chosen: DepthTarget | None
    is_recommended: bool
    verdict: Verdict
    expected_more: int | None
    assured_more: int | None
    p_validation: float | None


@dataclass(frozen=True, eq=False)
class Reading:
    """The curves that a target is read off, and what stands around them.

    Attributes:
        validation: Curves on validation cases, by variant.
        test: The same on test cases.
        recipes: Those that have a curve of their own.
        rule: What is good enough; it has a target.
        num_train: Training cases at hand, N.
        held_out: Validation and test cases.
        prices: Of cases, and what is owned of them.
    """

    validation: Mapping[str, DataCurves]
    test: Mapping[str, DataCurves]
    recipes: Sequence[Recipe]
    rule: EnoughRule
    num_train: int
    held_out: int
    prices: PriceSpec


def target_answer(
    reading: Reading, ranking: Sequence[RankedConfiguration], recommended: RankedConfiguration | None
) -> TargetAnswer:
    """Read the target off the curves on test cases, at the network that validation cases choose.

    Args:
        reading: The curves.
        ranking: All configurations.
        recommended: The recommended one of them, or None.
    """
    target = reading.rule.target
    assert target is not None
    depths = tuple(_depth_target(reading, recipe, target) for recipe in reading.recipes)
    network = _network_to_plan_with(reading, ranking, target) if recommended is None else recipe_of(recommended)
    chosen = next((depth for depth in depths if recipe_of(depth) == network), None)
    return TargetAnswer(
        target=target,
        assurance=reading.rule.least_chance,
        depths=depths,
        chosen=chosen,
        is_recommended=recommended is not None,
        verdict=_verdict(chosen, reading.rule.least_chance),
        expected_more=None if chosen is None else _more(chosen.cases.cases, reading),
        assured_more=None if chosen is None else _more(chosen.assured, reading),
        p_validation=_p_at_hand(reading, network, target) if recommended is None else recommended.p_floor,
    )


def _verdict(chosen: DepthTarget | None, assurance: float) -> Verdict:
    if chosen is None:
        return "cannot tell"
    if chosen.p_at_hand >= assurance:
        return "enough"
    if chosen.p_doubled >= assurance:
        return "annotate"
    return "out of reach" if max(chosen.p_doubled, chosen.p_at_hand) < HOPELESS else "uncertain"


def _more(training: int | None, reading: Reading) -> int | None:
    """Cases beyond those owned, where the study has all of its own."""
    if training is None:
        return None
    return missing_cases(reading.prices, training + reading.held_out, reading.num_train + reading.held_out)


def _network_to_plan_with(reading: Reading, ranking: Sequence[RankedConfiguration], target: float) -> Recipe | None:
    """The recipe that is assured of the target at the lowest price up to 2N on validation cases, else the likeliest.

    The training of a number of cases that was not tried is priced as that of its recipe's largest.
    """
    priced: list[tuple[float, float, float, Recipe]] = []
    for recipe in reading.recipes:
        reaching = _reaching(reading.validation[recipe.variant], recipe.depth, target, reading.num_train)
        assured = float(_quantile(reaching, reading.rule.least_chance))
        likely = float(np.mean(np.isfinite(reaching)))
        price = reading.prices.case * assured + _training_price(reading, ranking, recipe)
        nearest = float(reading.validation[recipe.variant].expected([recipe.depth], [2.0 * reading.num_train])[0])
        priced.append((price if np.isfinite(assured) else np.inf, -likely, -nearest, recipe))
    return min(priced)[-1] if priced else None


def _training_price(reading: Reading, ranking: Sequence[RankedConfiguration], recipe: Recipe) -> float:
    own = [row for row in ranking if recipe_of(row) == recipe]
    largest = max(own, key=lambda row: row.num_cases, default=None)
    if largest is None:
        return 0.0
    return largest.price - reading.prices.case * (largest.num_cases + reading.held_out)


def _p_at_hand(reading: Reading, network: Recipe | None, target: float) -> float | None:
    if network is None:
        return None
    at_hand = reading.validation[network.variant].drawn([network.depth], [float(reading.num_train)])
    return float(np.mean(at_hand >= target))


def _reaching(curves: DataCurves, depth: int, target: float, num_train: int) -> Floats:
    """Fewest cases from which on up to 2N the target is reached in each replicate, inf where none: shape (R,)."""
    return curves.replicates[depth].reaching(np.array([target]), 2.0 * num_train)


def _quantile(cases: Floats, share: float) -> Floats:
    """The number of cases that is enough in so large a share of the replicates."""
    return np.asarray(np.quantile(cases, share, method="inverted_cdf"))


def _depth_target(reading: Reading, recipe: Recipe, target: float) -> DepthTarget:
    curves, num_train = reading.test[recipe.variant], reading.num_train
    expected, replicates = curves.curve[recipe.depth], curves.replicates[recipe.depth]
    fewest, most, wanted = float(curves.points.num_cases.min()), 2.0 * num_train, np.array([target])
    reaching = _reaching(curves, recipe.depth, target, num_train)
    cases = case_count(_quantile(reaching, 0.5)[None], reaching, fewest, num_train)
    assured = case_count(_quantile(reaching, reading.rule.least_chance)[None], reaching, fewest, num_train)
    single = Curves(replicates.positions, replicates.values + curves.new_run(replicates.positions))
    of_run = case_count(reaching[:1], single.reaching(wanted, most), fewest, num_train)
    at = np.array([float(num_train), most])
    dsc, drawn = expected.at(at)[0], replicates.at(at)
    at_hand, p_at_hand = interval_of(drawn[:, 0]), float(np.mean(drawn[:, 0] >= target))
    return DepthTarget(
        depth=recipe.depth,
        cases=cases,
        # A curve that falls beyond N does not last up to 2N; N cases are enough all the same.
        assured=num_train if assured.cases is None and p_at_hand >= reading.rule.least_chance else assured.cases,
        run_interval=of_run.interval,
        run_capped=of_run.capped,
        extrapolated=cases.cases is None or cases.cases > num_train,
        p_at_hand=p_at_hand,
        p_run=float(np.mean(drawn[:, 0] + curves.new_run(at[:1])[:, 0] >= target)),
        p_doubled=float(np.mean(np.isfinite(reaching))),
        shortfall=float(target - dsc[0]),
        shortfall_interval=Interval(target - at_hand.upper, target - at_hand.lower),
        dsc_doubled=float(dsc[1]),
        dsc_doubled_interval=interval_of(drawn[:, 1]),
        variant=recipe.variant,
    )
