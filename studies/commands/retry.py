"""`dicecurve retry`: let failed cells wait again for the next run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from studies.commands.arguments import OK, study_command
from studies.commands.opened import open_ledger, read_study

if TYPE_CHECKING:
    import argparse


def add(commands: Any) -> None:
    """Add the command to the parser."""
    command = study_command(commands, "retry", _run, "let failed cells wait again for the next run")
    command.add_argument("--cell", metavar="CELL", action="append", help="only this one; may be given again")


def _run(options: argparse.Namespace) -> int:
    from storage.errors import StorageError
    from storage.records import CellState

    with open_ledger(options.storage) as ledger:
        study, records = read_study(ledger, options.study or options.name)
        failed = [record.cell.plan.key for record in records if record.cell.state == CellState.FAILED]
        unknown = sorted(set(options.cell or ()) - set(failed))
        if unknown:
            raise StorageError(f"cell {unknown[0]} has not failed; failed are: {', '.join(failed) or 'none'} (--cell)")
        waiting = [key for key in options.cell or failed if ledger.retry(study.study_id, key)]
    print(f"{len(waiting)} cells wait again; `dicecurve run` goes on with them")
    return OK
