"""A study over two losses, from the command line to its answer: really trained by Ray."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from io import StringIO
from typing import TYPE_CHECKING, NamedTuple

import optuna
import pandas as pd
import pytest
from optuna_dashboard._custom_plot_data import get_plotly_graph_objects

from storage.ledger.ledger import Ledger
from studies.__main__ import main
from tests.helpers.optuna_view import optuna_study, system_attributes
from tests.helpers.paths import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SMALL = [
    *("--set", "data.phantom_cases=40", "--set", "grid.ratio=[0.5,1.0]", "--set", "grid.depth=[2]"),
    *("--set", "training.size=16", "--set", "training.channels=4", "--set", "training.budget=60"),
    *("--set", "training.evaluations=4", "--set", "resources.max_trials=1"),
]
LOSSES = ["--set", 'grid.loss=["bce","dice_ce"]']
KEYS = [f"ratio{ratio}-depth2{loss}-seed0" for ratio in ("0.5", "1") for loss in ("", "-loss.dice_ce")]


def dicecurve(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command line in a folder."""
    command = [sys.executable, "-m", "studies", *arguments]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study with one loss, run to its end, and then with another loss as well."""
    folder = tmp_path_factory.mktemp("losses")
    first = dicecurve(folder, "run", "phantom", *SMALL)
    assert first.returncode == 0, first.stderr
    second = dicecurve(folder, "run", "phantom", *SMALL, *LOSSES)
    assert second.returncode == 0, second.stderr
    assert "Traceback" not in second.stderr
    (folder / "said.txt").write_text(second.stdout)
    return folder


class Said(NamedTuple):
    """What a command printed, and its exit code."""

    code: int
    out: str
    err: str


@pytest.fixture
def say(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Said]:
    """Run a command that trains nothing, in this process."""
    monkeypatch.chdir(folder)

    def run(*arguments: str) -> Said:
        code = main(list(arguments))
        return Said(code, *capsys.readouterr())

    return run


def test_an_axis_is_added_to_a_study_and_every_cell_keeps_its_key(say: Callable[..., Said]) -> None:
    """Cells of the first run are neither named anew nor trained again; each loss learns something of its own."""
    status = json.loads(say("status", "--json").out)
    assert sorted(cell["cell"] for cell in status["per_cell"]) == sorted(KEYS)
    assert status["finished"]
    assert {cell["attempt"] for cell in status["per_cell"]} == {1}
    values = {cell["cell"]: cell["best_val_dsc"] for cell in status["per_cell"]}
    assert len(set(values.values())) == len(KEYS)
    assert [cell["cell"] for cell in status["per_cell"]][:2] == ["ratio0.5-depth2-seed0", "ratio1-depth2-seed0"]


def test_one_answer_ranks_both(folder: Path, say: Callable[..., Said]) -> None:
    """A row each; the text tells them apart by a letter, within 80 columns, and the page has a panel each."""
    answer = json.loads(say("report", "--json").out)
    ranked = {(row["variant"], row["num_cases"]) for row in answer["ranking"]}
    assert ranked == {(variant, cases) for variant in ("", "loss=dice_ce") for cases in (14, 28)}
    said = (folder / "said.txt").read_text()
    assert "Variants:\n  A own protocol\n  B loss=dice_ce\n" in said
    assert max(len(line) for line in said.splitlines() if not line.startswith("report:")) <= 80
    page = (folder / "report.html").read_text()
    for name in ("scores-own", "scores-loss-dice-ce", "training-curves-own", "training-curves-loss-dice-ce"):
        assert f'id="{name}-plot"' in page


def test_what_was_decided_of_a_variant_s_cell_is_told(folder: Path, say: Callable[..., Said]) -> None:
    """By its key, as any other's; and its model can be exported, with a note of what it is."""
    why = say("status", "--why", KEYS[-1])
    assert (why.code, why.out.partition(":")[0]) == (0, KEYS[-1])
    exported = say("export-model", KEYS[-1], "-o", "model")
    assert exported.code == 0, exported.err
    assert KEYS[-1] in (folder / "model" / "docs" / "README.md").read_text()


def test_optuna_holds_the_loss_of_each_trial(folder: Path) -> None:
    """As an attribute; the own loss is the protocol's, in the study's identity. Its page has figures of each."""
    url = f"sqlite:///{folder}/dicecurve.db"
    trials = optuna.load_study(study_name="phantom", storage=url).trials
    assert sorted(str(trial.user_attrs.get("loss")) for trial in trials) == ["None", "None", "dice_ce", "dice_ce"]
    with optuna_study(url, "phantom") as seen:
        figures = get_plotly_graph_objects(system_attributes(seen))
    apart = [f"dicecurve-{kind}-{which}" for kind in ("data-curves", "scores") for which in ("own", "loss-dice-ce")]
    assert set(apart) <= figures.keys()


def test_its_surface_is_replayed(folder: Path, say: Callable[..., Said]) -> None:
    """The exported evaluations name the variant, and a replay of them answers over both."""
    text = say("export").out
    surface = pd.read_csv(StringIO(text))
    assert list(surface.columns[:2]) == ["variant", "depth"]
    (folder / "surface.csv").write_text(text)
    replayed = say("replay", "surface.csv", "--policy", "grid", "--json")
    assert replayed.code == 0, replayed.err
    assert sorted(cell["cell"] for cell in json.loads(replayed.out)["cells"]) == sorted(KEYS)


def test_it_goes_out_as_files_and_comes_back(folder: Path, say: Callable[..., Said]) -> None:
    """With the variant of every cell, in a column of the table of cells."""
    assert say("export", "--all", "-o", "whole", "--format", "csv").code == 0
    back = say("import", "whole", "--name", "back")
    assert back.code == 0, back.err
    with Ledger.open(f"sqlite:///{folder}/dicecurve.db") as ledger:
        studies = [ledger.find_study(name) for name in ("phantom", "back")]
        plans = [[cell.plan for cell in ledger.cells(study.study_id)] for study in studies if study is not None]
    assert plans[0] == plans[1]


def test_an_axis_is_not_dropped_again(say: Callable[..., Said]) -> None:
    """Without it the study is refused, with what it had."""
    refused = say("run", "phantom", *SMALL)
    assert refused.code == 2
    assert "grid.loss: was ['bce', 'dice_ce'], now None" in refused.err


def test_an_architecture_that_refuses_a_depth_is_refused_before_anything(
    folder: Path, say: Callable[..., Said]
) -> None:
    """Exit code 2, one message, and no study."""
    changes = ["--name", "never", "--set", 'grid.architecture=["unet","swin_unetr"]', "--set", "training.channels=12"]
    refused = say("run", "phantom", *SMALL, *changes)
    assert refused.code == 2
    assert "'swin_unetr' has depth 6 alone, got grid.depth = 2; drop it, or the architecture" in refused.err
    with Ledger.open(f"sqlite:///{folder}/dicecurve.db") as ledger:
        assert ledger.find_study("never") is None
