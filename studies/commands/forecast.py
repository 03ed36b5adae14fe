"""`dicecurve forecast`: forecasts of the curves in a CSV file; needs no study."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from studies.commands.arguments import OK, plain_command, show, take_json

if TYPE_CHECKING:
    import argparse


def add(commands: Any) -> None:
    """Add the command to the parser."""
    command = plain_command(commands, "forecast", _run, "forecast the curves of a CSV file; needs no study")
    command.add_argument("curves", metavar="CSV", help="a row a point; columns such as depth tell curves apart")
    command.add_argument("--column", required=True, help="the measured values, such as dsc")
    command.add_argument("--x", metavar="COLUMN", help="their positions (default: evaluation, epoch, step, ratio, ...)")
    command.add_argument("--at", metavar="X", type=float, action="append", required=True, help="may be given again")
    take_json(command)


def _run(options: argparse.Namespace) -> int:
    from studies.interop.forecast_csv import forecast_file, render_forecasts

    rows = forecast_file(Path(options.curves), options.column, options.at, options.x)
    show(options, [row.to_dict() for row in rows], lambda: render_forecasts(rows))
    return OK
