"""`dicecurve import`: from numbers alone to an answer, and from one database to another."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from studies.__main__ import main

if TYPE_CHECKING:
    from pathlib import Path

TABLE = "ratio,depth,dsc,seconds\n" + "".join(
    f"{ratio},{depth},{0.8 - 0.15 * 0.1 / ratio + 0.01 * depth:.4f},{100 * ratio * depth}\n"
    for ratio in (0.1, 0.2, 0.4, 0.8, 1.0)
    for depth in (3, 4)
)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with a table."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "surface.csv").write_text(TABLE)
    return tmp_path


def test_a_table_is_answered_from(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Plateau, ranking and prices, without any training; the page is written."""
    assert main(["import", "surface.csv", "--name", "old", "--cases", "800"]) == 0
    assert main(["report", "--name", "old"]) == 0
    said = capsys.readouterr().out
    assert "Recommended: depth 4 with" in said
    assert "Enough within the data at depth 4:" in said
    assert (folder / "report.html").stat().st_size > 100_000
    assert main(["status"]) == 0


def test_a_study_moves_to_another_database(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exported and imported, it gives the same answer."""
    main(["import", "surface.csv", "--name", "old", "--cases", "800"])
    assert main(["export", "--all", "-o", "out"]) == 0
    capsys.readouterr()
    assert main(["report", "--json"]) == 0
    before = capsys.readouterr().out
    other = ["--storage", f"sqlite:///{folder}/other.db"]
    assert main(["import", "out", *other]) == 0
    capsys.readouterr()
    assert main(["report", "--json", *other]) == 0
    assert capsys.readouterr().out == before


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["import", "surface.csv"], "say how the study is to be called with --name"),
        (["import", "no.csv", "--name", "x"], "cannot read the table no.csv"),
        (["import", "."], "holds no exported study"),
        (["export", "--all"], "no dicecurve study"),
    ],
)
def test_what_cannot_be_imported_is_told(
    folder: Path, arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """One message, exit code 2, and no database is left where the table was at fault."""
    assert main(arguments) == 2
    assert message in capsys.readouterr().err
    assert "surface.csv" in {path.name for path in folder.iterdir()}
