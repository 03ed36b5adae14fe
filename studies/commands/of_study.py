"""Commands that read a recorded study: status, report, forecast-table, export, export-model, dashboard."""

from __future__ import annotations

import json
import sys
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any

from storage.errors import InputError
from studies.commands.arguments import OK, show, storage_command, study_command, take_json
from studies.commands.opened import find_study, open_ledger, read_study, without_collecting, writable

if TYPE_CHECKING:
    import argparse

    from storage.ledger import Ledger
    from storage.records import StudyRecord

COLUMNS = 80
WHOLE_CURVES = 300  # cells of a large study whose training curves are read, those that were stopped aside


def add(commands: Any) -> None:
    """Add these commands to the parser."""
    status = study_command(commands, "status", _status, "what a study has done so far")
    take_json(status)
    status.add_argument("--watch", action="store_true", help="follow a running study, from any machine, to its end")
    status.add_argument("--why", metavar="CELL", help="what was decided of one cell, and on which values")
    _take_report(study_command(commands, "report", _report, "the answer, and report.html"))
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
    model = storage_command(commands, "export-model", _export_model, "the model of a cell, as a MONAI bundle")
    model.add_argument("cell", metavar="CELL", help="its name, as `dicecurve status` prints it")
    model.add_argument("-o", "--output", metavar="DIR", help="folder to make (default: CELL)")
    dashboard = study_command(commands, "dashboard", _dashboard, "Optuna dashboard on the study's page")
    dashboard.add_argument("--port", type=int, default=8080, help="port to listen on (default: %(default)s)")
    dashboard.add_argument(
        "--host",
        default="127.0.0.1",
        help="address to listen on (default: %(default)s, which no other machine reaches)",
    )


def _take_report(report: argparse.ArgumentParser) -> None:
    what = report.add_mutually_exclusive_group()
    what.add_argument("--json", action="store_true", help="print every number as JSON, and write nothing")
    what.add_argument("--methods", action="store_true", help="print a paragraph for a paper, and write nothing")
    report.add_argument("-o", "--output", metavar="FILE", help="where to write (default: report.html by the database)")
    report.add_argument("--target-dsc", metavar="DSC", type=float, help="DSC that is needed")
    report.add_argument("--worth", metavar="AMOUNT", type=float, help="what 0.01 DSC is worth, for the best buy")
    report.add_argument(
        "--set",
        metavar="KEY=VALUE",
        action="append",
        default=[],
        dest="overrides",
        help="ask with another value, such as prices.case=12 or tolerance=0.02; nothing is trained for it",
    )
    report.add_argument(
        "--paper-tables", action="store_true", help="fit the paper's LSTMs for its Tables 2 and 3: minutes"
    )
    report.add_argument(
        "--format", metavar="LIST", default="", help="also write tables and figures: csv, json, png, pdf, with commas"
    )


def _status(options: argparse.Namespace) -> int:
    from storage.count_rows import study_counts
    from storage.reads import spent_seconds
    from storage.summaries import cell_summaries
    from studies.progress import watch
    from studies.status import render_status, status_of

    with open_ledger(options.storage) as ledger:
        study = find_study(ledger, options.study or options.name)
        if options.watch:
            watch(ledger, study)
            study = find_study(ledger, study.name)
        if options.why:
            return _why(ledger, study, options.why)
        number = study.study_id
        status = status_of(
            study, cell_summaries(ledger, number), study_counts(ledger, number), spent_seconds(ledger, number)
        )
    show(options, status, lambda: render_status(status))
    return OK


def _why(ledger: Ledger, study: StudyRecord, key: str) -> int:
    from storage.reads import cell_records
    from studies.status import why

    found = cell_records(ledger, study.study_id, [key])
    if not found:
        known = ", ".join(cell.plan.key for cell in ledger.cells(study.study_id)[:3])
        raise InputError(f"no cell {key!r} in this study; cells are named like {known} (--why)")
    print(why(found[0]), end="")
    return OK


def _report(options: argparse.Namespace) -> int:
    from storage.count_rows import study_counts
    from storage.summaries import summed_records
    from studies.answering import findings_of
    from studies.commands.reporting import write_report
    from studies.question import ask
    from studies.report.formats import formats_of
    from studies.report.methods import methods_paragraph

    formats = formats_of(options.format)
    with without_collecting(), open_ledger(options.storage) as ledger:
        study = find_study(ledger, options.study or options.name)
        question = ask(study, options.overrides, options.target_dsc, options.worth)
        records = summed_records(ledger, study.study_id, WHOLE_CURVES)
        counts = study_counts(ledger, study.study_id)
        if options.json:
            print(json.dumps(findings_of(study, records, 0.0, question, counts).answer.to_dict(), indent=2))
        elif options.methods:
            print(textwrap.fill(methods_paragraph(findings_of(study, records, 0.0, question, counts)), COLUMNS))
        else:
            write_report(
                ledger,
                study,
                records,
                options.output,
                question=question,
                counts=counts,
                formats=formats,
                paper_tables=options.paper_tables,
            )
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


def _export_model(options: argparse.Namespace) -> int:
    from studies.model_bundle import export_model

    folder = Path(options.output or options.cell)
    with open_ledger(options.storage) as ledger:
        study, records = read_study(ledger, options.name)
        export_model(study, records, options.cell, ledger.url, folder)
    print(f"{folder}: a MONAI bundle; {folder / 'docs' / 'README.md'} says how to run it")
    return OK


def _dashboard(options: argparse.Namespace) -> int:
    from studies.dashboard import open_dashboard, warning_of

    if warning := warning_of(options.host):
        print(warning, file=sys.stderr)
    with open_dashboard(options.storage, options.study or options.name, options.host, options.port) as server:
        print(f"http://{options.host}:{server.server_port}/ (Ctrl-C ends it)", flush=True)
        server.serve_forever()
    return OK
