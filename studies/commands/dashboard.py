"""`dicecurve dashboard`: Optuna dashboard on the study's page."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from studies.commands.arguments import OK, study_command

if TYPE_CHECKING:
    import argparse


def add(commands: Any) -> None:
    """Add the command to the parser."""
    command = study_command(commands, "dashboard", _run, "Optuna dashboard on the study's page")
    command.add_argument("--port", type=int, default=8080, help="port to listen on (default: %(default)s)")
    command.add_argument(
        "--host",
        default="127.0.0.1",
        help="address to listen on (default: %(default)s, which no other machine reaches)",
    )


def _run(options: argparse.Namespace) -> int:
    from studies.monitor.dashboard import open_dashboard, warning_of

    if warning := warning_of(options.host):
        print(warning, file=sys.stderr)
    with open_dashboard(options.storage, options.study or options.name, options.host, options.port) as server:
        print(f"http://{options.host}:{server.server_port}/ (Ctrl-C ends it)", flush=True)
        server.serve_forever()
    return OK
