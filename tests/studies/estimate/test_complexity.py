"""`dicecurve complexity`: the depths of a spec side by side, with neither data nor database."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
import torch

from models.networks.architectures import count_parameters
from models.training.training import TrainingFailed
from storage.errors import InputError
from studies.__main__ import main
from studies.commands.arguments import BAD_INPUT
from studies.estimate.complexity import complexity_rows, render_complexity
from studies.spec import load_spec

if TYPE_CHECKING:
    from pathlib import Path

SMALL = ["--set", "training.size=32", "--set", "training.channels=4", "--set", "training.batch=2"]
FIELDS = {
    "depth",
    "parameters",
    "flops",
    "inference_cases_per_second",
    "training_seconds_per_case",
    "device",
}


@pytest.fixture(autouse=True)
def quickly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder, one thread, no GPU, and as few repetitions as there may be."""
    torch.set_num_threads(1)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("models.training.speed.ENOUGH_SECONDS", 0.0)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    return tmp_path


def rows_of(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[dict[str, Any]]:
    """What --json prints."""
    assert main(["complexity", *arguments, "--json"]) == 0
    rows: list[dict[str, Any]] = json.loads(capsys.readouterr().out)
    return rows


def test_json_holds_a_row_a_depth(quickly: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each with all its fields; nothing is written."""
    rows = rows_of(capsys, "phantom", *SMALL)
    spec = load_spec("phantom", SMALL[1::2])
    assert [row["depth"] for row in rows] == [2, 3, 4]
    assert all(row.keys() == FIELDS and row["device"] == "cpu" for row in rows)
    assert [row["parameters"] for row in rows] == [count_parameters(spec.training, depth, 1) for depth in (2, 3, 4)]
    assert list(quickly.iterdir()) == []


def test_a_folder_preset_needs_no_data(capsys: pytest.CaptureFixture[str]) -> None:
    """Its images have three channels; the grid's depths may be changed."""
    changes = [*SMALL, "--set", "grid.depth=[3]"]
    (row,) = rows_of(capsys, "kvasir-seg", *changes)
    spec = load_spec("kvasir-seg", changes[1::2])
    assert row["parameters"] == count_parameters(spec.training, 3, 3)


def test_the_table_fits_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    """A line a depth, within 80 columns, also for the deepest network and the slowest machine."""
    assert main(["complexity", "phantom", *SMALL]) == 0
    out = capsys.readouterr().out
    assert [line.split()[0] for line in out.splitlines()[3:6]] == ["2", "3", "4"]
    row = {
        "depth": 8,
        "parameters": 104_413_040,
        "flops": 123_456_789_012_345,
        "inference_cases_per_second": 98765.4,
        "training_seconds_per_case": 1234.5,
        "device": "gpu",
    }
    large = render_complexity(load_spec("kvasir-seg", ["training.size=4096"]), [row])
    assert all(len(line) <= 80 for line in [*out.splitlines(), *large.splitlines()])


def test_in_3d_a_patch_stands_for_a_case(capsys: pytest.CaptureFixture[str]) -> None:
    """The table says so; the counts are those of a 3D network."""
    changes = [*SMALL, "--set", "data.kind=volumes", "--set", "training.patch=[8,12,8]", "--set", "grid.depth=[3]"]
    (row,) = rows_of(capsys, "phantom", *changes)
    assert row["parameters"] == count_parameters(load_spec("phantom", changes[1::2]).training, 3, 1)
    assert row["inference_cases_per_second"] > 0
    assert main(["complexity", "phantom", *changes]) == 0
    out = capsys.readouterr().out
    assert out.startswith("1 x 8 x 12 x 8 patches, batch 2")
    assert "inference patches/s" in out


def test_no_memory_is_told(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """With the depth."""

    def fail(*_: object) -> None:
        raise TrainingFailed("out of memory")

    monkeypatch.setattr("studies.estimate.complexity.measure_complexity", fail)
    assert main(["complexity", "phantom"]) == BAD_INPUT
    assert capsys.readouterr().err == "dicecurve: depth 2: out of memory\n"


def test_a_spec_that_keeps_to_cpus_is_measured_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """A GPU is used where there is one, unless trials may hold none."""
    devices = []

    def measure(spec: object, depth: object, channels: object, device: object) -> None:  # noqa: ARG001 - its signature
        devices.append(device)
        raise TrainingFailed

    monkeypatch.setattr("studies.estimate.complexity.measure_complexity", measure)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    for overrides in ([], ["resources.gpus_per_trial=0"]):
        with pytest.raises(InputError, match="depth 2"):
            complexity_rows(load_spec("phantom", overrides))
    assert devices == ["cuda", "cpu"]


def test_help_is_quick() -> None:
    """It imports no heavy package."""
    code = (
        "import sys\nfrom studies.__main__ import main\n"
        "try: main(['complexity', '--help'])\nexcept SystemExit as end: assert end.code == 0\n"
        "print('HEAVY', sorted({'torch', 'monai', 'numpy', 'ray', 'pydantic'} & sys.modules.keys()))"
    )
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert process.stdout.startswith("usage: dicecurve complexity")
    assert process.stdout.endswith("HEAVY []\n")
