"""What a study has done so far, as plain values and as text for an 80-column terminal."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from models.metrics import summarise_sets
from storage.records import CellState
from studies.results.known_facts import known_facts
from studies.spec import recorded_spec

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from models.metrics import MetricSummary
    from storage.ledger.count_rows import StudyCounts
    from storage.records import Cell, CellRecord, StudyRecord
    from studies.results.known_facts import KnownFacts


SKIPPED = "skipped"  # of cells that wait, or were closed, with a forecast in their place


def status_of(
    study: StudyRecord, records: Sequence[CellRecord], counts: StudyCounts, spent_seconds: float
) -> dict[str, Any]:
    """The state of a study and of each cell, ready for JSON; measured and forecast values under names of their own."""
    states = Counter(_state(record.cell) for record in records)
    metrics = _metrics(counts)
    named = any(record.cell.plan.variant for record in records)
    known = known_facts(study, records)
    return {
        "study": study.name,
        "policy": recorded_spec(study).policy,
        "cells": len(records),
        "states": {state: states[state] for state in (*CellState, SKIPPED) if states[state]},
        "finished": all(not record.cell.state.is_open or record.cell.skip is not None for record in records),
        "spent_seconds": spent_seconds if known.seconds else None,
        "scores": {"validation": known.validation, "test": None if known.one_score else known.test},
        "fingerprint": study.fingerprint,
        "per_cell": [
            _cell(record, metrics.get(record.cell.plan.key, {}), named=named) | _unknown(known) for record in records
        ],
    }


def render_status(status: dict[str, Any]) -> str:
    """The same as text."""
    states = ", ".join(f"{number} {state.replace('_', ' ')}" for state, number in status["states"].items())
    validation, test = ("" if name is None else name.replace("validation", "val") for name in status["scores"].values())
    spent = [] if status["spent_seconds"] is None else [f"spent {status['spent_seconds']:,.0f} device seconds"]
    lines = [
        f"Study {status['study']} (policy {status['policy']}): {status['cells']} cells: {states}",
        *spent,
        "",
        f"{'state':<11} {'eval.':>6} {validation:>8} {test:>8} {'seconds' if spent else '':>9}  cell",
    ]
    lines += [_line(cell) for cell in status["per_cell"]]
    lines += [f"{cell['cell']}: {cell['stop_reason']}" for cell in status["per_cell"] if cell["stop_reason"]]
    lines += [f"{cell['cell']} failed: {cell['failure']}" for cell in status["per_cell"] if cell["failure"]]
    return "\n".join(lines) + "\n"


def _metrics(counts: StudyCounts) -> dict[str, dict[str, float]]:
    """Metrics of the scored cells, by key and name."""
    cells = zip(counts.keys, summarise_sets(counts.validation), summarise_sets(counts.test), strict=True)
    return {key: _named("val", validation) | _named("test", test) for key, validation, test in cells}


def _named(part: str, metrics: Mapping[str, MetricSummary]) -> dict[str, float]:
    return {
        f"{part}_{name}{suffix}": value
        for name, summary in metrics.items()
        for suffix, value in (("", summary.mean), ("_pooled", summary.pooled))
    }


def _unknown(known: KnownFacts) -> dict[str, None]:
    """What an imported table did not tell of its cells."""
    names = {"parameters": ("parameters",), "seconds": ("device", "device_name", "device_seconds", "spent_seconds")}
    return {name: None for fact, of_fact in names.items() if not getattr(known, fact) for name in of_fact}


def _cell(record: CellRecord, metrics: Mapping[str, float], *, named: bool) -> dict[str, Any]:
    plan, attempt, totals = record.cell.plan, record.attempt, record.totals
    return {
        "cell": plan.key,
        "ratio": plan.ratio,
        "depth": plan.depth,
        **({"variant": plan.variant} if named else {}),
        "seed": plan.seed,
        "num_cases": plan.num_cases,
        "parameters": plan.parameters,
        "trial_number": record.cell.trial_number,
        "role": plan.role,
        "state": _state(record.cell),
        "attempt": record.cell.attempt,
        "losses": record.cell.losses,
        "evaluations": totals.evaluations,
        "best_val_dsc": totals.best_val_dsc,
        **metrics,
        "device": attempt.device,
        "device_name": attempt.device_name,
        "device_seconds": record.device_seconds,
        "spent_seconds": record.spent_seconds,
        "stop_reason": attempt.stop_reason,
        "forecast_val_dsc": None if attempt.forecast is None else attempt.forecast.mean,
        "skip": None if record.cell.skip is None else asdict(record.cell.skip),
        "failure": attempt.failure,
        "notes": list(attempt.notes),
    }


def _state(cell: Cell) -> str:
    return SKIPPED if cell.skip is not None else cell.state.value


def why(record: CellRecord) -> str:
    """What was decided of one cell, and on which values."""
    return "\n".join([f"{record.cell.plan.key}: {_state(record.cell).replace('_', ' ')}", *_reasons(record)]) + "\n"


def _reasons(record: CellRecord) -> Iterator[str]:
    attempt, skip, best = record.attempt, record.cell.skip, record.best
    if record.cell.plan.role != "grid":
        purpose = {"confirm": "confirms the recommendation with a fresh seed", "repeat": "repeats a flagged run"}
        yield f"added to the grid: it {purpose[record.cell.plan.role]}"
    if best is not None:
        yield f"measured: {len(record.curve)} evaluations, best validation DSC {best.val_dsc:.4f} at {best.evaluation}"
    if attempt.stop_reason is not None:
        yield f"stopped: {attempt.stop_reason}"
    if attempt.forecast is not None:
        end = attempt.forecast
        yield f"forecast: {end.mean:.4f} [{end.lower:.4f}, {end.upper:.4f}] at the last evaluation ({end.method})"
    if skip is not None:
        yield skip.reason
        yield f"forecast: {skip.mean:.4f} [{skip.lower:.4f}, {skip.upper:.4f}] for one run"
    if attempt.failure is not None:
        yield f"failed: {attempt.failure}"


def _line(cell: dict[str, Any]) -> str:
    """The name last: those of variants are long, and may wrap."""
    state = cell["state"].replace("_", " ")
    val, test = (_score(cell.get(name)) for name in ("best_val_dsc", "test_dsc"))
    seconds = "" if cell["device_seconds"] is None else f"{cell['device_seconds']:,.1f}"
    numbers = f"{cell['evaluations']:>6} {val:>8} {test:>8} {seconds:>9}"
    return f"{state:<11} {numbers}  {cell['cell']}"


def _score(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"
