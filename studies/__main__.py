"""The command line: `dicecurve`, or `python -m studies`.

Exit codes: 0 done; 1 a defect of ours; 2 input that a person can put right; 3 some cells failed, or the doctor found
something; 130 interrupted.
"""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from storage.errors import InputError
from studies.commands import (
    calibrate,
    complexity,
    dashboard,
    database,
    doctor,
    export,
    export_model,
    forecast,
    forecast_table,
    import_study,
    prepare,
    replay,
    report,
    retry,
    run,
    status,
)
from studies.commands.arguments import BAD_INPUT, INTERRUPTED

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

COMMANDS = (
    run,
    prepare,
    complexity,
    calibrate,
    status,
    report,
    forecast_table,
    export,
    export_model,
    dashboard,
    forecast,
    replay,
    retry,
    doctor,
    import_study,
    database,
)  # in the order of --help


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    options = build_parser().parse_args(arguments)
    command: Callable[[argparse.Namespace], int] = options.command
    try:
        if "storage" in options:
            from studies.commands.storage_url import chosen_storage  # loads SQLAlchemy: --help need not wait

            options.storage = chosen_storage(options.storage)
        return command(options)
    except InputError as error:
        print(f"dicecurve: {error}", file=sys.stderr)
        return BAD_INPUT
    except KeyboardInterrupt:
        print("dicecurve: interrupted; the same command goes on from here", file=sys.stderr)
        return INTERRUPTED


def build_parser() -> argparse.ArgumentParser:
    """The parser of all commands; each sets `command`, the function that runs it."""
    parser = argparse.ArgumentParser(
        prog="dicecurve",
        description="How many annotated cases and how deep a residual U-Net are enough for the Dice score you need.",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for command in COMMANDS:
        command.add(commands)
    return parser


if __name__ == "__main__":
    sys.exit(main())
