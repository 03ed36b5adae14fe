"""Tables of the study itself: complexity, claims, collapse rates, savings, skipped cells, changes, paper tables."""

from __future__ import annotations

import json
from statistics import median
from typing import TYPE_CHECKING, Any

from search.curves.flagged_runs import collapse_rates
from search.prices import SECONDS_PER_HOUR
from storage.variants import recipe_of
from studies.report.components import Column, Row, Table, variant_cells, variant_columns
from studies.report.text.formatting import NONE, amount, dsc_with_interval, without_places
from studies.report.text.spec_toml import LOCATIONS
from studies.spec import recorded_spec

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from models.protocol import TrainingSpec
    from search.analysis.paper_claims import PaperClaim
    from search.curves.measurements import Measurement
    from storage.records import CellRecord, StudyRecord
    from storage.variants import Recipe
    from studies.results.savings import Savings

GIGA, MILLI = 1e9, 1e-3


def complexity_table(study: StudyRecord, records: Sequence[CellRecord]) -> Table | None:
    """Table 1: what each depth is and takes, times measured in this study."""
    training = recorded_spec(study).training
    if training is None:
        return None
    begun: dict[Recipe, list[CellRecord]] = {recipe: [] for recipe in sorted({recipe_of(r.cell.plan) for r in records})}
    for record in records:
        if record.totals.evaluations:
            begun[recipe_of(record.cell.plan)].append(record)
    parameters = {recipe_of(record.cell.plan): record.cell.plan.parameters for record in records}
    named = any(recipe.variant for recipe in begun)
    columns = (
        Column("depth"),
        *variant_columns(named=named),
        Column("parameters"),
        Column("GFLOPs of one case"),
        Column("inference, cases/s"),
        Column("training, ms/case"),
        Column("cells"),
    )
    rows = []
    for recipe, own in begun.items():
        cells = (str(recipe.depth), *variant_cells(recipe.variant, named=named), f"{parameters[recipe]:,}")
        rows.append(Row((*cells, _gigaflops(study, recipe), *_speeds(own, study, training), str(len(own)))))
    caption = "Table 1. Complexity of each depth; times as this study measured them, medians over cells"
    return Table(caption, columns, tuple(rows))


def _speeds(records: Sequence[CellRecord], study: StudyRecord, training: TrainingSpec) -> tuple[str, str]:
    """Of inference, in cases a second, and of training, in milliseconds a case."""
    num_cases = len(study.split["validation"])
    return (
        _median(_inference(record, num_cases) for record in records),
        _median(_training(record, training.batch) / MILLI for record in records),
    )


def _gigaflops(study: StudyRecord, recipe: Recipe) -> str:
    flops = study.facts.get("flops", {}).get(recipe.key)
    return NONE if flops is None else f"{flops / GIGA:.3g}"


def _median(values: Iterable[float]) -> str:
    positive = [value for value in values if value > 0]
    return f"{median(positive):.3g}" if positive else NONE


def _inference(record: CellRecord, num_cases: int) -> float:
    totals = record.totals
    return num_cases * totals.evaluations / totals.val_seconds if totals.val_seconds > 0 else 0.0


def _training(record: CellRecord, batch: int) -> float:
    """Wall seconds of one case in an optimiser step."""
    return record.totals.train_seconds / max(1, record.totals.last_step) / batch


def claims_table(claims: Sequence[PaperClaim]) -> Table:
    """Claims of the paper, and this study."""
    columns = (
        Column("claim of Lee et al. 2025", numeric=False),
        Column("this study", numeric=False),
        Column("value [90 %]"),
        Column("what was looked at", numeric=False, long=True),
        Column("it holds if", numeric=False, long=True),
    )
    rows = tuple(
        Row((claim.statement, claim.verdict, _claim_value(claim), claim.measure, claim.bar)) for claim in claims
    )
    return Table("Held: the interval agrees. Not held: it disagrees. Undecided: it holds both", columns, rows)


def _claim_value(claim: PaperClaim) -> str:
    if claim.value is None or claim.interval is None:
        return NONE
    return f"{claim.value:.3g} [{claim.interval.lower:.3g}, {claim.interval.upper:.3g}]"


