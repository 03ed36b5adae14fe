"""`dicecurve import`: from numbers alone to an answer, and from one database to another."""

from __future__ import annotations

import json
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
    """What more cases bring, ranking and prices, without any training; the page is written."""
    assert main(["import", "surface.csv", "--name", "old", "--cases", "800"]) == 0
    assert main(["report", "--name", "old"]) == 0
    said = capsys.readouterr().out
    assert "Recommended: depth 4 with" in said
    assert "of all 800 cases at depth 4:" in " ".join(said.split())
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


@pytest.mark.usefixtures("folder")
def test_the_surface_of_a_table_gives_the_same_answer(capsys: pytest.CaptureFixture[str]) -> None:
    """What `export` writes of it is a table, with the number of cases in it."""
    main(["import", "surface.csv", "--name", "old", "--cases", "800"])
    assert main(["export", "-o", "again.csv"]) == 0
    assert main(["import", "again.csv", "--name", "again"]) == 0
    rankings = []
    for name in ("old", "again"):
        capsys.readouterr()
        assert main(["report", "--json", "--name", name]) == 0
        rankings.append(json.loads(capsys.readouterr().out)["ranking"])
    assert rankings[0] == rankings[1]


def test_how_a_table_was_read_is_told(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Where that may surprise; every line fits the terminal."""
    (folder / "odd.csv").write_text("cases;depth;dsc;second\n40;3;55,1;9\n80;3;65;9\n160;3;5;9\n320;3;78,2;9\n")
    assert main(["import", "odd.csv", "--name", "odd"]) == 0
    said = capsys.readouterr().out
    assert "odd.csv: read as percentages: dsc\n" in said
    assert "odd.csv: not read: second\n" in said
    assert "depth 3 with 160 cases (DSC 0.050, line 4) as collapsed" in " ".join(said.split())
    assert max(map(len, said.splitlines())) <= 80


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["import", "surface.csv"], "say how the study is to be called with --name"),
        (["import", "no.csv", "--name", "x"], "cannot read the table no.csv"),
        (["import", "surface.csv", "--name", "x"], "surface.csv has ratios and no numbers of cases; say how many"),
        (["import", "surface.csv", "--name", "x", "--cases", "0"], "--cases must be 1..1000000, got 0"),
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
    if arguments[1].endswith(".csv"):
        assert [path.name for path in folder.iterdir()] == ["surface.csv"]
