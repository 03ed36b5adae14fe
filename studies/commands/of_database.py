"""Commands that change what a database holds, or make one: retry, doctor, import, database."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from studies.commands.arguments import OK, SOME_FAILED, plain_command, storage_command, study_command
from studies.commands.opened import find_study, open_ledger, read_study

if TYPE_CHECKING:
    import argparse


def add(commands: Any) -> None:
    """Add these commands to the parser."""
    retry = study_command(commands, "retry", _retry, "let failed cells wait again for the next run")
    retry.add_argument("--cell", metavar="CELL", action="append", help="only this one; may be given again")
    doctor = study_command(commands, "doctor", _doctor, "look for stale leases, lost checkpoints and version drift")
    doctor.add_argument("--fix", action="store_true", help="mend what can be mended")
    doctor.add_argument("--watch", metavar="SECONDS", type=float, default=0.0, help="watch others' leases")
    importing = storage_command(
        commands, "import", _import, "a new study from an exported one, or from a table of numbers"
    )
    importing.add_argument("source", help="folder that export --all wrote, or a table (CSV, Parquet)")
    importing.add_argument("--cases", metavar="N", type=int, help="training cases at ratio 1, of a table")
    database = plain_command(commands, "database", _database, "a private PostgreSQL server for several machines")
    database.add_argument("action", choices=("start", "stop"))
    database.add_argument("folder", metavar="DIR", help="where its files lie")
    database.add_argument("--host", help="address to listen on (default: 127.0.0.1)")
    database.add_argument("--port", type=int, help="port (default: one that is free)")


def _retry(options: argparse.Namespace) -> int:
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


def _doctor(options: argparse.Namespace) -> int:
    from studies.doctor import examine
    from studies.run import checkpoints_of, versions

    with open_ledger(options.storage) as ledger:
        study = find_study(ledger, options.study or options.name)
        place = checkpoints_of(study, ledger.url)
        found = examine(ledger, study, checkpoints=place, versions=versions(), watch_seconds=options.watch)
        mended = [options.fix and finding.mend is not None and finding.mend() for finding in found]
    for finding, is_mended in zip(found, mended, strict=True):
        print(f"{finding.kind}: {finding.text}{' (mended)' if is_mended else ''}")
    if not found:
        print(f"study {study.name!r} is well")
    return OK if all(mended) else SOME_FAILED


def _import(options: argparse.Namespace) -> int:
    from studies.importing import import_from

    study = import_from(Path(options.source), options.storage, options.name, options.cases)
    print(f"study {study.name!r}; `dicecurve report --name {study.name}` answers from it")
    return OK


def _database(options: argparse.Namespace) -> int:
    from storage.private_server import PrivateServer

    server = PrivateServer(Path(options.folder).expanduser().absolute())
    if options.action == "stop":
        server.stop()
        return OK
    server.start(options.host, options.port)
    print(f"export DICECURVE_STORAGE={server.url}\nexport PGPASSFILE={server.password_file}")
    return OK
