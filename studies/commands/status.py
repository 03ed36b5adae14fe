"""`dicecurve status`: what a study has done so far, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from storage.errors import InputError
from studies.commands.arguments import OK, show, study_command, take_json
from studies.commands.opened import find_study, open_ledger

if TYPE_CHECKING:
    import argparse

    from storage.ledger.ledger import Ledger
    from storage.records import StudyRecord


def add(commands: Any) -> None:
    """Add the command to the parser."""
    command = study_command(commands, "status", _run, "what a study has done so far")
    take_json(command)
    command.add_argument("--watch", action="store_true", help="follow a running study, from any machine, to its end")
    command.add_argument("--why", metavar="CELL", help="what was decided of one cell, and on which values")


def _run(options: argparse.Namespace) -> int:
    from storage.ledger.cell_records import cell_totals, spent_seconds
    from storage.ledger.count_rows import study_counts
    from studies.monitor.progress import watch
    from studies.monitor.status import render_status, status_of

    with open_ledger(options.storage) as ledger:
        study = find_study(ledger, options.study or options.name)
        if options.watch:
            watch(ledger, study)
            study = find_study(ledger, study.name)
        if options.why:
            return _why(ledger, study, options.why)
        records, counts = cell_totals(ledger, study.study_id), study_counts(ledger, study.study_id)
        status = status_of(study, records, counts, spent_seconds(ledger, study.study_id))
    show(options, status, lambda: render_status(status))
    return OK


def _why(ledger: Ledger, study: StudyRecord, key: str) -> int:
    from storage.ledger.cell_records import cell_records
    from studies.monitor.status import why

    records = cell_records(ledger, study.study_id, [key])
    if not records:
        known = ", ".join(cell.plan.key for cell in ledger.cells(study.study_id)[:3])
        raise InputError(f"no cell {key!r} in this study; cells are named like {known} (--why)")
    print(why(records[0]), end="")
    return OK
