"""The answer in words, for a reader who knows medicine and not this program."""

from __future__ import annotations

from typing import TYPE_CHECKING

from search.curves.curve_answer import SURE
from storage.variants import name_of, recipe_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from search.analysis.annotation import AnnotationPlan
    from search.analysis.answer import Answer
    from search.analysis.best_buy import BestBuy
    from search.analysis.ranking import RankedConfiguration
    from search.analysis.target import DepthTarget, TargetAnswer
    from search.curves.backtest import Backtest
    from search.curves.curve_answer import CaseCount, CurveAnswer, DepthAnswer
    from search.curves.intervals import Estimate, Interval
    from storage.variants import Recipe

WIDEST_AMOUNT = 1e7  # beyond, digits would leave their column
LEAST_WHOLE_AMOUNT = 100
# Resampling knows neither n - 1 nor Student's t: of ten its intervals are some 15 % too narrow.
FEW_TO_RESAMPLE = 10
UNREACHED = f"A plateau with ? is not reached with P >= {SURE:g} within the cases at hand."


def sentences(answer: Answer, currency: str) -> Iterator[str]:
    """The answer in words, what matters most first."""
    if answer.reason is not None:
        yield _sentence(answer.reason)
    if answer.recommended is not None:
        yield _recommendation(answer.recommended, answer, currency)
    if answer.wanted is not None:
        yield from _target(answer.wanted, answer, currency)
    told = _told(answer)
    if told is not None:
        yield from _flagged(told, answer)
        yield from _curve(told, answer)
        yield from _backtest(told, answer)
    yield from _to_annotate(answer, currency)
    yield from _few_cases(answer)
    if answer.best_buy is not None:
        yield _best_buy(answer.best_buy, currency)


def _told(answer: Answer) -> Recipe | None:
    """The recipe that the words are about: recommended, else nearest to the target."""
    if answer.recommended is not None:
        return recipe_of(answer.recommended)
    return None if answer.wanted is None or answer.wanted.best is None else recipe_of(answer.wanted.best)


def _flagged(told: Recipe, answer: Answer) -> Iterator[str]:
    depth = _depth_of(told, answer)
    if depth.num_flagged:
        yield (
            f"{depth.num_flagged} of {depth.num_measured} trainings at {told} did not learn, or collapsed: a further"
            " one may have to be repeated, which no price here includes."
        )


def _depth_of(told: Recipe, answer: Answer) -> DepthAnswer:
    return next(each for each in answer.depths if recipe_of(each) == told)


def _curve(told: Recipe, answer: Answer) -> Iterator[str]:
    depth = _depth_of(told, answer)
    if depth.reason is not None:
        yield _sentence(f"{recipe_of(depth)}: {depth.reason}")
    if depth.on_test is None:
        return
    yield _enough(depth.on_test, depth, answer.num_train)
    yield _plateau(depth.on_test, depth, answer.num_train)


def _recommendation(row: RankedConfiguration, answer: Answer, currency: str) -> str:
    hours = f"{'about ' if row.seconds_estimated else ''}{amount(row.training_seconds / 3600)} {row.device.upper()} h"
    held_out = answer.num_validation + answer.num_test
    per_dsc = "" if row.cost_per_dsc is None else f" ({amount(row.cost_per_dsc)} {currency} per 0.01 DSC)"
    alone = f"; one new run: {interval(row.estimate.run_interval)}" if row.estimate.run_interval else ""
    fresh = "" if row.confirmed_dsc is None else f" The fresh seed has test DSC {row.confirmed_dsc:.3f}."
    return (
        f"Recommended: {recommended_recipe(row, answer)} with {row.num_cases} cases (ratio {row.ratio:.4g}): test DSC"
        f" {dsc_estimate(row.estimate)}{alone}; {amount(row.price)} {currency}{per_dsc} for {hours} of training and"
        f" {row.num_cases} + {held_out} cases, the latter for validation and test.{fresh}"
    )


def recommended_recipe(row: RankedConfiguration, answer: Answer) -> str:
    """Its depth and variant, the protocol's own too where there are others."""
    own = answer.has_variants and not row.variant
    return f"{recipe_of(row)} ({name_of(row.variant)})" if own else str(recipe_of(row))


def _target(wanted: TargetAnswer, answer: Answer, currency: str) -> Iterator[str]:
    if wanted.best is not None:
        yield _target_cases(wanted.best, wanted.target, answer)
    if wanted.cheapest is not None:
        row = wanted.cheapest
        kind = "forecast, not yet measured" if row.is_forecast else "measured"
        yield (
            f"Cheapest configuration for it: {recipe_of(row)} with {row.num_cases} cases,"
            f" {amount(row.price)} {currency} (P = {row.p_floor:.2f} on validation cases; {kind})."
        )


def _target_cases(best: DepthTarget, target: float, answer: Answer) -> str:
    count = best.cases
    if count.cases is not None:
        ratio = "" if count.ratio is None else f" (ratio {count.ratio:.2g})"
        fewest = next(each.fewest_cases for each in answer.depths if recipe_of(each) == recipe_of(best))
        bound = "at most " if count.cases == fewest else ""
        run = f"{best.run_interval.lower:.0f}, {'>' * best.run_capped}{best.run_interval.upper:.0f}"
        beyond = ", extrapolated beyond the cases at hand" if best.extrapolated else ""
        return (
            f"For a DSC of {target:g}: {bound}{case_count(count)} training cases{ratio} at {recipe_of(best)}{beyond};"
            f" for one new run [{run}]."
        )
    return (
        f"The target DSC of {target:g} lies {best.shortfall:.3f} {interval(best.shortfall_interval)} above what all"
        f" {answer.num_train} cases give at {recipe_of(best)}. Twice as many, extrapolated, would give"
        f" {best.dsc_doubled:.3f} {interval(best.dsc_doubled_interval)}, and reach it with P = {best.p_doubled:.2f}."
    )


