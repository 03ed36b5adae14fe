"""The command line from a folder of one's own to its answer, and to its exit code."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from io import StringIO
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from tests.helpers.paths import ROOT

if TYPE_CHECKING:
    from pathlib import Path

SMALL = [
    *("--set", "grid.ratio=[0.5,1.0]", "--set", "grid.depth=[2]", "--set", "training.size=16"),
    *("--set", "training.budget=60", "--set", "training.evaluations=4", "--set", "training.channels=4"),
    *("--set", "resources.max_trials=1"),
]


def dicecurve(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command line in a folder."""
    command = [sys.executable, "-m", "studies", *arguments]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, subprocess.CompletedProcess[str]]:
    """A study on a folder of bright discs, run to its end."""
    folder = tmp_path_factory.mktemp("own")
    y, x = np.mgrid[0:24, 0:32]
    for index in range(20):
        centre = np.random.default_rng(index).uniform(8, 16, 2)
        disc = np.hypot(y - centre[0], x - centre[1]) < 6
        for kind, values in (("images", 60 + 150 * disc), ("masks", 255 * disc)):
            (folder / "data" / kind).mkdir(parents=True, exist_ok=True)
            Image.fromarray(values.astype(np.uint8)).save(folder / "data" / kind / f"case{index}.png")
    return folder, dicecurve(folder, "run", "--data", "data", *SMALL)


def test_a_folder_of_ones_own_needs_data_alone(study: tuple[Path, subprocess.CompletedProcess[str]]) -> None:
    """It ends with exit code 0, the answer on stdout, and report.html beside the database."""
    folder, run = study
    assert run.returncode == 0, run.stderr
    assert "Traceback" not in run.stderr
    assert "rank depth  cases" in run.stdout
    assert (folder / "dicecurve.db").exists()
    assert "<html" in (folder / "report.html").read_text()
    assert max(len(line) for line in run.stdout.splitlines() if not line.startswith("report:")) <= 80


def test_every_number_comes_from_a_command(study: tuple[Path, subprocess.CompletedProcess[str]]) -> None:
    """Status, report and export of the same study agree with each other."""
    folder, _ = study
    status = json.loads(dicecurve(folder, "status", "--json").stdout)
    answer = json.loads(dicecurve(folder, "report", "folder", "--json").stdout)
    cases = pd.read_csv(StringIO(dicecurve(folder, "export", "--cases").stdout))
    surface = pd.read_csv(StringIO(dicecurve(folder, "export").stdout))
    assert status["finished"]
    assert len(answer["ranking"]) == len(status["per_cell"]) == 2
    assert len(surface) == 2 * 4
    tested = cases[cases["part"] == "test"].groupby("cell")[["dsc", "iou", "recall", "precision"]].mean()
    for cell in status["per_cell"]:
        for metric in ("dsc", "iou", "recall", "precision"):
            assert tested.loc[cell["cell"], metric] == pytest.approx(cell[f"test_{metric}"], abs=1e-5)


def test_failed_cells_show_in_the_exit_code(study: tuple[Path, subprocess.CompletedProcess[str]]) -> None:
    """A study whose cells fail ends with exit code 3, names how many, and lets them be tried again."""
    folder, _ = study
    run = dicecurve(
        folder, "run", "--data", "data", "--name", "failing", *SMALL, "--set", "training.learning_rate=1e30"
    )
    assert run.returncode == 3, run.stderr
    assert "2 of 2 cells failed" in run.stderr
    assert "the loss is nan" in dicecurve(folder, "status", "failing").stdout
    assert "2 cells wait again" in dicecurve(folder, "retry", "failing").stdout
    assert "2 waiting" in dicecurve(folder, "status", "failing").stdout
    refused = dicecurve(folder, "retry", "folder", "--cell", "ratio1-depth2-seed0")
    assert refused.returncode == 2
    assert "has not failed" in refused.stderr


def test_changed_identity_is_refused_with_what_differs(study: tuple[Path, subprocess.CompletedProcess[str]]) -> None:
    """The same study with another learning rate is refused with both values; prices may change."""
    folder, _ = study
    refused = dicecurve(folder, "run", "--data", "data", *SMALL, "--set", "training.learning_rate=0.1")
    assert refused.returncode == 2
    assert "training.learning_rate: was 0.001, now 0.1" in refused.stderr
    assert "Traceback" not in refused.stderr
    dearer = dicecurve(folder, "run", "--data", "data", *SMALL, "--set", "prices.case=50")
    assert dearer.returncode == 0, dearer.stderr
    assert json.loads(dicecurve(folder, "report", "folder", "--json").stdout)["ranking"][0]["price"] > 500
