"""The answer in sentences, for a reader who knows medicine and not this program."""

from __future__ import annotations

from typing import TYPE_CHECKING

from search.curves.curve_answer import SURE
from search.prices import SECONDS_PER_HOUR
from storage.variants import configuration_of, name_of, recipe_of
from studies.report.text.formatting import amount, bounded_case_count, dsc_with_interval, estimate, interval

if TYPE_CHECKING:
    from collections.abc import Iterator

    from search.analysis.annotation import AnnotationPlan
    from search.analysis.answer import Answer
    from search.analysis.best_buy import BestBuy
    from search.analysis.ranking import RankedConfiguration
    from search.analysis.target import DepthTarget, TargetAnswer
    from search.curves.backtest import Backtest
    from search.curves.curve_answer import CurveAnswer, DepthAnswer
    from storage.variants import Recipe

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
    subject = _subject(answer)
    if subject is not None:
        yield from _flagged(subject, answer)
        yield from _curve(subject, answer)
        yield from _backtest(subject, answer)
    yield from _to_annotate(answer, currency)
    yield from _few_cases(answer)
    if answer.best_buy is not None:
        yield _best_buy(answer.best_buy, currency)


def _subject(answer: Answer) -> Recipe | None:
    """The recipe that the sentences are about: recommended, else nearest to the target."""
    if answer.recommended is not None:
        return recipe_of(answer.recommended)
    return None if answer.wanted is None or answer.wanted.best is None else recipe_of(answer.wanted.best)


def _flagged(subject: Recipe, answer: Answer) -> Iterator[str]:
    depth = _depth_of(subject, answer)
    if depth.num_flagged:
        yield (
            f"{depth.num_flagged} of {depth.num_measured} trainings at {subject} did not learn, or collapsed: a further"
            " one may have to be repeated, which no price here includes."
        )


def _depth_of(subject: Recipe, answer: Answer) -> DepthAnswer:
    return next(depth for depth in answer.depths if recipe_of(depth) == subject)


def _curve(subject: Recipe, answer: Answer) -> Iterator[str]:
    depth = _depth_of(subject, answer)
    if depth.reason is not None:
        yield _sentence(f"{recipe_of(depth)}: {depth.reason}")
    if depth.on_test is None:
        return
    yield _enough(depth.on_test, depth, answer.num_train)
    yield _plateau(depth.on_test, depth, answer.num_train)


def _recommendation(row: RankedConfiguration, answer: Answer, currency: str) -> str:
    about = "about " if row.seconds_estimated else ""
    hours = f"{about}{amount(row.training_seconds / SECONDS_PER_HOUR)} {row.device.upper()} h"
    held_out = answer.num_validation + answer.num_test
    per_dsc = "" if row.cost_per_dsc is None else f" ({amount(row.cost_per_dsc)} {currency} per 0.01 DSC)"
    alone = f"; one new run: {interval(row.estimate.run_interval)}" if row.estimate.run_interval else ""
    fresh = "" if row.confirmed_dsc is None else f" The fresh seed has test DSC {row.confirmed_dsc:.3f}."
    return (
        f"Recommended: {recommended_recipe(row, answer)} with {row.num_cases} cases (ratio {row.ratio:.4g}): test DSC"
        f" {estimate(row.estimate)}{alone}; {amount(row.price)} {currency}{per_dsc} for {hours} of training and"
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
            f"Cheapest configuration for it: {configuration_of(row)}, {amount(row.price)} {currency} (P ="
            f" {row.p_floor:.2f} on validation cases; {kind})."
        )


def _target_cases(best: DepthTarget, target: float, answer: Answer) -> str:
    count = best.cases
    if count.cases is not None:
        ratio = "" if count.ratio is None else f" (ratio {count.ratio:.2g})"
        cases = bounded_case_count(count, _depth_of(recipe_of(best), answer).fewest_cases)
        run = f"{best.run_interval.lower:.0f}, {'>' * best.run_capped}{best.run_interval.upper:.0f}"
        beyond = ", extrapolated beyond the cases at hand" if best.extrapolated else ""
        return (
            f"For a DSC of {target:g}: {cases} training cases{ratio} at {recipe_of(best)}{beyond};"
            f" for one new run [{run}]."
        )
    return (
        f"The target DSC of {target:g} lies {dsc_with_interval(best.shortfall, best.shortfall_interval)} above what all"
        f" {answer.num_train} cases give at {recipe_of(best)}. Twice as many, extrapolated, would give"
        f" {dsc_with_interval(best.dsc_doubled, best.dsc_doubled_interval)}, and reach it with P ="
        f" {best.p_doubled:.2f}."
    )