def _backtest(told: Recipe, answer: Answer) -> Iterator[str]:
    tests = answer.backtests
    if tests:
        yield backtest_sentence(next((each for each in tests if recipe_of(each) == told), tests[-1]))
    elif any(depth.on_test is not None for depth in answer.depths):
        yield "No backtest yet: it takes two numbers of cases up to half of those at hand, and one beyond."


def backtest_sentence(test: Backtest) -> str:
    """What the forecasts of this study are worth."""
    runs = "" if test.seeds == 1 else f" (mean of {test.seeds} runs)"
    return (
        f"Backtest: fitted to the cells of up to {test.seen_cases} cases, the forecast for {test.num_cases} at"
        f" {recipe_of(test)} was {test.forecast.value:.3f} {interval(test.forecast.run_interval)}; measured"
        f" {test.measured:.3f}{runs}, {'inside' if test.inside else 'outside'}."
    )


def _to_annotate(answer: Answer, currency: str) -> Iterator[str]:
    goals = {plan.goal: plan for plan in answer.plans}
    if "recommended" in goals:
        yield f"To annotate for it: {plan_words(goals['recommended'], currency)}."
    elif "target" in goals:
        yield f"To annotate for the target: {plan_words(goals['target'], currency)}."


def _few_cases(answer: Answer) -> Iterator[str]:
    """A warning where intervals rest on a handful of cases."""
    validation, test = answer.num_validation_groups, answer.num_test_groups
    if answer.recommended is None or not 0 < min(validation, test) < FEW_TO_RESAMPLE:
        return
    each_its_own = (validation, test) == (answer.num_validation, answer.num_test)
    yield (
        f"There are only {validation} validation and {test} test {'cases' if each_its_own else 'groups of cases'}:"
        " intervals that resample so few are too narrow."
    )


def plan_words(plan: AnnotationPlan, currency: str) -> str:
    """Cases by part, patients, and what is still to be paid."""
    patients = "" if plan.patients is None else f" of about {plan.patients} patients or groups"
    owned = "" if plan.missing == plan.total else f", {plan.missing} of them beyond those owned"
    return (
        f"{plan.total} cases{patients} ({plan.training} training + {plan.validation} validation + {plan.test} test)"
        f"{owned}, {amount(plan.price)} {currency}"
    )


def _best_buy(buy: BestBuy, currency: str) -> str:
    best = buy.best
    others = "; ".join(
        f"{recipe_of(each)} with {each.num_cases} in {100 * each.share_best:.0f} %" for each in buy.rivals[:2]
    )
    forecast = " (forecast, not yet measured)" * best.is_forecast
    return (
        f"At a worth of {amount(buy.worth)} {currency} per 0.01 DSC the best buy is {recipe_of(best)} with"
        f" {best.num_cases} cases{forecast}, {amount(best.price)} {currency}: best in"
        f" {100 * best.share_best:.0f} % of the replicates{f' ({others})' if others else ''}."
    )


def _enough(curve: CurveAnswer, depth: DepthAnswer, num_train: int) -> str:
    count = curve.sufficient
    ratio = "" if count.ratio is None else f" (ratio {count.ratio:.2g})"
    cases = f"{at_most(count, depth)}{case_count(count)} of {num_train} cases"
    return f"Enough within the data at {recipe_of(depth)}: {cases}{ratio}."


def _plateau(curve: CurveAnswer, depth: DepthAnswer, num_train: int) -> str:
    doubling = f"doubling brings {curve.doubling_gain:.3f} {interval(curve.doubling_gain_interval)}"
    further = f"100 further cases bring {curve.gain_per_100_cases:.3f} {interval(curve.gain_per_100_cases_interval)}"
    if not curve.reached:
        return f"No plateau within {num_train} cases; {doubling}; {further}."
    return f"Plateau: {at_most(curve.plateau, depth)}{case_count(curve.plateau)} cases; {doubling}; {further}."


def at_most(count: CaseCount, depth: DepthAnswer) -> str:
    """Nothing is read off below the fewest cases that were tried: there, the true number may be smaller."""
    return "at most " if count.cases == depth.fewest_cases else ""


def case_count(count: CaseCount, *, unsure: bool = False) -> str:
    """A number of cases with its interval; with a question mark where it is ``unsure``."""
    lower, upper = f"{count.interval.lower:.0f}", f"{count.interval.upper:.0f}"
    beyond = f">{upper}"
    value = beyond if count.cases is None else f"{count.cases}{'?' * unsure}"
    return f"{value} [{lower}, {beyond if count.capped else upper}]"


def has_unreached(answer: Answer) -> bool:
    """Whether the plateau of a depth has a question mark."""
    curves = [depth.on_test for depth in answer.depths if depth.on_test is not None]
    return any(not curve.reached and curve.plateau.cases is not None for curve in curves)


def dsc_estimate(estimate: Estimate) -> str:
    """A DSC with the interval of its mean."""
    return f"{estimate.value:.3f}" + (f" {interval(estimate.mean_interval)}" if estimate.mean_interval else "")


def interval(given: Interval | None) -> str:
    """An interval of DSC in brackets, or nothing."""
    return "" if given is None else f"[{given.lower:.3f}, {given.upper:.3f}]"


def amount(value: float) -> str:
    """A price or a number of hours, in at most nine characters."""
    if value >= WIDEST_AMOUNT:
        return f"{value:.3g}"
    return f"{value:,.0f}" if value >= LEAST_WHOLE_AMOUNT else f"{value:.3g}"


def _sentence(reason: str) -> str:
    return f"{reason[0].upper()}{reason[1:]}."
