"""`dicecurve import`: a new study from an exported one, or from a table of numbers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from studies.commands.arguments import OK, storage_command

if TYPE_CHECKING:
    import argparse


def add(commands: Any) -> None:
    """Add the command to the parser."""
    command = storage_command(commands, "import", _run, "a new study from an exported one, or from a table of numbers")
    command.add_argument("source", help="folder that export --all wrote, or a table (CSV, Parquet)")
    command.add_argument("--cases", metavar="N", type=int, help="training cases at ratio 1, of a table")


def _run(options: argparse.Namespace) -> int:
    from studies.interop.import_study import import_from

    study = import_from(Path(options.source), options.storage, options.name, options.cases)
    print(f"study {study.name!r}; `dicecurve report --name {study.name}` answers from it")
    return OK
