"""`dicecurve import`: a new study from an exported one, or from a table of numbers."""

from __future__ import annotations

import shlex
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any

from studies.commands.arguments import OK, storage_command

if TYPE_CHECKING:
    import argparse

COLUMNS = 80


def add(commands: Any) -> None:
    """Add the command to the parser."""
    command = storage_command(commands, "import", _run, "a new study from an exported one, or from a table of numbers")
    command.add_argument("source", help="folder that export --all wrote, or a table (CSV, Parquet)")
    command.add_argument(
        "--cases", metavar="N", type=int, help="training cases at ratio 1; a table of ratios alone needs it"
    )


def _run(options: argparse.Namespace) -> int:
    from studies.interop.import_study import import_from

    imported = import_from(Path(options.source), options.storage, options.name, options.cases)
    for note in imported.notes:
        print(textwrap.fill(f"{options.source}: {note}", COLUMNS))
    name = imported.study.name
    print(f"study {name!r}; `dicecurve report --name {shlex.quote(name)}` answers from it")
    return OK
