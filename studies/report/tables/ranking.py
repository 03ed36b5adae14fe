"""The ranking of configurations, and what each depth's data curve says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from studies.report.components import Column, Row, Table, variant_cells, variant_columns
from studies.report.text.formatting import NONE, bounded_case_count, dsc_with_interval, estimate
from studies.report.text.ranking_columns import columns_of, flagged_runs, shows_flags
from studies.results.known_facts import known_of

if TYPE_CHECKING:
    from search.analysis.answer import Answer
    from search.curves.curve_answer import DepthAnswer


def ranking_table(answer: Answer, currency: str) -> Table:
    """Every configuration, in the order of the ranking."""
    columns = columns_of("page", answer)
    rows = []
    for row in answer.ranking:
        texts = (column.text(row, answer) for column in columns)
        cells = tuple(NONE if text is None else text for text in texts)
        rows.append(Row(cells, marked=row is answer.recommended))
    heads = tuple(Column(column.heading("page", currency), numeric=column.numeric) for column in columns)
    return Table("Configurations by cost per 0.01 DSC", heads, tuple(rows))


def depth_table(answer: Answer) -> Table:
    """What the data curve of each depth says, on test cases where they are told apart."""
    columns = (
        Column("depth"),
        *variant_columns(named=answer.has_variants),
        Column(f"within {answer.tolerance:g} of all [90 %]"),
        Column("plateau [90 %]"),
        Column("gain by doubling [90 %]"),
        Column(f"fitted {known_of(answer).test} at {answer.num_train} cases [90 %]"),
        *([Column("flagged")] if shows_flags(answer) else []),
        Column("note", numeric=False, long=True),
    )
    rows = tuple(Row(_depth_cells(depth, answer)) for depth in answer.depths)
    return Table("Data curve of each depth", columns, rows)


def _depth_cells(depth: DepthAnswer, answer: Answer) -> tuple[str, ...]:
    flagged = (flagged_runs(depth, answer),) if shows_flags(answer) else ()
    recipe = (str(depth.depth), *variant_cells(depth.variant, named=answer.has_variants))
    curve = depth.on_test
    if curve is None:
        return (*recipe, NONE, NONE, NONE, NONE, *flagged, depth.reason or "")
    return (
        *recipe,
        bounded_case_count(curve.sufficient, depth.fewest_cases),
        bounded_case_count(curve.plateau, depth.fewest_cases),
        dsc_with_interval(curve.doubling_gain, curve.doubling_gain_interval),
        estimate(curve.dsc),
        *flagged,
        curve.verdict,
    )
