"""The ranking of configurations, and what each depth's data curve says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from studies.report.components import Column, Row, Table, variant_cells, variant_columns
from studies.report.text.formatting import NONE, amount, case_count, dsc, estimate, interval

if TYPE_CHECKING:
    from collections.abc import Iterator

    from search.analysis.answer import Answer
    from search.analysis.ranking import RankedConfiguration
    from search.curves.curve_answer import DepthAnswer


def ranking_table(found: Answer, currency: str) -> Table:
    """Every configuration, in the order of the ranking."""
    columns = (
        Column("rank"),
        Column("depth"),
        *variant_columns(named=found.has_variants),
        Column("cases"),
        Column("ratio"),
        Column("runs"),
        Column("validation DSC, fitted (decides)"),
        Column("validation DSC, measured"),
        Column("test DSC, measured [90 %]"),
        Column("test DSC, forecast [90 %]"),
        Column(f"price, {currency}"),
        Column(f"{currency} per 0.01 DSC"),
        Column("P(reaches floor)"),
        Column("note", numeric=False),
    )
    rows = tuple(Row(_ranking_cells(row, found), marked=row is found.recommended) for row in found.ranking)
    return Table("Configurations by cost per 0.01 DSC", columns, rows)


def _ranking_cells(row: RankedConfiguration, found: Answer) -> tuple[str, ...]:
    return (
        NONE if row.rank is None else str(row.rank),
        str(row.depth),
        *variant_cells(row.variant, named=found.has_variants),
        str(row.num_cases),
        f"{row.ratio:.4g}",
        str(row.seeds),
        dsc(row.validation_fitted),
        dsc(row.validation_dsc),
        NONE if row.test_dsc is None else estimate(row.test_dsc),
        NONE if row.test_forecast is None else estimate(row.test_forecast),
        f"{'~' if row.seconds_estimated else ''}{amount(row.price)}",
        amount(row.cost_per_dsc),
        NONE if row.p_floor is None else f"{row.p_floor:.2f}",
        ", ".join(_ranking_notes(row, found)),
    )


def _ranking_notes(row: RankedConfiguration, found: Answer) -> Iterator[str]:
    if row is found.recommended:
        yield "recommended"
    if row.is_forecast:
        yield "not trained: forecast"
    if row.confirmed_dsc is not None:
        yield f"fresh seed {dsc(row.confirmed_dsc)}"
    if row.flag is not None:
        yield f"flagged: {row.flag.replace('_', ' ')}"
    elif not row.eligible:
        yield "not eligible"
    elif row.safe:
        yield "safe"


def depth_table(found: Answer) -> Table:
    """What the data curve of each depth says, on test cases."""
    columns = (
        Column("depth"),
        *variant_columns(named=found.has_variants),
        Column("enough cases [90 %]"),
        Column("plateau [90 %]"),
        Column("gain by doubling [90 %]"),
        Column(f"fitted test DSC at {found.num_train} cases [90 %]"),
        Column("flagged"),
        Column("note", numeric=False, long=True),
    )
    return Table("Data curve of each depth", columns, tuple(Row(_depth_cells(each, found)) for each in found.depths))


def _depth_cells(each: DepthAnswer, found: Answer) -> tuple[str, ...]:
    flagged = f"{each.num_flagged} of {each.num_measured}"
    which = (str(each.depth), *variant_cells(each.variant, named=found.has_variants))
    curve = each.on_test
    if curve is None:
        return (*which, NONE, NONE, NONE, NONE, flagged, each.reason or "")
    return (
        *which,
        case_count(curve.sufficient, each.fewest_cases),
        case_count(curve.plateau, each.fewest_cases),
        f"{dsc(curve.doubling_gain)} {interval(curve.doubling_gain_interval)}",
        estimate(curve.dsc),
        flagged,
        "plateau reached" if curve.reached else "no plateau within the data",
    )
