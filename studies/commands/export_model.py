"""`dicecurve export-model`: the model of a cell, as a MONAI bundle."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from studies.commands.arguments import OK, storage_command
from studies.commands.opened import open_ledger, read_study

if TYPE_CHECKING:
    import argparse


def add(commands: Any) -> None:
    """Add the command to the parser."""
    command = storage_command(commands, "export-model", _run, "the model of a cell, as a MONAI bundle")
    command.add_argument("cell", metavar="CELL", help="its name, as `dicecurve status` prints it")
    command.add_argument("-o", "--output", metavar="DIR", help="folder to make (default: CELL)")


def _run(options: argparse.Namespace) -> int:
    from studies.interop.export_model import export_model

    folder = Path(options.output or options.cell)
    with open_ledger(options.storage) as ledger:
        study, records = read_study(ledger, options.name)
        export_model(study, records, options.cell, ledger.url, folder)
    print(f"{folder}: a MONAI bundle; {folder / 'docs' / 'README.md'} says how to run it")
    return OK
