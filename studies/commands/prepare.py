"""`dicecurve prepare`: read and check the data before any training."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from studies.commands.arguments import OK, show, spec_of, storage_command, take_data, take_json, take_spec

if TYPE_CHECKING:
    import argparse


def add(commands: Any) -> None:
    """Add the command to the parser."""
    command = storage_command(commands, "prepare", _run, "read and check the data before any training")
    take_spec(command)
    take_data(command)
    take_json(command)


def _run(options: argparse.Namespace) -> int:
    from studies.launch.data import prepare_data
    from studies.launch.data_check import data_overview
    from studies.monitor.progress import preparing_bar
    from studies.report.text.data_check import render_overview

    spec = spec_of(options)
    with preparing_bar() as progress:
        prepared = prepare_data(spec, options.storage, progress)
    overview = data_overview(prepared)
    show(options, overview, lambda: render_overview(spec.name, overview))
    return OK
