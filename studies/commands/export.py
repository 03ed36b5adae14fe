"""`dicecurve export`: every evaluation, every case, or the whole study, as files."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from storage.errors import InputError
from studies.commands.arguments import OK, study_command
from studies.commands.opened import find_study, open_ledger

if TYPE_CHECKING:
    import argparse

    from storage.ledger.ledger import Ledger
    from storage.records import StudyRecord


def add(commands: Any) -> None:
    """Add the command to the parser."""
    command = study_command(
        commands, "export", _run, "every evaluation, every case, or the whole study, as CSV or Parquet"
    )
    command.add_argument("-o", "--output", metavar="FILE", help="where to write")
    what = command.add_mutually_exclusive_group()
    what.add_argument("--cases", action="store_true", help="scores of every case instead")
    what.add_argument("--all", action="store_true", help="the whole study, into the folder -o")
    command.add_argument("--format", choices=("parquet", "csv"), default="parquet", help="of --all")


def _run(options: argparse.Namespace) -> int:
    from storage.frames.study_frames import surface
    from studies.report.exports import writable
    from studies.results.findings import case_scores

    with open_ledger(options.storage) as ledger:
        study = find_study(ledger, options.study or options.name)
        if options.all:
            return _export_all(ledger, study, options)
        frame = case_scores(ledger, study) if options.cases else surface(ledger, study.study_id)
    output = writable(Path(options.output)) if options.output else sys.stdout
    frame.to_csv(output, index=False, float_format="%.6g", lineterminator="\n")
    return OK


def _export_all(ledger: Ledger, study: StudyRecord, options: argparse.Namespace) -> int:
    from storage.frames.exchange import export_study

    if not options.output:
        raise InputError("export --all writes a folder; name it with -o")
    export_study(ledger, study, Path(options.output), options.format)
    return OK