def _backtest(subject: Recipe, answer: Answer) -> Iterator[str]:
    tests = answer.backtests
    if tests:
        yield _backtest_sentence(next((test for test in tests if recipe_of(test) == subject), tests[-1]))
    elif any(depth.on_test is not None for depth in answer.depths):
        yield "No backtest yet: it takes two numbers of cases up to half of those at hand, and one beyond."


def _backtest_sentence(test: Backtest) -> str:
    """What the forecasts of this study are worth."""
    runs = "" if test.seeds == 1 else f" (mean of {test.seeds} runs)"
    return (
        f"Backtest: fitted to the cells of up to {test.seen_cases} cases, the forecast for {test.num_cases} at"
        f" {recipe_of(test)} was {dsc_with_interval(test.forecast.value, test.forecast.run_interval)}; measured"
        f" {test.measured:.3f}{runs}, {'inside' if test.inside else 'outside'}."
    )


def _to_annotate(answer: Answer, currency: str) -> Iterator[str]:
    goals = {plan.goal: plan for plan in answer.plans}
    if "recommended" in goals:
        yield f"To annotate for it: {_plan(goals['recommended'], currency)}."
    elif "target" in goals:
        yield f"To annotate for the target: {_plan(goals['target'], currency)}."


def _few_cases(answer: Answer) -> Iterator[str]:
    """A warning where intervals rest on a handful of cases."""
    validation, test = answer.num_validation_groups, answer.num_test_groups
    if answer.recommended is None or not 0 < min(validation, test) < FEW_TO_RESAMPLE:
        return
    ungrouped = (validation, test) == (answer.num_validation, answer.num_test)
    yield (
        f"There are only {validation} validation and {test} test {'cases' if ungrouped else 'groups of cases'}:"
        " intervals that resample so few are too narrow."
    )


def _plan(plan: AnnotationPlan, currency: str) -> str:
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
        f"{recipe_of(rival)} with {rival.num_cases} in {100 * rival.share_best:.0f} %" for rival in buy.rivals[:2]
    )
    forecast = " (forecast, not yet measured)" * best.is_forecast
    return (
        f"At a worth of {amount(buy.worth)} {currency} per 0.01 DSC the best buy is {configuration_of(best)}"
        f"{forecast}, {amount(best.price)} {currency}: best in"
        f" {100 * best.share_best:.0f} % of the replicates{f' ({others})' if others else ''}."
    )


def _enough(curve: CurveAnswer, depth: DepthAnswer, num_train: int) -> str:
    count = curve.sufficient
    ratio = "" if count.ratio is None else f" (ratio {count.ratio:.2g})"
    cases = f"{bounded_case_count(count, depth.fewest_cases)} of {num_train} cases"
    return f"Enough within the data at {recipe_of(depth)}: {cases}{ratio}."


def _plateau(curve: CurveAnswer, depth: DepthAnswer, num_train: int) -> str:
    doubling = f"doubling brings {dsc_with_interval(curve.doubling_gain, curve.doubling_gain_interval)}"
    gain = dsc_with_interval(curve.gain_per_100_cases, curve.gain_per_100_cases_interval)
    further = f"100 further cases bring {gain}"
    if not curve.reached:
        return f"No plateau within {num_train} cases; {doubling}; {further}."
    return f"Plateau: {bounded_case_count(curve.plateau, depth.fewest_cases)} cases; {doubling}; {further}."


def has_unreached(answer: Answer) -> bool:
    """Whether the plateau of a depth has a question mark."""
    curves = [depth.on_test for depth in answer.depths if depth.on_test is not None]
    return any(not curve.reached and curve.plateau.cases is not None for curve in curves)


def _sentence(reason: str) -> str:
    return f"{reason[0].upper()}{reason[1:]}."