def collapse_table(measurements: Sequence[Measurement]) -> Table:
    """How often trainings failed to learn, by depth, and by variant where there are any."""
    named = any(measurement.variant for measurement in measurements)
    columns = (
        Column("depth"),
        *variant_columns(named=named),
        Column("runs"),
        Column("not learned"),
        Column("collapsed"),
        Column("share flagged [90 %]"),
    )
    rows = tuple(
        Row(
            (
                str(rate.depth),
                *variant_cells(rate.variant, named=named),
                str(rate.runs),
                str(rate.not_learned),
                str(rate.collapsed),
                f"{rate.rate:.2f} [{rate.interval.lower:.2f}, {rate.interval.upper:.2f}]",
            )
        )
        for rate in collapse_rates(measurements)
    )
    return Table("Runs that did not learn, or collapsed", columns, rows)


def skipped_table(records: Sequence[CellRecord]) -> Table:
    """Cells that are not trained, and what is forecast instead."""
    columns = (
        Column("cell", numeric=False),
        Column("validation DSC, forecast [90 %]"),
        Column("reason", numeric=False, long=True),
    )
    rows = tuple(
        Row(
            (
                record.cell.plan.key,
                dsc_with_interval(skip.mean, skip),
                without_places(skip.reason),
            )
        )
        for record in records
        for skip in [record.cell.skip]
        if skip is not None
    )
    return Table("Cells skipped as not worth training", columns, rows)


def savings_table(savings: Savings | None) -> Table | None:
    """What was spent, beside the full grid."""
    if savings is None:
        return None
    hours = f"{savings.device.upper()} h"
    rows = (
        ("spent so far, lost work included", amount(savings.spent / SECONDS_PER_HOUR)),
        ("the full grid: trained to the end", amount(savings.measured / SECONDS_PER_HOUR)),
        ("the full grid: estimated or predicted for the rest", amount(savings.predicted / SECONDS_PER_HOUR)),
        ("the full grid, together", amount(savings.whole / SECONDS_PER_HOUR)),
        ("spent, as a share of the full grid", f"{savings.share:.1%}"),
    )
    return Table(
        f"Savings against training all {savings.cells} cells of the grid to the end",
        (Column("what", numeric=False), Column(hours)),
        tuple(Row(row) for row in rows),
    )


def paper_tables(table: Mapping[str, Any]) -> list[Table]:
    """Tables 2 and 3, one a protocol."""
    depths = [*map(str, table["depths"]), "all"]
    columns = (
        Column("predictor", numeric=False),
        *(Column(depth if depth == "all" else f"depth {depth}") for depth in depths),
    )
    titles = {
        "as published": "Table 2. Mean absolute error ± SD as published: fitted and scored on the same curves",
        "honest": "Table 3. Mean absolute error ± SD with the scored depth held out",
    }
    variant = f" ({table['variant']})" if "variant" in table else ""
    rows = {protocol: [row for row in table["rows"] if row["protocol"] == protocol] for protocol in titles}
    return [
        Table(f"{titles[protocol]}{variant}", columns, tuple(Row(_predictor_cells(row, depths)) for row in own))
        for protocol, own in rows.items()
        if own
    ]


def _predictor_cells(row: Mapping[str, Any], depths: Sequence[str]) -> tuple[str, ...]:
    errors = (f"{row['mae'][depth]:.4f} ± {row['sd'][depth]:.4f}" for depth in depths)
    return (f"{row['method']}{' *' * row['sees_future']}", *errors)


def changes_table(changes: Sequence[Mapping[str, Any]]) -> Table:
    """What was changed in the spec since the first start, a row a value."""
    rows = tuple(
        Row(
            (f"{change['changed_at']:%Y-%m-%d %H:%M}", name, *(without_places(_text(value[k])) for k in ("was", "now")))
        )
        for change in changes
        for name, value in json.loads(change["changes"]).items()
        if name not in LOCATIONS
    )
    columns = (
        Column("when, UTC", numeric=False),
        Column("value", numeric=False),
        Column("was", numeric=False, long=True),
        Column("became", numeric=False, long=True),
    )
    return Table("Changes since the first start", columns, rows)


def values_table(caption: str, values: Mapping[str, Any]) -> Table:
    """Nested values, a row each, under dotted names."""
    rows = tuple(Row((name, without_places(_text(value)))) for name, value in _flat(values))
    return Table(caption, (Column("name", numeric=False), Column("value", numeric=False, long=True)), rows)


def _flat(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in values.items():
        if not prefix and name in LOCATIONS:
            continue
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def _text(value: Any) -> str:
    if value is None:
        return NONE
    if isinstance(value, (list, tuple)):
        return ", ".join(map(_text, value)) or NONE
    return f"{value:.6g}" if isinstance(value, float) else str(value)
