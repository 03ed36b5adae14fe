"""Commands that take a spec: run, prepare, complexity, calibrate."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from studies.commands.arguments import (
    INTERRUPTED,
    OK,
    SOME_FAILED,
    plain_command,
    show,
    spec_of,
    storage_command,
    take_data,
    take_json,
    take_spec,
)

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from studies.run import PreparedStudy


def add(commands: Any) -> None:
    """Add these commands to the parser."""
    running = storage_command(commands, "run", _run, "start a study, or go on with it")
    take_spec(running)
    take_data(running)
    running.add_argument("--no-wait", action="store_true", help="leave when other drivers hold all that is left")
    preparing = storage_command(commands, "prepare", _prepare, "read and check the data before any training")
    take_spec(preparing)
    take_data(preparing)
    take_json(preparing)
    complexity = plain_command(commands, "complexity", _complexity, "parameters, FLOPs and speed of each depth")
    take_spec(complexity)
    take_json(complexity)
    calibration = storage_command(commands, "calibrate", _calibrate, "the best resources, and what a study will take")
    take_spec(calibration)
    take_data(calibration)
    take_json(calibration)
    calibration.add_argument(
        "--cases", metavar="N", type=int, default=1000, help="in the dataset, if it is not given (default: %(default)s)"
    )
    calibration.add_argument(
        "--seconds", metavar="S", type=float, default=3.0, help="of each measurement (default: %(default)s)"
    )


def _run(options: argparse.Namespace) -> int:
    from studies.commands.opened import read_study
    from studies.commands.reporting import write_report
    from studies.preparing import preparing_bar
    from studies.run import prepare_study
    from studies.study_page import refresh_page

    spec = spec_of(options)
    with _cluster(options.storage):
        with preparing_bar() as progress:
            prepared = prepare_study(spec, options.storage, wait_for_others=not options.no_wait, progress=progress)
        if prepared.warning:
            print(prepared.warning, file=sys.stderr)
        with prepared.ledger as ledger:
            end = _run_and_show(prepared)
            study, records = read_study(ledger, prepared.study.name)
            refresh_page(ledger, study, write_report(ledger, study, records, None))
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
    from search.cluster import connected, living_nodes
    from search.node_check import refuse_sqlite

    with connected():
        refuse_sqlite(storage, len(living_nodes()))
        yield


def _run_and_show(prepared: PreparedStudy) -> str:
    from search.run_cells import run_cells
    from studies.progress import ProgressDisplay
    from studies.study_page import PageKeeper

    ledger, study, job = prepared.ledger, prepared.study, prepared.job
    with PageKeeper(ledger, study), ProgressDisplay(ledger, study, job.training.evaluations):
        return run_cells(ledger, study, job)


def _prepare(options: argparse.Namespace) -> int:
    from studies.preparing import look_over, prepare_data, preparing_bar, render_overview

    spec = spec_of(options)
    with preparing_bar() as progress:
        prepared = prepare_data(spec, options.storage, progress)
    seen = look_over(prepared)
    show(options, seen, lambda: render_overview(spec.name, seen))
    return OK


def _complexity(options: argparse.Namespace) -> int:
    from studies.complexity import complexity_rows, render_complexity

    spec = spec_of(options)
    rows = complexity_rows(spec)
    show(options, rows, lambda: render_complexity(spec, rows))
    return OK


def _calibrate(options: argparse.Namespace) -> int:
    from studies.calibrating import calibrate
    from studies.calibration_text import render_calibration
    from studies.preparing import preparing_bar

    spec = spec_of(options)
    with preparing_bar() as progress:
        found = calibrate(
            spec, options.storage, assumed_cases=options.cases, seconds=options.seconds, progress=progress
        )
    show(options, found, lambda: render_calibration(spec, found))
    return OK
