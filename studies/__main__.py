"""The command line: `dicecurve`, or `python -m studies`.

Exit codes: 0 done; 1 a defect of ours; 2 input that a person can put right; 3 some cells failed, or the doctor found
something; 130 interrupted.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from storage.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from storage.ledger import Ledger
    from storage.records import CellRecord, StudyRecord
    from studies.run import PreparedStudy
    from studies.spec import StudySpec

OK, BAD_INPUT, SOME_FAILED, INTERRUPTED = 0, 2, 3, 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    options = _parser().parse_args(arguments)
    command: Callable[[argparse.Namespace], int] = options.command
    try:
        if "storage" in options:
            options.storage = _storage(options.storage)
        return command(options)
    except InputError as error:
        print(f"dicecurve: {error}", file=sys.stderr)
        return BAD_INPUT
    except KeyboardInterrupt:
        print("dicecurve: interrupted; the same command goes on from here", file=sys.stderr)
        return INTERRUPTED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="dicecurve",
        description="How many annotated cases and how deep a residual U-Net are enough for the Dice score you need.",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    run = _command(commands, "run", _run, "start a study, or go on with it")
    _take_spec(run)
    run.add_argument("--data", metavar="DIR", help="folder of the dataset")
    run.add_argument("--no-wait", action="store_true", help="leave when other drivers hold all that is left")
    preparing = _command(commands, "prepare", _prepare, "read and check the data before any training")
    _take_spec(preparing)
    preparing.add_argument("--data", metavar="DIR", help="folder of the dataset")
    preparing.add_argument("--json", action="store_true", help="print JSON")
    complexity = _plain_command(commands, "complexity", _complexity, "parameters, FLOPs and speed of each depth")
    _take_spec(complexity)
    complexity.add_argument("--json", action="store_true", help="print JSON")
    _take_numbers(commands)
    for name, function, text in (
        ("status", _status, "what a study has done so far"),
        ("report", _report, "the answer, and report.html"),
        ("forecast-table", _forecast_table, "the paper's comparison of predictors over the data curves"),
        ("export", _export, "every evaluation, every case, or the whole study, as CSV or Parquet"),
        ("doctor", _doctor, "look for stale leases, lost checkpoints and version drift"),
        ("retry", _retry, "let failed cells wait again for the next run"),
        ("dashboard", _dashboard, "Optuna dashboard on the study's page"),
    ):
        command = _command(commands, name, function, text)
        command.add_argument("study", nargs="?", help="name of the study (default: the only one)")
        if name in {"status", "report", "forecast-table"}:
            command.add_argument("--json", action="store_true", help="print JSON")
        if name == "status":
            command.add_argument("--why", metavar="CELL", help="what was decided of one cell, and on which values")
        if name in {"report", "export"}:
            command.add_argument("-o", "--output", metavar="FILE", help="where to write")
        if name == "retry":
            command.add_argument("--cell", metavar="CELL", action="append", help="only this one; may be given again")
        if name == "export":
            what = command.add_mutually_exclusive_group()
            what.add_argument("--cases", action="store_true", help="scores of every case instead")
            what.add_argument("--all", action="store_true", help="the whole study, into the folder -o")
            command.add_argument("--format", choices=("parquet", "csv"), default="parquet", help="of --all")
        if name == "doctor":
            command.add_argument("--fix", action="store_true", help="mend what can be mended")
            command.add_argument("--watch", metavar="SECONDS", type=float, default=0.0, help="watch others' leases")
        if name == "dashboard":
            command.add_argument("--port", type=int, default=8080, help="port to listen on (default: %(default)s)")
            command.add_argument(
                "--host", default="127.0.0.1", help="address to listen on (default: %(default)s, this machine alone)"
            )
    _take_places(commands)
    return parser


def _take_numbers(commands: Any) -> None:
    """Commands that work on tables of numbers."""
    forecast = _plain_command(commands, "forecast", _forecast, "forecast the curves of a CSV file; needs no study")
    forecast.add_argument("curves", metavar="CSV", help="a row a point; columns such as depth tell curves apart")
    forecast.add_argument("--column", required=True, help="the measured values, such as dsc")
    forecast.add_argument(
        "--x", metavar="COLUMN", help="their positions (default: evaluation, epoch, step, ratio, ...)"
    )
    forecast.add_argument("--at", metavar="X", type=float, action="append", required=True, help="may be given again")
    forecast.add_argument("--json", action="store_true", help="print JSON")
    replaying = _plain_command(commands, "replay", _replay, "what the policy would have spent on a recorded surface")
    replaying.add_argument("surface", metavar="CSV", help="a row an evaluation, as `export` writes them")
    replaying.add_argument("--policy", choices=("grid", "forecast"), default="forecast", help="default: %(default)s")
    replaying.add_argument("--gpus", type=int, default=1, help="simulated GPUs (default: %(default)s)")
    replaying.add_argument("--tolerance", type=float, default=0.01, help="in DSC (default: %(default)s)")
    replaying.add_argument("--target-dsc", type=float, help="DSC to reach (default: the best less the tolerance)")
    replaying.add_argument("--d0", type=float, default=0.2, help='DSC of "all foreground" (default: %(default)s)')
    replaying.add_argument("--held-out", type=int, default=300, help="validation and test cases (default: %(default)s)")
    replaying.add_argument(
        "--seed", type=int, action="append", help="of the grid (default: the lowest); others are fresh"
    )
    replaying.add_argument("--json", action="store_true", help="print JSON")


def _take_places(commands: Any) -> None:
    """Commands that make studies and databases from elsewhere."""
    importing = _command(commands, "import", _import, "a new study from an exported one, or from a table of numbers")
    importing.add_argument("source", help="folder that export --all wrote, or a table (CSV, Parquet)")
    importing.add_argument("--cases", metavar="N", type=int, help="training cases at ratio 1, of a table")
    database = _plain_command(commands, "database", _database, "a private PostgreSQL server for several machines")
    database.add_argument("action", choices=("start", "stop"))
    database.add_argument("folder", metavar="DIR", help="where its files lie")
    database.add_argument("--host", help="address to listen on (default: 127.0.0.1)")
    database.add_argument("--port", type=int, help="port (default: one that is free)")


def _storage(given: str | None) -> str:
    from studies.storage_choice import chosen_storage

    return chosen_storage(given)


def _command(commands: Any, name: str, function: Callable[..., int], text: str) -> argparse.ArgumentParser:
    command = _plain_command(commands, name, function, text)
    command.add_argument(
        "--storage",
        metavar="URL",
        help="database (default: DICECURVE_STORAGE, else the URL in the file DICECURVE_STORAGE_FILE, else "
        "sqlite:///dicecurve.db)",
    )
    command.add_argument("--name", metavar="STUDY", help="name of the study")
    return command


def _plain_command(commands: Any, name: str, function: Callable[..., int], text: str) -> argparse.ArgumentParser:
    """A command that needs no database."""
    command: argparse.ArgumentParser = commands.add_parser(name, help=text, description=text[0].upper() + text[1:])
    command.set_defaults(command=function)
    return command


def _take_spec(command: argparse.ArgumentParser) -> None:
    command.add_argument("spec", nargs="?", default="folder", help="preset or TOML file (default: %(default)s)")
    command.add_argument(
        "--set", metavar="KEY=VALUE", action="append", default=[], dest="overrides", help="change a value"
    )


def _run(options: argparse.Namespace) -> int:
    from studies.preparing import preparing_bar
    from studies.run import prepare_study

    spec = _spec(options)
    with preparing_bar() as progress:
        prepared = prepare_study(spec, options.storage, wait_for_others=not options.no_wait, progress=progress)
    if prepared.warning:
        print(prepared.warning, file=sys.stderr)
    with prepared.ledger as ledger:
        end = _run_and_show(prepared)
        study, records = _read(ledger, prepared.study.name)
        _write_report(ledger, study, records, None)
    failed = [record for record in records if record.attempt.failure is not None]
    if failed:
        print(f"{len(failed)} of {len(records)} cells failed; see `dicecurve status`", file=sys.stderr)
    if end == "limit":
        print(f"the limit of {spec.gpu_hours:g} device hours is spent; raise gpu_hours to go on", file=sys.stderr)
    if end == "interrupted":
        print("interrupted; the same command goes on from here", file=sys.stderr)
        return INTERRUPTED
    return SOME_FAILED if failed else OK


def _run_and_show(prepared: PreparedStudy) -> str:
    from search.run_cells import run_cells
    from studies.progress import ProgressDisplay
    from studies.study_page import PageKeeper

    evaluations = prepared.job.training.evaluations
    with (
        PageKeeper(prepared.ledger, prepared.study),
        ProgressDisplay(prepared.ledger, prepared.study, evaluations),
    ):
        return run_cells(prepared.ledger, prepared.study, prepared.job)


def _prepare(options: argparse.Namespace) -> int:
    from studies.preparing import look_over, prepare_data, preparing_bar, render_overview

    spec = _spec(options)
    with preparing_bar() as progress:
        prepared = prepare_data(spec, options.storage, progress)
    seen = look_over(prepared)
    print(json.dumps(seen, indent=2) if options.json else render_overview(spec.name, seen), end="\n" * options.json)
    return OK


def _spec(options: argparse.Namespace) -> StudySpec:
    from studies.spec import Option, load_spec

    given = {}
    if options.name:
        given["name"] = Option("--name", options.name)
    if options.data:
        given["data.path"] = Option("--data", str(Path(options.data).expanduser().absolute()))
    return load_spec(options.spec, options.overrides, given)


def _complexity(options: argparse.Namespace) -> int:
    from studies.complexity import complexity_rows, render_complexity
    from studies.spec import load_spec

    spec = load_spec(options.spec, options.overrides)
    rows = complexity_rows(spec)
    print(
        json.dumps(rows, indent=2) if options.json else render_complexity(spec, rows), end="\n" if options.json else ""
    )
    return OK


def _forecast(options: argparse.Namespace) -> int:
    from studies.forecasting import forecast_file, render_forecasts

    rows = forecast_file(Path(options.curves), options.column, options.at, options.x)
    print(
        json.dumps([row.to_dict() for row in rows], indent=2) if options.json else render_forecasts(rows),
        end="\n" if options.json else "",
    )
    return OK


def _replay(options: argparse.Namespace) -> int:
    from studies.replaying import read_surface, render, replay_surface, spec_of, to_dict

    runs = read_surface(Path(options.surface))
    spec = spec_of(options, runs)
    found = replay_surface(runs, spec)
    values = to_dict(found, runs, spec)
    print(json.dumps(values, indent=2) if options.json else render(found, values), end="\n" if options.json else "")
    return OK


def _status(options: argparse.Namespace) -> int:
    from storage.reads import spent_seconds
    from studies.status import render_status, status_of, why

    with _open(options.storage) as ledger:
        study, records = _read(ledger, options.study or options.name)
        if options.why:
            print(why(records, options.why), end="")
            return OK
        status = status_of(study, records, spent_seconds(ledger, study.study_id))
    print(json.dumps(status, indent=2) if options.json else render_status(status), end="\n" if options.json else "")
    return OK


def _report(options: argparse.Namespace) -> int:
    from studies.answering import answer_of

    with _open(options.storage) as ledger:
        study, records = _read(ledger, options.study or options.name)
        if options.json:
            print(json.dumps(answer_of(study, records).to_dict(), indent=2))
        else:
            _write_report(ledger, study, records, options.output)
    return OK


def _write_report(ledger: Ledger, study: StudyRecord, records: list[CellRecord], output: str | None) -> None:
    from search.answer_text import render
    from storage.files import home_of
    from storage.reads import spent_seconds
    from studies.answering import answer_of
    from studies.report.page import render_page

    path = _writable(Path(output) if output else home_of(ledger.url) / "report.html")
    found = answer_of(study, records)
    page = render_page(study, records, found, spent_seconds(ledger, study.study_id))
    path.write_text(page, encoding="utf-8")
    print(render(found, study.running["prices"]["currency"]))
    print(f"report: {path}")


def _export(options: argparse.Namespace) -> int:
    from storage.frames import surface
    from studies.answering import case_scores

    with _open(options.storage) as ledger:
        study = _find(ledger, options.study or options.name)
        if options.all:
            return _export_all(ledger, study, options)
        frame = case_scores(ledger, study) if options.cases else surface(ledger, study.study_id)
    output = _writable(Path(options.output)) if options.output else sys.stdout
    frame.to_csv(output, index=False, float_format="%.6g", lineterminator="\n")
    return OK


def _forecast_table(options: argparse.Namespace) -> int:
    from studies.answering import is_measured, measurement
    from studies.forecast_table import forecast_table, render_forecast_table

    with _open(options.storage) as ledger:
        _, records = _read(ledger, options.study or options.name)
    table = forecast_table([measurement(record) for record in records if is_measured(record)])
    print(json.dumps(table, indent=2) if options.json else render_forecast_table(table), end="\n" * options.json)
    return OK


def _export_all(ledger: Ledger, study: StudyRecord, options: argparse.Namespace) -> int:
    from storage.exchange import export_study

    if not options.output:
        raise InputError("export --all writes a folder; name it with -o")
    export_study(ledger, study, Path(options.output), options.format)
    return OK


def _import(options: argparse.Namespace) -> int:
    from studies.importing import import_from

    study = import_from(Path(options.source), options.storage, options.name, options.cases)
    print(f"study {study.name!r}; `dicecurve report --name {study.name}` answers from it")
    return OK


def _doctor(options: argparse.Namespace) -> int:
    from studies.doctor import examine
    from studies.run import checkpoints_of, versions

    with _open(options.storage) as ledger:
        study = _find(ledger, options.study or options.name)
        place = checkpoints_of(study, ledger.url)
        found = examine(ledger, study, checkpoints=place, versions=versions(), watch_seconds=options.watch)
        mended = [options.fix and finding.mend is not None and finding.mend() for finding in found]
    for finding, is_mended in zip(found, mended, strict=True):
        print(f"{finding.kind}: {finding.text}{' (mended)' if is_mended else ''}")
    if not found:
        print(f"study {study.name!r} is well")
    return OK if all(mended) else SOME_FAILED


def _database(options: argparse.Namespace) -> int:
    from storage.private_server import PrivateServer

    server = PrivateServer(Path(options.folder).expanduser().absolute())
    if options.action == "stop":
        server.stop()
        return OK
    server.start(options.host, options.port)
    print(f"export DICECURVE_STORAGE={server.url}\nexport PGPASSFILE={server.password_file}")
    return OK


def _retry(options: argparse.Namespace) -> int:
    from storage.errors import StorageError
    from storage.records import CellState

    with _open(options.storage) as ledger:
        study, records = _read(ledger, options.study or options.name)
        failed = [record.cell.plan.key for record in records if record.cell.state == CellState.FAILED]
        unknown = sorted(set(options.cell or ()) - set(failed))
        if unknown:
            raise StorageError(f"cell {unknown[0]} has not failed; failed are: {', '.join(failed) or 'none'} (--cell)")
        waiting = [key for key in options.cell or failed if ledger.retry(study.study_id, key)]
    print(f"{len(waiting)} cells wait again; `dicecurve run` goes on with them")
    return OK


def _writable(path: Path) -> Path:
    if path.is_dir() or not os.access(path if path.exists() else path.parent, os.W_OK):
        raise InputError(f"cannot write to {path}; choose a file in a folder that exists (-o)")
    return path


def _dashboard(options: argparse.Namespace) -> int:
    from studies.dashboard import open_dashboard, warning_of

    if warning := warning_of(options.host):
        print(warning, file=sys.stderr)
    with open_dashboard(options.storage, options.study or options.name, options.host, options.port) as server:
        host = f"[{options.host}]" if ":" in options.host else options.host
        print(f"http://{host}:{server.server_port}/ (Ctrl-C ends it)", flush=True)
        server.serve_forever()
    return OK


def _open(storage: str) -> Ledger:
    from storage.ledger import Ledger

    return Ledger.open(storage)


def _find(ledger: Ledger, name: str | None) -> StudyRecord:
    from storage.errors import StorageError

    names = ledger.study_names()
    if name is None and len(names) != 1:
        raise StorageError(f"say which study with --name: {', '.join(names) or 'there is none'}")
    study = ledger.find_study(name or names[0])
    if study is None:
        raise StorageError(f"no study {name!r} in this storage; there are: {', '.join(names)} (--name)")
    return study


def _read(ledger: Ledger, name: str | None) -> tuple[StudyRecord, list[CellRecord]]:
    from storage.reads import cell_records

    study = _find(ledger, name)
    return study, cell_records(ledger, study.study_id)


if __name__ == "__main__":
    sys.exit(main())
