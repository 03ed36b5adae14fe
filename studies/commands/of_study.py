"""Commands that read a recorded study: status, report, forecast-table, export, dashboard."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from storage.errors import InputError
from studies.commands.arguments import OK, show, storage_command, study_command, take_json
from studies.commands.opened import find_study, open_ledger, read_study, writable

if TYPE_CHECKING:
    import argparse

    from storage.ledger import Ledger
    from storage.records import StudyRecord


def add(commands: Any) -> None:
    """Add these commands to the parser."""
    status = study_command(commands, "status", _status, "what a study has done so far")
    take_json(status)
    status.add_argument("--watch", action="store_true", help="follow a running study, from any machine, to its end")
    status.add_argument("--why", metavar="CELL", help="what was decided of one cell, and on which values")
    report = study_command(commands, "report", _report, "the answer, and report.html")
    take_json(report)
    report.add_argument("-o", "--output", metavar="FILE", help="where to write")
    table = study_command(
        commands, "forecast-table", _forecast_table, "the paper's comparison of predictors over the data curves"
    )
    take_json(table)
    export = study_command(
        commands, "export", _export, "every evaluation, every case, or the whole study, as CSV or Parquet"
    )
    export.add_argument("-o", "--output", metavar="FILE", help="where to write")
    what = export.add_mutually_exclusive_group()
    what.add_argument("--cases", action="store_true", help="scores of every case instead")
    what.add_argument("--all", action="store_true", help="the whole study, into the folder -o")
    export.add_argument("--format", choices=("parquet", "csv"), default="parquet", help="of --all")
    dashboard = storage_command(commands, "dashboard", _dashboard, "Optuna dashboard on the study's database")
    dashboard.add_argument("--port", type=int, default=8080, help="port on this machine (default: %(default)s)")


def _status(options: argparse.Namespace) -> int:
    from storage.reads import spent_seconds
    from studies.progress import watch
    from studies.status import render_status, status_of, why

    with open_ledger(options.storage) as ledger:
        study, records = read_study(ledger, options.study or options.name)
        if options.watch:
            watch(ledger, study)
            study, records = read_study(ledger, study.name)
        if options.why:
            print(why(records, options.why), end="")
            return OK
        status = status_of(study, records, spent_seconds(ledger, study.study_id))
    show(options, status, lambda: render_status(status))
    return OK


def _report(options: argparse.Namespace) -> int:
    from studies.answering import answer_of
    from studies.commands.reporting import write_report

    with open_ledger(options.storage) as ledger:
        study, records = read_study(ledger, options.study or options.name)
        if options.json:
            print(json.dumps(answer_of(study, records).to_dict(), indent=2))
        else:
            write_report(ledger, study, records, options.output)
    return OK


def _forecast_table(options: argparse.Namespace) -> int:
    from studies.answering import is_measured, measurement
    from studies.forecast_table import forecast_table, render_forecast_table

    with open_ledger(options.storage) as ledger:
        _, records = read_study(ledger, options.study or options.name)
    table = forecast_table([measurement(record) for record in records if is_measured(record)])
    show(options, table, lambda: render_forecast_table(table))
    return OK


def _export(options: argparse.Namespace) -> int:
    from storage.frames import surface
    from studies.answering import case_scores

    with open_ledger(options.storage) as ledger:
        study = find_study(ledger, options.study or options.name)
        if options.all:
            return _export_all(ledger, study, options)
        frame = case_scores(ledger, study) if options.cases else surface(ledger, study.study_id)
    output = writable(Path(options.output)) if options.output else sys.stdout
    frame.to_csv(output, index=False, float_format="%.6g", lineterminator="\n")
    return OK


def _export_all(ledger: Ledger, study: StudyRecord, options: argparse.Namespace) -> int:
    from storage.exchange import export_study

    if not options.output:
        raise InputError("export --all writes a folder; name it with -o")
    export_study(ledger, study, Path(options.output), options.format)
    return OK


def _dashboard(options: argparse.Namespace) -> int:
    from studies.dashboard import start_dashboard

    start_dashboard(options.storage, options.port)
