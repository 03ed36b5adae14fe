"""Tables of the answer: what to annotate, the target, the front, the best buy, and backtests."""

from __future__ import annotations

from typing import TYPE_CHECKING

from storage.variants import recipe_of
from studies.report.components import Column, Row, Table, variant_cells, variant_columns
from studies.report.text.formatting import NONE, amount, case_count, dsc, estimate, interval

if TYPE_CHECKING:
    from search.analysis.annotation import AnnotationPlan
    from search.analysis.answer import Answer
    from search.analysis.front import FrontStep
    from search.analysis.target import DepthTarget
    from search.curves.backtest import Backtest

SHARE = 100


def plan_table(found: Answer, currency: str) -> Table:
    """Cases to annotate for each goal."""
    patients = any(plan.patients is not None for plan in found.plans)
    columns = (
        Column("goal", numeric=False),
        Column("depth"),
        *variant_columns(named=found.has_variants),
        Column("training cases [90 %]"),
        Column("validation"),
        Column("test"),
        Column("total"),
        *([Column("patients or groups, about")] if patients else []),
        Column("still to annotate"),
        Column(f"their price, {currency}"),
        Column("note", numeric=False),
    )
    return Table(
        "Annotation plan", columns, tuple(Row(_plan_cells(plan, found, patients=patients)) for plan in found.plans)
    )


def _plan_cells(plan: AnnotationPlan, found: Answer, *, patients: bool) -> tuple[str, ...]:
    inside = plan.training_interval
    upper = "" if inside is None else f"{'>' if plan.capped else ''}{inside.upper:.0f}"
    return (
        plan.goal,
        str(plan.depth),
        *variant_cells(plan.variant, named=found.has_variants),
        f"{plan.training}" if inside is None else f"{plan.training} [{inside.lower:.0f}, {upper}]",
        str(plan.validation),
        str(plan.test),
        str(plan.total),
        *([NONE if plan.patients is None else str(plan.patients)] if patients else []),
        str(plan.missing),
        amount(plan.price),
        "extrapolated beyond the cases at hand" if plan.extrapolated else "",
    )


def target_table(found: Answer) -> Table | None:
    """What the wanted DSC takes at each depth."""
    wanted = found.wanted
    if wanted is None:
        return None
    columns = (
        Column("depth"),
        *variant_columns(named=found.has_variants),
        Column("training cases [90 %]"),
        Column("for one new run [90 %]"),
        Column(f"P(reached with {found.num_train})"),
        Column(f"lacking with {found.num_train} [90 %]"),
        Column(f"DSC with {2 * found.num_train}, extrapolated [90 %]"),
        Column(f"P(reached with {2 * found.num_train})"),
        Column("note", numeric=False),
    )
    rows = tuple(Row(_target_cells(each, found), marked=each is wanted.best) for each in wanted.depths)
    return Table(f"What a DSC of {wanted.target:g} takes, read off the curves on test cases", columns, rows)


def _target_cells(each: DepthTarget, found: Answer) -> tuple[str, ...]:
    run = each.run_interval
    fewest = next(depth.fewest_cases for depth in found.depths if recipe_of(depth) == recipe_of(each))
    return (
        str(each.depth),
        *variant_cells(each.variant, named=found.has_variants),
        case_count(each.cases, fewest),
        f"[{run.lower:.0f}, {'>' if each.run_capped else ''}{run.upper:.0f}]",
        f"{each.p_at_hand:.2f}",
        f"{dsc(each.shortfall)} {interval(each.shortfall_interval)}" if each.shortfall > 0 else "nothing",
        f"{dsc(each.dsc_doubled)} {interval(each.dsc_doubled_interval)}",
        f"{each.p_doubled:.2f}",
        _target_note(each),
    )


def _target_note(each: DepthTarget) -> str:
    if each.cases.cases is None:
        return "out of reach of twice the cases"
    return "extrapolated" if each.extrapolated else ""


def front_table(found: Answer, currency: str) -> Table:
    """Configurations that no other beats, and what each further 0.01 DSC costs."""
    columns = (
        Column("depth"),
        *variant_columns(named=found.has_variants),
        Column("cases"),
        Column(f"price, {currency}"),
        Column("validation DSC, fitted (decides)"),
        Column("test DSC [90 %]"),
        Column("gain over the row above [90 %]"),
        Column(f"{currency} per further 0.01 DSC"),
        Column("note", numeric=False),
    )
    return Table(
        "The front: what more money buys", columns, tuple(Row(_front_cells(step, found)) for step in found.front)
    )


def _front_cells(step: FrontStep, found: Answer) -> tuple[str, ...]:
    notes = [
        *(["forecast: not trained"] if step.is_forecast else []),
        *(["not distinguishable from the row above"] if step.distinguishable is False else []),
    ]
    return (
        str(step.depth),
        *variant_cells(step.variant, named=found.has_variants),
        str(step.num_cases),
        amount(step.price),
        dsc(step.validation_fitted),
        estimate(step.estimate),
        NONE if step.gain is None else f"{dsc(step.gain)} {interval(step.gain_interval)}",
        amount(step.icer),
        ", ".join(notes),
    )


def buy_table(found: Answer, currency: str) -> Table | None:
    """The best buy at the stated worth, and its rivals."""
    bought = found.best_buy
    if bought is None:
        return None
    columns = (
        Column("depth"),
        *variant_columns(named=found.has_variants),
        Column("cases"),
        Column(f"price, {currency}"),
        Column(f"worth less price, {currency}"),
        Column("best in, % of replicates"),
        Column("note", numeric=False),
    )
    rows = tuple(
        Row(
            (
                str(each.depth),
                *variant_cells(each.variant, named=found.has_variants),
                str(each.num_cases),
                amount(each.price),
                amount(each.net_worth) if each.net_worth >= 0 else f"-{amount(-each.net_worth)}",
                f"{SHARE * each.share_best:.0f}",
                "forecast: not trained" if each.is_forecast else "",
            ),
            marked=each is bought.best,
        )
        for each in (bought.best, *bought.rivals)
    )
    return Table(f"Best buy if 0.01 DSC is worth {amount(bought.worth)} {currency}", columns, rows)


def backtest_table(found: Answer) -> Table:
    """What half of the cases would have foretold at each depth."""
    columns = (
        Column("depth"),
        *variant_columns(named=found.has_variants),
        Column("cells of up to"),
        Column("forecast for"),
        Column("forecast test DSC [90 %, one new run]"),
        Column("measured test DSC"),
        Column("runs"),
        Column("measured lies", numeric=False),
    )
    return Table(
        "Backtest: the answer's own forecasts, checked",
        columns,
        tuple(Row(_backtest_cells(t, found)) for t in found.backtests),
    )


def _backtest_cells(test: Backtest, found: Answer) -> tuple[str, ...]:
    return (
        str(test.depth),
        *variant_cells(test.variant, named=found.has_variants),
        f"{test.seen_cases} cases",
        f"{test.num_cases} cases",
        f"{dsc(test.forecast.value)} {interval(test.forecast.run_interval)}",
        dsc(test.measured),
        str(test.seeds),
        "inside" if test.inside else "outside",
    )
