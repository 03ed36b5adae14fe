"""`dicecurve calibrate`: advice, and what a study will take, before it starts."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import torch

from studies.__main__ import main
from studies.commands.arguments import BAD_INPUT
from studies.estimate import calibrate as module
from studies.estimate.calibrate import calibrate, levels
from studies.estimate.calibrate_text import render_calibration
from studies.estimate.throughput import Speed, Trials
from studies.spec import load_spec

if TYPE_CHECKING:
    from pathlib import Path

    from storage.variants import Recipe
    from studies.spec import StudySpec

SMALL = ["training.size=16", "training.channels=4", "training.batch=2", "grid.depth=[2]", "data.phantom_cases=40"]


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty folder, two cores, and no GPU."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(module, "_cores", lambda: 2)


def measured_at(monkeypatch: pytest.MonkeyPatch, step_seconds: dict[tuple[int, int], float]) -> None:
    """Trials that take these seconds a step, by (trials, batch), in place of measuring: what follows is arithmetic."""

    def measure(trials: Trials, recipe: Recipe, batch: int, _seconds: float) -> Speed:
        took = step_seconds.get((trials._trials, batch))
        if took is None:
            return Speed(recipe, batch, trials._trials, failure="out of memory: told by the device")
        return Speed(recipe, batch, trials._trials, (took,), (0.0,))

    monkeypatch.setattr(Trials, "measure", measure)


def spec_of(*changes: str) -> StudySpec:
    """A small phantom."""
    return load_spec("phantom", [*SMALL, *changes])


def calibrated(spec: StudySpec, tmp_path: Path) -> dict[str, Any]:
    """The calibration of a spec."""
    return calibrate(spec, f"sqlite:///{tmp_path}/study.db", assumed_cases=1000, seconds=0.0)


def test_a_short_run_from_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Really measured on the phantom, with one trial at once: every number is there, and no study is made."""
    changes = [
        part
        for change in [*SMALL, "resources.max_trials=1", "resources.cpus_per_trial=2"]
        for part in ("--set", change)
    ]
    assert main(["calibrate", "phantom", *changes, "--seconds", "0", "--json"]) == 0
    values = json.loads(capsys.readouterr().out)
    assert (values["data"], values["device"], values["cells"]) == ("real", "cpu", 4)
    assert values["cases"] == {"train": 28, "validation": 4, "test": 8}
    (level,) = values["levels"]
    assert (level["setting"], [batch["batch"] for batch in level["batches"]]) == (
        "resources.cpus_per_trial=2",
        [1, 2, 4],
    )
    for name in ("device_hours", "wall_hours", "price"):
        low, mean, high = (values["prediction"][name][end] for end in ("low", "mean", "high"))
        assert 0 < low <= mean <= high
    assert values["prediction"]["price_of_cases"] == 40 * 5
    assert values["prediction"]["disk_bytes"]["dataset"]["low"] >= 40 * 2 * 16 * 16
    assert not (tmp_path / "dicecurve.db").exists()


