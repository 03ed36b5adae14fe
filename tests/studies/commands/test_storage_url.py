"""Where a command finds its database, and where a password may stand."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from storage.errors import InputError
from studies.commands.storage_url import DEFAULT_STORAGE, chosen_storage

if TYPE_CHECKING:
    from pathlib import Path

OPEN = "postgresql://ana:geheim@h/d"


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DICECURVE_STORAGE", "DICECURVE_STORAGE_FILE"):
        monkeypatch.delenv(name, raising=False)


def test_the_nearest_choice_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """--storage, then DICECURVE_STORAGE, then the file, then the default."""
    assert chosen_storage(None) == DEFAULT_STORAGE
    (tmp_path / "url").write_text(f"{OPEN}\n")
    monkeypatch.setenv("DICECURVE_STORAGE_FILE", str(tmp_path / "url"))
    assert chosen_storage(None) == OPEN
    monkeypatch.setenv("DICECURVE_STORAGE", "sqlite:///b.db")
    assert chosen_storage(None) == "sqlite:///b.db"
    assert chosen_storage("sqlite:///a.db") == "sqlite:///a.db"


@pytest.mark.parametrize("url", [OPEN, "postgresql://h/d?password=geheim"])
def test_a_password_in_the_open_is_refused(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """On the command line and in the environment; the message does not repeat it."""
    with pytest.raises(InputError, match="the URL in --storage holds a password") as caught:
        chosen_storage(url)
    assert "geheim" not in str(caught.value)
    monkeypatch.setenv("DICECURVE_STORAGE", url)
    with pytest.raises(InputError, match="the URL in DICECURVE_STORAGE holds a password"):
        chosen_storage(None)


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Missing or empty: it is named."""
    monkeypatch.setenv("DICECURVE_STORAGE_FILE", str(tmp_path / "no"))
    with pytest.raises(InputError, match="cannot read the storage's URL"):
        chosen_storage(None)
    (tmp_path / "no").touch()
    with pytest.raises(InputError, match="is empty"):
        chosen_storage(None)
