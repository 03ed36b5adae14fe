"""The answer in sentences, for a reader who knows medicine and not this program."""

from __future__ import annotations

from typing import TYPE_CHECKING

from search.curves.curve_answer import SURE
from search.prices import SECONDS_PER_HOUR
from storage.variants import configuration_of, name_of, recipe_of
from studies.report.text.formatting import amount, bounded_case_count, dsc_with_interval, estimate, interval
from studies.report.text.known_words import price_covers
from studies.report.text.uncertainty import precision_sentences, ties_sentence, unlike_sentence
from studies.report.text.verdicts import growth_sentence, target_sentences
from studies.results.known_facts import known_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from search.analysis.annotation import AnnotationPlan
    from search.analysis.answer import Answer
    from search.analysis.best_buy import BestBuy
    from search.analysis.ranking import RankedConfiguration
    from search.curves.backtest import Backtest
    from search.curves.curve_answer import CurveAnswer, DepthAnswer
    from storage.variants import Recipe

UNREACHED = f"A plateau with ? is not reached with P >= {SURE:g} within the cases at hand."


def sentences(answer: Answer, currency: str) -> Iterator[str]:
    """The answer in words, what matters most first."""
    if answer.wanted is not None:
        yield from target_sentences(answer.wanted, answer)
    if answer.reason is not None:
        yield _sentence(answer.reason)
    if answer.recommended is not None:
        yield _recommendation(answer.recommended, answer, currency)
        yield from filter(None, [ties_sentence(answer)])
        yield from precision_sentences(answer.precision)
    yield from filter(None, [unlike_sentence(answer)])
    subject = _subject(answer)
    if subject is not None:
        yield from _flagged(subject, answer)
        yield from _curve(subject, answer)
        yield from _backtest(subject, answer)
    yield from _to_annotate(answer, currency)
    if answer.best_buy is not None:
        yield _best_buy(answer.best_buy, currency)


def _subject(answer: Answer) -> Recipe | None:
    """The recipe that the sentences are about: recommended, else the one to plan with."""
    if answer.recommended is not None:
        return recipe_of(answer.recommended)
    return None if answer.wanted is None or answer.wanted.chosen is None else recipe_of(answer.wanted.chosen)


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
    has_target, has_cases = answer.target is not None, not known_of(answer).is_table
    yield growth_sentence(depth.on_test, answer.num_train, has_target=has_target, has_cases=has_cases)
    yield _sufficient(depth.on_test, depth, answer)


def _recommendation(row: RankedConfiguration, answer: Answer, currency: str) -> str:
    known = known_of(answer)
    per_dsc = "" if row.cost_per_dsc is None else f" ({amount(row.cost_per_dsc)} {currency} per 0.01 DSC)"
    alone = f"; one new run: {interval(row.estimate.run_interval)}" if row.estimate.run_interval else ""
    fresh = "" if row.confirmed_dsc is None else f" The fresh seed has test DSC {row.confirmed_dsc:.3f}."
    return (
        f"Recommended: {recommended_recipe(row, answer)} with {row.num_cases} cases (ratio {row.ratio:.4g}):"
        f" {known.test} {estimate(row.estimate)}{alone}; {amount(row.price)} {currency}{per_dsc} for"
        f" {_paid(row, answer)}.{fresh}"
    )


def _paid(row: RankedConfiguration, answer: Answer) -> str:
    """What a price is for, in hours and cases."""
    known = known_of(answer)
    if not known.seconds:
        return price_covers(known)
    about = "about " if row.seconds_estimated else ""
    hours = f"{about}{amount(row.training_seconds / SECONDS_PER_HOUR)} {row.device.upper()} h of training"
    held_out = f" + {answer.num_validation + answer.num_test} cases, the latter for validation and test"
    return f"{hours} and {row.num_cases}{held_out if known.held_out else ' training cases'}"


def recommended_recipe(row: RankedConfiguration, answer: Answer) -> str:
    """Its depth and variant, the protocol's own too where there are others."""
    own = answer.has_variants and not row.variant
    return f"{recipe_of(row)} ({name_of(row.variant)})" if own else str(recipe_of(row))


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
        yield f"Cases for it: {_plan(goals['recommended'], answer, currency)}."
    if "target, assured" in goals:
        yield f"Cases for the target: {_plan(goals['target, assured'], answer, currency)}."


def _plan(plan: AnnotationPlan, answer: Answer, currency: str) -> str:
    """Cases by part, patients, and what is still to be paid."""
    patients = "" if plan.patients is None else f" of about {plan.patients} patients or groups"
    by_part = f" ({plan.training} training + {plan.validation} validation + {plan.test} test)"
    parts = f"{plan.total} cases{patients}{by_part}" if known_of(answer).held_out else f"{plan.training} training cases"
    owned = f", {plan.missing} of them still to annotate" if plan.missing else ", all of them there"
    return f"{parts}{owned}{f', {amount(plan.price)} {currency}' if plan.missing else ''}"


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


def _sufficient(curve: CurveAnswer, depth: DepthAnswer, answer: Answer) -> str:
    count = curve.sufficient
    ratio = "" if count.ratio is None else f" (ratio {count.ratio:.2g})"
    cases = f"{bounded_case_count(count, depth.fewest_cases)} cases{ratio}"
    return f"Within {answer.tolerance:g} of all {answer.num_train} cases at {recipe_of(depth)}: from {cases} on."


def has_unreached(answer: Answer) -> bool:
    """Whether the plateau of a depth has a question mark."""
    curves = [depth.on_test for depth in answer.depths if depth.on_test is not None]
    return any(not curve.reached and curve.plateau.cases is not None for curve in curves)


def _sentence(reason: str) -> str:
    return f"{reason[0].upper()}{reason[1:]}."
