"""`dicecurve complexity`: parameters, FLOPs and speed of each depth."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from studies.commands.arguments import OK, plain_command, show, spec_of, take_json, take_spec

if TYPE_CHECKING:
    import argparse


def add(commands: Any) -> None:
    """Add the command to the parser."""
    command = plain_command(commands, "complexity", _run, "parameters, FLOPs and speed of each depth")
    take_spec(command)
    take_json(command)


def _run(options: argparse.Namespace) -> int:
    from studies.estimate.complexity import complexity_rows, render_complexity

    spec = spec_of(options)
    rows = complexity_rows(spec)
    show(options, rows, lambda: render_complexity(spec, rows))
    return OK
