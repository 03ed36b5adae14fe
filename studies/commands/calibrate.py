"""`dicecurve calibrate`: the best resources, and what a study will take."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from studies.commands.arguments import OK, show, spec_of, storage_command, take_data, take_json, take_spec

if TYPE_CHECKING:
    import argparse


def add(commands: Any) -> None:
    """Add the command to the parser."""
    command = storage_command(commands, "calibrate", _run, "the best resources, and what a study will take")
    take_spec(command)
    take_data(command)
    take_json(command)
    command.add_argument(
        "--cases", metavar="N", type=int, default=1000, help="in the dataset, if it is not given (default: %(default)s)"
    )
    command.add_argument(
        "--seconds", metavar="S", type=float, default=3.0, help="of each measurement (default: %(default)s)"
    )


def _run(options: argparse.Namespace) -> int:
    from studies.estimate.calibrate import calibrate
    from studies.estimate.calibrate_text import render_calibration
    from studies.monitor.progress import preparing_bar

    spec = spec_of(options)
    with preparing_bar() as progress:
        calibration = calibrate(
            spec, options.storage, assumed_cases=options.cases, seconds=options.seconds, progress=progress
        )
    show(options, calibration, lambda: render_calibration(spec, calibration))
    return OK
