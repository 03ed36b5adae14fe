"""A run on PostgreSQL with a password leaves that password nowhere: not in Ray's files, logs, pickles or reports."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from storage.database.postgres_server import PrivateServer
from tests.faults.disturbed_study import PATIENCE, ROOT, SPEC

pytestmark = pytest.mark.timeout(1800)  # several drivers, one after the other, on a machine that may be busy
ASK = (("status",), ("report",), ("export", "--all", "-o", "exported"), ("status", "--json"))


def test_the_password_is_nowhere_after_a_run(tmp_path: Path, server_folder: Path) -> None:
    """It stands in the two files that a person made, and in the server's own; everything else is searched."""
    server = PrivateServer(server_folder)
    server.start()
    try:
        password = server.password_file.read_text().rsplit(":", 1)[1].strip()
        secret = tmp_path / "secret"
        secret.mkdir(mode=0o700)
        (secret / "url").write_text(server.url.replace("dicecurve@", f"dicecurve:{password}@") + "\n")
        home = tmp_path / "home"
        home.mkdir()
        (home / "faults.toml").write_text(SPEC.replace("[0.5, 1.0]", "[1.0]").replace("[2, 3]", "[2]"))
        for arguments in (("run", "faults.toml"), *ASK):
            _dicecurve(home, secret / "url", *arguments)
        server.stop()
        said = _dicecurve(home, secret / "url", "status", code=2)  # an error that names the database
        assert "cannot open the storage" in said
    finally:
        if server.is_running():
            server.stop()
    holding = [path for path in home.rglob("*") if path.is_file() and password.encode() in path.read_bytes()]
    assert holding == []
    assert any("session_" in str(path) for path in home.rglob("*.log"))  # Ray's files were among those searched


def _dicecurve(home: Path, url_file: Path, *arguments: str, code: int = 0) -> str:
    """Run a command whose temporary and Ray's files lie under the home folder; returns what it said."""
    temporary = Path(os.environ.get("TMPDIR", "/tmp"))  # noqa: S108 - only as the root of a short path for Ray's sockets
    short = temporary / f"dicecurve-{os.getpid()}"
    if not short.exists():
        short.symlink_to(home)
    environment = os.environ | {
        "HOME": str(home),
        "TMPDIR": str(short),
        "RAY_TMPDIR": str(short),
        "DICECURVE_STORAGE_FILE": str(url_file),
        "PYTHONPATH": str(ROOT),
        "PYTHONWARNINGS": "ignore",
    }
    with (home / "said").open("a+") as said:
        done = subprocess.run(
            [sys.executable, "-m", "studies", *arguments],
            cwd=home,
            env=environment,
            stdout=said,
            stderr=said,
            timeout=PATIENCE,
            check=False,
        )
    short.unlink()
    text = (home / "said").read_text()
    assert done.returncode == code, text
    return text
