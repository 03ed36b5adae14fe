"""`dicecurve run`: start a study, or go on with it; then report."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from studies.commands.arguments import INTERRUPTED, OK, SOME_FAILED, spec_of, storage_command, take_data, take_spec
from studies.commands.opened import read_study

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Sequence

    from storage.records import CellRecord
    from studies.launch.start import PreparedStudy
    from studies.spec import StudySpec


def add(commands: Any) -> None:
    """Add the command to the parser."""
    command = storage_command(commands, "run", _run, "start a study, or go on with it")
    take_spec(command)
    take_data(command)
    command.add_argument("--no-wait", action="store_true", help="leave when other drivers hold all that is left")


def _run(options: argparse.Namespace) -> int:
    from studies.launch.start import prepare_study
    from studies.monitor.progress import preparing_bar
    from studies.monitor.study_page import refresh_page
    from studies.report.write import write_report

    spec = spec_of(options)
    with _cluster(options.storage):
        with preparing_bar() as progress:
            prepared = prepare_study(spec, options.storage, wait_for_others=not options.no_wait, progress=progress)
        if prepared.warning:
            print(prepared.warning, file=sys.stderr)
        with prepared.ledger as ledger:
            end = _run_and_show(prepared)
            study, records = read_study(ledger, prepared.study.name)
            written = write_report(ledger, study, records)
            print(written.text, end="")
            refresh_page(ledger, study, written.findings)
    return _tell(spec, records, end)


def _tell(spec: StudySpec, records: Sequence[CellRecord], end: str) -> int:
    """Say what went otherwise than planned; returns the exit code."""
    failed = [record for record in records if record.attempt.failure is not None]
    if failed:
        print(f"{len(failed)} of {len(records)} cells failed; see `dicecurve status`", file=sys.stderr)
    if end == "limit":
        print(f"the limit of {spec.gpu_hours:g} device hours is spent; raise gpu_hours to go on", file=sys.stderr)
    if end == "interrupted":
        print("interrupted; the same command goes on from here", file=sys.stderr)
        return INTERRUPTED
    return SOME_FAILED if failed else OK


@contextmanager
def _cluster(storage: str) -> Iterator[None]:
    """The cluster of RAY_ADDRESS, joined before anything is written; without it nothing, for a study starts its own.

    Raises:
        InputError: There is none, or it has several nodes and the database is a file.
    """
    if not os.environ.get("RAY_ADDRESS"):
        yield
        return
    from search.tune.cluster import connected, living_nodes
    from search.tune.node_check import refuse_sqlite

    with connected():
        refuse_sqlite(storage, len(living_nodes()))
        yield


def _run_and_show(prepared: PreparedStudy) -> str:
    from search.tune.driver import run_cells
    from studies.monitor.progress import ProgressDisplay
    from studies.monitor.study_page import PageKeeper

    ledger, study, job = prepared.ledger, prepared.study, prepared.job
    with PageKeeper(ledger, study), ProgressDisplay(ledger, study, job.decision_spec.evaluations):
        return run_cells(ledger, study, job)
