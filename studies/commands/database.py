"""`dicecurve database`: a private PostgreSQL server for several machines."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from studies.commands.arguments import OK, plain_command

if TYPE_CHECKING:
    import argparse


def add(commands: Any) -> None:
    """Add the command to the parser."""
    command = plain_command(commands, "database", _run, "a private PostgreSQL server for several machines")
    command.add_argument("action", choices=("start", "stop"))
    command.add_argument("folder", metavar="DIR", help="where its files lie")
    command.add_argument("--host", help="address to listen on (default: 127.0.0.1)")
    command.add_argument("--port", type=int, help="port (default: one that is free)")


def _run(options: argparse.Namespace) -> int:
    from storage.database.postgres_server import PrivateServer

    server = PrivateServer(Path(options.folder).expanduser().absolute())
    if options.action == "stop":
        server.stop()
        return OK
    server.start(options.host, options.port)
    print(f"export DICECURVE_STORAGE={server.url}\nexport PGPASSFILE={server.password_file}")
    return OK
