"""`dicecurve replay`: what the policy would have spent on a recorded surface."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from storage.errors import InputError
from studies.commands.arguments import OK, plain_command, show, take_json

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from search.replay.simulator import RecordedRun
    from studies.interop.replay_csv import ReplaySpec

MOST_TOLERANCE = 0.5


def add(commands: Any) -> None:
    """Add the command to the parser."""
    command = plain_command(commands, "replay", _run, "what the policy would have spent on a recorded surface")
    command.add_argument("surface", metavar="CSV", help="a row an evaluation, as `export` writes them")
    command.add_argument("--policy", choices=("grid", "forecast"), default="forecast", help="default: %(default)s")
    command.add_argument("--gpus", type=int, default=1, help="simulated GPUs (default: %(default)s)")
    command.add_argument("--tolerance", type=float, default=0.01, help="in DSC (default: %(default)s)")
    command.add_argument("--target-dsc", type=float, help="DSC to reach (default: the best less the tolerance)")
    command.add_argument("--d0", type=float, default=0.2, help='DSC of "all foreground" (default: %(default)s)')
    command.add_argument("--held-out", type=int, default=300, help="validation and test cases (default: %(default)s)")
    command.add_argument(
        "--seed", type=int, action="append", help="of the grid (default: the lowest); others are fresh"
    )
    take_json(command)


def _run(options: argparse.Namespace) -> int:
    from studies.interop.replay_csv import read_surface, replay_surface, to_dict
    from studies.interop.replay_text import render

    runs = read_surface(Path(options.surface))
    spec = replay_spec(options, runs)
    replayed = replay_surface(runs, spec)
    values = to_dict(replayed, runs, spec)
    show(options, values, lambda: render(replayed, values))
    return OK


def replay_spec(options: argparse.Namespace, runs: Sequence[RecordedRun]) -> ReplaySpec:
    """What the command line asks for.

    Raises:
        InputError: A number is out of its range.
    """
    from models.forecaster.lstm.forecaster import load
    from search.policy.stop_rule import StopSpec
    from search.prices import PriceSpec
    from studies.interop.replay_csv import ReplaySpec

    for name, value, least in (("--gpus", options.gpus, 1), ("--held-out", options.held_out, 2)):
        if value < least:
            raise InputError(f"{name} must be at least {least}, got {value}")
    if not 0 < options.tolerance < MOST_TOLERANCE:
        raise InputError(f"--tolerance must be a DSC in (0, {MOST_TOLERANCE}), got {options.tolerance:g}")
    if options.target_dsc is not None and not 0 < options.target_dsc < 1:
        raise InputError(f"--target-dsc must be a DSC in (0, 1), got {options.target_dsc:g}")
    if not 0 <= options.d0 < 1:
        raise InputError(f"--d0 must be a DSC in [0, 1), got {options.d0:g}")
    return ReplaySpec(
        policy=options.policy,
        gpus=options.gpus,
        tolerance=options.tolerance,
        target=options.target_dsc,
        prices=PriceSpec(),
        stop=StopSpec(),
        forecaster=load(),
        d0=options.d0,
        held_out_cases=options.held_out,
        seeds=tuple(options.seed or [min(run.plan.seed for run in runs)]),
    )