def test_the_setting_that_ends_the_study_first_is_best(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Two trials of one core that take 1.5 times as long are done sooner than one trial of two."""
    measured_at(monkeypatch, {(1, 2): 1.0, (2, 2): 1.5, (1, 4): 3.0, (2, 4): 3.2, (1, 1): 0.9, (2, 1): 1.4})
    values = calibrated(spec_of("training.budget=600"), tmp_path)
    assert values["best"] == {"resources": "resources.cpus_per_trial=1", "batch": 2, "own_batch": 2}
    hours = values["prediction"]["device_hours"]
    assert hours["low"] == hours["mean"] == hours["high"] == pytest.approx(4 * 600 * 1.5 / 3600)
    assert values["prediction"]["wall_hours"]["mean"] == pytest.approx(2 * 600 * 1.5 / 3600)
    assert values["prediction"]["price"]["mean"] == pytest.approx(0.05 * hours["mean"])


def test_differences_that_do_not_matter_favour_less_memory(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Fewer trials, and the smaller batch, where the others are faster by less than 3 %."""
    same = {(1, 1): 0.5, (1, 2): 0.99, (1, 4): 1.98, (2, 1): 1.0, (2, 2): 1.96, (2, 4): 3.9}
    measured_at(monkeypatch, same)
    values = calibrated(spec_of(), tmp_path)
    assert values["best"] == {"resources": "resources.cpus_per_trial=2", "batch": 1, "own_batch": 2}


def test_another_batch_is_another_study(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The text says so, and gives what to set; it fits a terminal."""
    measured_at(monkeypatch, {(1, 1): 1.0, (1, 2): 1.0, (1, 4): 1.0})
    spec = spec_of("policy=forecast")
    text = render_calibration(spec, calibrated(spec, tmp_path))
    assert "--set training.batch=4" in text
    assert "another batch is another study" in text
    assert "policy = forecast" in text
    assert "out of memory" in text  # two trials at once
    assert max(map(len, text.splitlines())) <= 80


def test_nothing_fits(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The reason is told, and the exit code is that of input to put right."""
    measured_at(monkeypatch, {})
    assert main(["calibrate", "phantom", "--set", "data.phantom_cases=40"]) == BAD_INPUT
    assert "nothing can be trained here: out of memory" in capsys.readouterr().err
    assert not (tmp_path / "dicecurve.db").exists()


def test_without_data_the_number_of_cases_is_assumed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """And said to be; the cells follow from it."""
    measured_at(monkeypatch, {(1, 16): 1.0, (2, 16): 1.0, (1, 8): 1.0, (2, 8): 1.0, (1, 32): 1.0, (2, 32): 1.0})
    assert main(["calibrate", "kvasir-seg", "--cases", "1000"]) == 0
    out = capsys.readouterr().out
    assert "on drawn arrays of 256 x 256; 700 + 100 + 200 cases are assumed (--data, --cases)" in out
    assert "200 cells" in out
    epochs = sum(100 * round(700 * share) / 16 for share in [number / 50 for number in range(1, 51)]) * 4
    assert f"  CPU hours        {epochs / 3600:,.0f} [" in out
    assert main(["calibrate", "brats2020", "--set", "training.patch=[64,64,64]", "--set", "training.batch=16"]) == 0
    assert "drawn arrays of 80 x 80 x 80" in capsys.readouterr().out


def test_levels_of_a_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Powers of two, all cores, and what the spec says; on a GPU, what cores allow; never more than max_trials."""
    monkeypatch.setattr(module, "_cores", lambda: 6)
    here = levels(spec_of("resources.cpus_per_trial=3"), "cpu")
    assert {(level.trials, level.threads) for level in here} == {(1, 6), (1, 4), (2, 3), (3, 2), (6, 1)}
    assert [level.trials for level in here] == [1, 1, 2, 3, 6]
    gpu = levels(spec_of("resources.gpus_per_trial=0.5", "resources.cpus_per_trial=2"), "gpu")
    assert [(level.trials, level.share) for level in gpu] == [(1, 1.0), (2, 0.5)]
    assert gpu[1].setting == "resources.gpus_per_trial=0.5"
    (one,) = levels(spec_of("resources.max_trials=1"), "gpu")
    assert one.trials == 1


def test_every_recipe_is_measured(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Batches are compared on the deepest network of the protocol's own; the study is predicted with all cells."""
    measured_at(monkeypatch, {(1, 1): 1.0, (1, 2): 1.0, (1, 4): 1.0})
    changes = ("training.budget=600", "resources.max_trials=1", "grid.depth=[2,3]", 'grid.loss=["bce","dice_ce"]')
    values = calibrated(spec_of(*changes), tmp_path)
    recipes = [(row["variant"], row["depth"]) for row in values["levels"][-1]["depths"]]
    assert recipes == [("", 2), ("", 3), ("loss=dice_ce", 2), ("loss=dice_ce", 3)]
    assert values["cells"] == 4 * 2 * 2
    assert values["prediction"]["device_hours"]["mean"] == pytest.approx(16 * 600 / 3600)
