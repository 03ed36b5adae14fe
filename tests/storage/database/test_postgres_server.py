"""A PostgreSQL server in a folder of one's own."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import OperationalError

from storage.database.postgres_server import PrivateServer
from storage.errors import StorageError
from studies.__main__ import main

if TYPE_CHECKING:
    from pathlib import Path


def test_a_server_is_made_started_and_stopped(server_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The command prints what to export; the server asks for the password, keeps its address, and a study fits in."""
    folder = server_folder
    assert main(["database", "start", str(folder)]) == 0
    try:
        printed = dict(line.removeprefix("export ").split("=", 1) for line in capsys.readouterr().out.splitlines())
        url, password_file = printed["DICECURVE_STORAGE"], printed["PGPASSFILE"]
        password = (folder / "pgpass").read_text().rsplit(":", 1)[1].strip()
        assert password not in url
        assert (folder / "pgpass").stat().st_mode & 0o077 == 0
        assert _answers(f"{url}?passfile={password_file}")
        assert not _answers(f"{url}?passfile=/nowhere")
        assert main(["database", "start", str(folder)]) == 0  # it runs already
        with pytest.raises(StorageError, match="stop it first to move it"):
            PrivateServer(folder).start(port=1)
        address = json.loads((folder / "server.json").read_text())
        assert main(["database", "stop", str(folder)]) == 0
        assert not PrivateServer(folder).is_running()
        assert main(["database", "start", str(folder)]) == 0
        assert json.loads((folder / "server.json").read_text()) == address
        assert _answers(f"{url}?passfile={password_file}")
    finally:
        if PrivateServer(folder).is_running():
            PrivateServer(folder).stop()


def _answers(url: str) -> bool:
    engine = sa.create_engine(url)
    try:
        with engine.connect() as connection:
            return connection.execute(sa.text("SELECT 1")).scalar() == 1
    except OperationalError:
        return False
    finally:
        engine.dispose()


def test_a_folder_with_other_things_is_left_alone(tmp_path: Path) -> None:
    """Nothing is made in it."""
    (tmp_path / "thesis.txt").touch()
    with pytest.raises(StorageError, match="is not empty; choose a new folder"):
        PrivateServer(tmp_path).start()
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_what_was_never_made_cannot_be_stopped(tmp_path: Path) -> None:
    """The message names the command that makes one."""
    with pytest.raises(StorageError, match="`dicecurve database start` makes one"):
        PrivateServer(tmp_path / "no").stop()
