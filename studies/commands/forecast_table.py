"""`dicecurve forecast-table`: the paper's comparison of predictors over the data curves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from studies.commands.arguments import OK, show, study_command, take_json
from studies.commands.opened import open_ledger, read_study

if TYPE_CHECKING:
    import argparse


def add(commands: Any) -> None:
    """Add the command to the parser."""
    command = study_command(
        commands, "forecast-table", _run, "the paper's comparison of predictors over the data curves"
    )
    take_json(command)


def _run(options: argparse.Namespace) -> int:
    from studies.results.findings import is_measured, measurement
    from studies.results.paper_table import forecast_table, render_forecast_table

    with open_ledger(options.storage) as ledger:
        _, records = read_study(ledger, options.study or options.name)
    table = forecast_table([measurement(record) for record in records if is_measured(record)])
    show(options, table, lambda: render_forecast_table(table))
    return OK
