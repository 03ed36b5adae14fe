"""Commands that work on tables of numbers, with no study: forecast, replay."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from studies.commands.arguments import OK, plain_command, show, take_json

if TYPE_CHECKING:
    import argparse


def add(commands: Any) -> None:
    """Add these commands to the parser."""
    forecast = plain_command(commands, "forecast", _forecast, "forecast the curves of a CSV file; needs no study")
    forecast.add_argument("curves", metavar="CSV", help="a row a point; columns such as depth tell curves apart")
    forecast.add_argument("--column", required=True, help="the measured values, such as dsc")
    forecast.add_argument(
        "--x", metavar="COLUMN", help="their positions (default: evaluation, epoch, step, ratio, ...)"
    )
    forecast.add_argument("--at", metavar="X", type=float, action="append", required=True, help="may be given again")
    take_json(forecast)
    replaying = plain_command(commands, "replay", _replay, "what the policy would have spent on a recorded surface")
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
    take_json(replaying)


def _forecast(options: argparse.Namespace) -> int:
    from studies.forecasting import forecast_file, render_forecasts

    rows = forecast_file(Path(options.curves), options.column, options.at, options.x)
    show(options, [row.to_dict() for row in rows], lambda: render_forecasts(rows))
    return OK


def _replay(options: argparse.Namespace) -> int:
    from studies.replaying import read_surface, render, replay_surface, spec_of, to_dict

    runs = read_surface(Path(options.surface))
    spec = spec_of(options, runs)
    found = replay_surface(runs, spec)
    values = to_dict(found, runs, spec)
    show(options, values, lambda: render(found, values))
    return OK
