"""Tables of the answer: what to annotate, the target, the front, the best buy, and backtests."""

from __future__ import annotations

from typing import TYPE_CHECKING

from storage.variants import recipe_of
from studies.report.components import Column, Row, Table, variant_cells, variant_columns
from studies.report.text.formatting import NONE, amount, bounded_case_count, dsc, dsc_with_interval, estimate
from studies.results.known_facts import known_of

if TYPE_CHECKING:
    from search.analysis.annotation import AnnotationPlan
    from search.analysis.answer import Answer
    from search.analysis.best_buy import Buy
    from search.analysis.front import FrontStep
    from search.analysis.target import DepthTarget
    from search.curves.backtest import Backtest

SHARE = 100


def plan_table(answer: Answer, currency: str) -> Table:
    """Cases to annotate for each goal."""
    patients = any(plan.patients is not None for plan in answer.plans)
    columns = (
        Column("goal", numeric=False),
        Column("depth"),
        *variant_columns(named=answer.has_variants),
        Column("training cases [90 %]"),
        *([Column("validation"), Column("test"), Column("total")] if known_of(answer).held_out else []),
        *([Column("patients or groups, about")] if patients else []),
        Column("still to annotate"),
        Column(f"their price, {currency}"),
        Column("note", numeric=False),
    )
    rows = tuple(Row(_plan_cells(plan, answer, patients=patients)) for plan in answer.plans)
    return Table("Annotation plan", columns, rows)


def _plan_cells(plan: AnnotationPlan, answer: Answer, *, patients: bool) -> tuple[str, ...]:
    inside = plan.training_interval
    upper = "" if inside is None else f"{'>' if plan.capped else ''}{inside.upper:.0f}"
    return (
        plan.goal,
        str(plan.depth),
        *variant_cells(plan.variant, named=answer.has_variants),
        f"{plan.training}" if inside is None else f"{plan.training} [{inside.lower:.0f}, {upper}]",
        *([str(plan.validation), str(plan.test), str(plan.total)] if known_of(answer).held_out else []),
        *([NONE if plan.patients is None else str(plan.patients)] if patients else []),
        str(plan.missing),
        amount(plan.price),
        "extrapolated beyond the cases at hand" if plan.extrapolated else "",
    )


def target_table(answer: Answer) -> Table | None:
    """What the wanted DSC takes at each depth."""
    wanted = answer.wanted
    if wanted is None:
        return None
    columns = (
        Column("depth"),
        *variant_columns(named=answer.has_variants),
        Column("training cases [90 %]"),
        Column("for one new run [90 %]"),
        Column(f"P(reached with {answer.num_train})"),
        Column(f"lacking with {answer.num_train} [90 %]"),
        Column(f"DSC with {2 * answer.num_train}, extrapolated [90 %]"),
        Column(f"P(reached with {2 * answer.num_train})"),
        Column("note", numeric=False),
    )
    rows = tuple(Row(_target_cells(depth, answer), marked=depth is wanted.chosen) for depth in wanted.depths)
    curves = "data curves" if known_of(answer).one_score else "curves on test cases"
    return Table(f"What a DSC of {wanted.target:g} takes, read off the {curves}", columns, rows)


def _target_cells(target: DepthTarget, answer: Answer) -> tuple[str, ...]:
    run = target.run_interval
    fewest = next(depth.fewest_cases for depth in answer.depths if recipe_of(depth) == recipe_of(target))
    return (
        str(target.depth),
        *variant_cells(target.variant, named=answer.has_variants),
        bounded_case_count(target.cases, fewest),
        f"[{run.lower:.0f}, {'>' if target.run_capped else ''}{run.upper:.0f}]",
        f"{target.p_at_hand:.2f}",
        dsc_with_interval(target.shortfall, target.shortfall_interval) if target.shortfall > 0 else "nothing",
        dsc_with_interval(target.dsc_doubled, target.dsc_doubled_interval),
        f"{target.p_doubled:.2f}",
        _target_note(target),
    )


def _target_note(target: DepthTarget) -> str:
    if target.cases.cases is None:
        return "out of reach of twice the cases"
    return "extrapolated" if target.extrapolated else ""


def front_table(answer: Answer, currency: str) -> Table:
    """Configurations that no other beats, and what each further 0.01 DSC costs."""
    known = known_of(answer)
    columns = (
        Column("depth"),
        *variant_columns(named=answer.has_variants),
        Column("cases"),
        Column(f"price, {currency}"),
        Column(f"{known.validation}, fitted (decides)"),
        Column(f"{known.test} [90 %]"),
        Column("gain over the row above [90 %]"),
        Column(f"{currency} per further 0.01 DSC"),
        Column("note", numeric=False),
    )
    rows = tuple(Row(_front_cells(step, answer)) for step in answer.front)
    return Table("The front: what more money buys", columns, rows)


def _front_cells(step: FrontStep, answer: Answer) -> tuple[str, ...]:
    notes = [
        *(["forecast: not trained"] if step.is_forecast else []),
        *(["not distinguishable from the row above"] if step.distinguishable is False else []),
    ]
    return (
        str(step.depth),
        *variant_cells(step.variant, named=answer.has_variants),
        str(step.num_cases),
        amount(step.price),
        dsc(step.validation_fitted),
        estimate(step.estimate),
        NONE if step.gain is None else dsc_with_interval(step.gain, step.gain_interval),
        amount(step.icer),
        ", ".join(notes),
    )


def buy_table(answer: Answer, currency: str) -> Table | None:
    """The best buy at the stated worth, and its rivals."""
    bought = answer.best_buy
    if bought is None:
        return None
    columns = (
        Column("depth"),
        *variant_columns(named=answer.has_variants),
        Column("cases"),
        Column(f"price, {currency}"),
        Column(f"worth less price, {currency}"),
        Column("best in, % of replicates"),
        Column("note", numeric=False),
    )
    rows = tuple(Row(_buy_cells(buy, answer), marked=buy is bought.best) for buy in (bought.best, *bought.rivals))
    return Table(f"Best buy if 0.01 DSC is worth {amount(bought.worth)} {currency}", columns, rows)


def _buy_cells(buy: Buy, answer: Answer) -> tuple[str, ...]:
    return (
        str(buy.depth),
        *variant_cells(buy.variant, named=answer.has_variants),
        str(buy.num_cases),
        amount(buy.price),
        amount(buy.net_worth) if buy.net_worth >= 0 else f"-{amount(-buy.net_worth)}",
        f"{SHARE * buy.share_best:.0f}",
        "forecast: not trained" if buy.is_forecast else "",
    )


def backtest_table(answer: Answer) -> Table:
    """What half of the cases would have foretold at each depth."""
    columns = (
        Column("depth"),
        *variant_columns(named=answer.has_variants),
        Column("cells of up to"),
        Column("forecast for"),
        Column(f"forecast {known_of(answer).test} [90 %, one new run]"),
        Column(f"measured {known_of(answer).test}"),
        Column("runs"),
        Column("measured lies", numeric=False),
    )
    rows = tuple(Row(_backtest_cells(test, answer)) for test in answer.backtests)
    return Table("Backtest: the answer's own forecasts, checked", columns, rows)


def _backtest_cells(test: Backtest, answer: Answer) -> tuple[str, ...]:
    return (
        str(test.depth),
        *variant_cells(test.variant, named=answer.has_variants),
        f"{test.seen_cases} cases",
        f"{test.num_cases} cases",
        dsc_with_interval(test.forecast.value, test.forecast.run_interval),
        dsc(test.measured),
        str(test.seeds),
        "inside" if test.inside else "outside",
    )
