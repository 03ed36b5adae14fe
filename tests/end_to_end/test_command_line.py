"""The command line: what a person who errs is told, and what the help costs."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from storage.ledger.ledger import Ledger
from studies.__main__ import main
from studies.commands.arguments import BAD_INPUT

if TYPE_CHECKING:
    from pathlib import Path

HEAVY = {"torch", "ray", "optuna", "pandas", "plotly", "monai", "sqlalchemy", "numpy"}


@pytest.fixture(autouse=True)
def at_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder, with some things in it that are not what they should be."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DICECURVE_STORAGE", raising=False)
    (tmp_path / "text.db").write_text("this is no database\n" * 100)
    (tmp_path / "broken.toml").write_text("name = \n")
    (tmp_path / "wrong.toml").write_text('name = "x"\n[grid]\nratio = [2.0]\ndepth = [3]\n')
    return tmp_path


@pytest.fixture
def with_study(at_home: Path) -> str:
    """URL of a database with two studies that have no cells."""
    url = f"sqlite:///{at_home / 'study.db'}"
    with Ledger.open(url, create=True) as ledger:
        for name in ("one", "two"):
            ledger.create_study(
                name,
                identity={},
                running={
                    "policy": "grid",
                    "tolerance": 0.01,
                    "target_dsc": None,
                    "prices": {"currency": "EUR", "gpu_hour": 2.0, "cpu_hour": 0.05, "case": 5.0, "owned_cases": 0},
                },
                fingerprint="f" * 64,
                split={"train": ["a"], "validation": ["b"], "test": ["c"]},
                groups={"a": 0, "b": 1, "c": 2},
                facts={"d0": 0.2},
            )
    return url


def check_told(err: str, message: str) -> None:
    """One message for a person: no traceback, one line that begins with the program's name."""
    assert err.startswith("dicecurve: ")
    assert err.count("dicecurve: ") == 1
    assert message in err
    assert "Traceback" not in err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run", "phantm"], "no preset 'phantm', did you mean 'phantom'?"),
        (["run", "missing.toml"], "no spec at missing.toml"),
        (["run", "broken.toml"], "broken.toml is not valid TOML"),
        (["run", "wrong.toml"], "ratio must be in (0, 1], got 2 in [grid] of wrong.toml"),
        (["run", "phantom", "--set", "grid.depth=[9]"], "depth must be 2..8, got 9 in --set grid.depth"),
        (["run", "phantom", "--set", "x"], "--set takes KEY=VALUE"),
        (["run", "phantom", "--name", "a b"], "name: "),
        (["run"], "needs its path: --data DIR"),
        (["run", "--data", "nowhere"], "no folder images/ in"),
        (["run", "phantom", "--storage", "study.db"], "storage must be a database URL"),
        (["run", "phantom", "--storage", "sqlite:///:memory:"], "storage must be a file"),
        (["run", "phantom", "--storage", "sqlite:///no/folder/study.db"], "the folder of the storage does not exist"),
        (["run", "phantom", "--storage", "sqlite:///text.db"], "file is not a database"),
        (["run", "phantom", "--storage", "sqlite:///."], "cannot write to the storage"),
        (["run", "phantom", "--storage", "oracel://host/db"], "cannot open the storage"),
        (["run", "phantom", "--storage", "postgresql://u:p@host:port/db"], "storage must be a database URL"),
        (["run", "phantom", "--set", "grid.ratio=[0.5, 0.501]"], "are both 84 cases; keep one of them"),
        (["prepare"], "needs its path: --data DIR"),
        (["prepare", "phantm"], "no preset 'phantm', did you mean 'phantom'?"),
        (["prepare", "--data", "nowhere"], "no folder images/ in"),
        (["prepare", "phantom", "--storage", "study.db"], "storage must be a database URL"),
        (
            ["prepare", "phantom", "--set", "data.group_pattern=("],
            "group_pattern must be a regular expression, got '('",
        ),
        (["prepare", "phantom", "--set", "data.group_pattern=x"], "must find a group in the name of every case"),
        (["prepare", "--set", "data.group_pattern=x", "--set", "data.groups=x"], "keep one of them in [data]"),
        (["status"], "dicecurve.db; start one with `dicecurve run`"),
        (["status", "--json"], "no dicecurve study in"),
        (["status", "--storage", "sqlite:///text.db"], "file is not a database"),
        (["report"], "no dicecurve study in"),
        (["export"], "no dicecurve study in"),
        (["dashboard"], "no dicecurve study in"),
    ],
)
def test_bad_input_is_told_and_ends_with_2(
    arguments: list[str], message: str, at_home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One message on stderr, nothing on stdout, exit code 2, and no database appears."""
    assert main(arguments) == BAD_INPUT
    out, err = capsys.readouterr()
    assert out == ""
    check_told(err, message)
    assert [path.name for path in at_home.glob("*.db*")] == ["text.db"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["status"], "say which study with --name: one, two"),
        (["report"], "say which study with --name: one, two"),
        (["export"], "say which study with --name: one, two"),
        (["status", "three"], "no study 'three' in this storage; there are: one, two (--name)"),
        (["status", "--name", "three"], "no study 'three' in this storage"),
        (["report", "one", "-o", "no/folder/report.html"], "no/folder"),
        (["report", "one", "-o", "."], "."),
        (["report", "one", "--format", "svg"], "a format is one of csv, json, png, pdf, got 'svg' (--format)"),
        (["report", "one", "--target-dsc", "85"], "in --target-dsc"),
        (["report", "one", "--worth", "-1"], "in --worth"),
        (
            ["report", "one", "--set", "grid.depth=[2]"],
            "a report may change prices, tolerance, target_dsc, assurance alone",
        ),
        (["report", "one", "--set", "prices.case=-1"], "in --set prices.case"),
        (["report", "one", "--paper-tables"], "the table needs 4 dataset sizes"),
        (["export", "one", "-o", "no/folder/surface.csv"], "no/folder"),
    ],
)
def test_bad_input_beside_studies_is_told_and_ends_with_2(
    arguments: list[str], message: str, with_study: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A study that must be chosen, does not exist, or an output that cannot be written."""
    assert main([*arguments, "--storage", with_study]) == BAD_INPUT
    out, err = capsys.readouterr()
    assert out == ""
    check_told(err, message)


@pytest.mark.parametrize(
    "arguments", [[], ["walk"], ["run", "--dat", "x", "y", "z"], ["dashboard", "--port", "x"], ["status", "a", "b"]]
)
def test_a_wrong_option_ends_with_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """The usage is shown."""
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == BAD_INPUT
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("usage: dicecurve")


def test_a_password_is_not_printed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A database without study is named without its password; one on the command line is refused, and not repeated."""
    monkeypatch.setattr("storage.ledger.ledger.holds_studies", lambda _url: False)
    (tmp_path / "url").write_text("postgresql://ana:geheim@db.example/dice")
    monkeypatch.delenv("DICECURVE_STORAGE", raising=False)
    monkeypatch.setenv("DICECURVE_STORAGE_FILE", str(tmp_path / "url"))
    assert main(["status"]) == BAD_INPUT
    err = capsys.readouterr().err
    assert "db.example/dice" in err
    assert "geheim" not in err
    assert main(["status", "--storage", "postgresql://ana:geheim@db.example/dice"]) == BAD_INPUT
    assert "geheim" not in capsys.readouterr().err


def test_the_storage_comes_from_the_environment(
    with_study: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """DICECURVE_STORAGE stands in for --storage."""
    monkeypatch.setenv("DICECURVE_STORAGE", with_study)
    assert main(["status", "two", "--json"]) == 0
    assert '"study": "two"' in capsys.readouterr().out


def test_an_export_of_nothing_has_its_columns(with_study: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A study without evaluations exports the header."""
    assert main(["export", "one", "--storage", with_study]) == 0
    assert capsys.readouterr().out == (
        "depth,cases,ratio,seed,evaluation,epoch,step,val_dsc,test_dsc,train_seconds,val_seconds\n"
    )


def test_bad_input_of_a_real_process(at_home: Path) -> None:
    """The installed program does the same: code 2, one message, no traceback, and no warning of a package."""
    process = subprocess.run(
        [sys.executable, "-m", "studies", "run", "wrong.toml"],
        cwd=at_home,
        env=os.environ | {"PYTHONPATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (process.returncode, process.stdout) == (BAD_INPUT, "")
    assert process.stderr == "dicecurve: ratio must be in (0, 1], got 2 in [grid] of wrong.toml\n"


@pytest.mark.parametrize("arguments", [["--help"], ["run", "--help"], ["prepare", "--help"], ["status", "--help"]])
def test_help_is_quick(arguments: list[str]) -> None:
    """It imports no heavy package, and ends with 0."""
    code = (
        "import sys\nfrom studies.__main__ import main\n"
        f"try: main({arguments!r})\nexcept SystemExit as end: assert end.code == 0\n"
        f"print('HEAVY', sorted({HEAVY!r} & sys.modules.keys()))"
    )
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert process.stdout.startswith("usage: dicecurve")
    assert process.stdout.endswith("HEAVY []\n")
