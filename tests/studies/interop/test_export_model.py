"""`dicecurve export-model`: MONAI runs the bundle on a new case, and its mask is the one that we would have made."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nibabel
import numpy as np
import pytest
import torch
from PIL import Image
from torch.nn.functional import interpolate

from models.metrics import per_case
from models.networks.architectures import build_network
from models.training.batches import sliding_logits
from models.training.training import Training
from models.training.training_data import TrainingData
from storage.data.dataset import Dataset
from storage.files.checkpoints import CheckpointFolder
from storage.ledger.cell_records import cell_record
from storage.ledger.ledger import Ledger
from storage.records import CellState, Evaluation, Scores
from studies.__main__ import main
from studies.commands.arguments import BAD_INPUT, OK
from studies.launch.start import prepare_study
from studies.spec import parse_spec
from tests.helpers.volume_makers import save, write_dataset_json

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from storage.records import CellPlan
    from studies.launch.start import PreparedStudy

US = "host/boot/ns/1/100"
SPEC = {"name": "s", "grid": {"ratio": [1.0], "depth": [2]}}
PROTOCOL = {"unit": "steps", "evaluations": 2, "batch": 4, "channels": 4, "learning_rate": 5e-3}
SLANTED = np.array([[0, -1.0, 0, 20], [1.0, 0, 0, -5], [0, 0, 2.0, 3], [0, 0, 0, 1]])  # to the front, left, and up


def test_pictures(tmp_path: Path) -> None:
    """A picture of a size of its own: resized as for a training, its mask as large as it is."""
    for index in range(12):
        draw_picture(tmp_path / "data", index)
    training = PROTOCOL | {"size": 16, "budget": 60}
    study, weights, plan = trained(tmp_path, {"data": {"path": str(tmp_path / "data")}, "training": training})
    assert main(["export-model", plan.key, "-o", str(tmp_path / "bundle"), "--storage", url_of(tmp_path)]) == OK

    run(tmp_path)
    ours = picture_mask(study, network(study, weights, plan, 3))
    theirs = np.asarray(Image.open(tmp_path / "masks" / "case3_mask.png"))
    assert theirs.shape == (30, 40)
    assert set(np.unique(theirs)) == {0, 255}
    assert np.mean((theirs == 255) == ours) > 0.999
    about = json.loads((tmp_path / "bundle" / "configs" / "metadata.json").read_text())
    assert about["eval_metrics"]["test_dsc"] == pytest.approx(noted_dsc(study, plan), abs=1e-4)


def test_grey_pictures_of_nnunet(tmp_path: Path) -> None:
    """One channel under nnU-Net's name, its mask under the case's."""
    for index in range(12):
        draw_picture(tmp_path / "drawn", index)
    data = tmp_path / "data"
    write_dataset_json(data, channel_names={"0": "grey"}, labels={"background": 0, "disc": 255}, file_ending=".png")
    for kind, place, suffix in (("images", "imagesTr", "_0000"), ("masks", "labelsTr", "")):
        (data / place).mkdir()
        for file in (tmp_path / "drawn" / kind).iterdir():
            Image.open(file).convert("L").save(data / place / f"{file.stem}{suffix}.png")
    (data / "images").symlink_to(data / "imagesTr")
    spec = {"data": {"kind": "nnunet_2d", "path": str(data)}, "training": PROTOCOL | {"size": 16, "budget": 60}}
    study, weights, plan = trained(tmp_path, spec)
    assert main(["export-model", plan.key, "-o", str(tmp_path / "bundle"), "--storage", url_of(tmp_path)]) == OK

    run(tmp_path)
    theirs = np.asarray(Image.open(tmp_path / "masks" / "case3_mask.png"))
    assert np.mean((theirs == 255) == picture_mask(study, network(study, weights, plan, 1))) > 0.999


def test_volumes(tmp_path: Path) -> None:
    """Two modalities in axes of their own: turned, cropped, scaled (one of them by all cases), resampled, and back."""
    for index in range(10):
        draw_volume(tmp_path / "data", index)
    data = {
        "kind": "volumes",
        "path": str(tmp_path / "data"),
        "modalities": {"CT": "_ct", "pet": "_pet"},
        "spacing": [1, 1, 1.5],
    }
    training = PROTOCOL | {"patch": [16, 16, 8], "budget": 60, "threshold": 0.4}
    study, weights, plan = trained(tmp_path, {"data": data, "training": training})
    assert main(["export-model", plan.key, "-o", str(tmp_path / "bundle"), "--storage", url_of(tmp_path)]) == OK

    run(tmp_path)
    theirs = nibabel.load(tmp_path / "masks" / "case3_mask.nii.gz")
    ours = volume_mask(study, network(study, weights, plan, 2), tmp_path / "data" / "images" / "case3_ct.nii.gz")
    assert theirs.shape == (22, 20, 12)
    assert theirs.affine == pytest.approx(SLANTED)
    assert 0 < ours.mean() < 0.5
    assert np.mean((theirs.get_fdata() == 1) == ours) > 0.999


def test_what_cannot_be_exported_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An unknown cell, one that is not finished, a folder that is taken, weights that are gone."""
    for index in range(12):
        draw_picture(tmp_path / "data", index)
    spec = {"data": {"path": str(tmp_path / "data")}, "training": PROTOCOL | {"size": 16, "budget": 2}}
    study, _, plan = trained(tmp_path, spec | {"grid": {"ratio": [0.5, 1.0], "depth": [2]}})
    command = partial(main_on, tmp_path)
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "file").touch()
    for arguments, message in (
        (["ratio2-depth2-seed0"], "no cell 'ratio2-depth2-seed0'"),
        (["ratio0.5-depth2-seed0"], "is not finished (waiting)"),
        ([plan.key, "-o", str(tmp_path / "taken")], "is there already"),
    ):
        assert command(*arguments) == BAD_INPUT
        assert message in capsys.readouterr().err
    CheckpointFolder.of(study.job.assignment.checkpoints, "s", plan.key, 1).close("none")
    assert command(plan.key, "-o", str(tmp_path / "bundle")) == BAD_INPUT
    assert "no weights of cell" in capsys.readouterr().err
    assert not (tmp_path / "bundle").exists()


def main_on(folder: Path, *arguments: str) -> int:
    """The command on the study in a folder."""
    return main(["export-model", *arguments, "--storage", url_of(folder)])


def run(folder: Path) -> None:
    """Run the bundle in its folder on one case; what it holds of ours imports nothing else of ours."""
    cases = folder / "cases"
    cases.mkdir()
    for file in (folder / "data" / "images").glob("case3[._]*"):
        shutil.copy(file, cases)
    command = [sys.executable, "-P", "-m", "monai.bundle", "run", "--config_file", "configs/inference.json"]
    places = ["--dataset_dir", str(cases), "--output_dir", str(folder / "masks")]
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    bundle = folder / "bundle"
    done = subprocess.run([*command, *places], cwd=bundle, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    imported = [path.read_text() for path in (bundle / "scripts").glob("*.py")]
    assert not any(f"from {room}" in text for text in imported for room in ("studies", "search", "models", "storage"))


def trained(folder: Path, changes: dict[str, Any]) -> tuple[PreparedStudy, bytes, CellPlan]:
    """A study with its last cell trained, tested and closed, in this process."""
    spec = parse_spec(SPEC | changes, source="test")
    prepared = prepare_study(spec, url_of(folder), wait_for_others=False)
    plan = prepared.ledger.cells(prepared.study.study_id)[-1].plan
    training = Training(spec.training, plan.depth, plan.seed, training_data(prepared), "cpu")
    while not training.is_finished:
        training.advance()
    close(prepared, plan, training)
    weights = training.state()["best.pt"]
    prepared.ledger.close()
    return prepared, weights, plan


def training_data(prepared: PreparedStudy) -> TrainingData:
    """All training cases, as a worker takes them."""
    dataset, split = Dataset.open(Path(prepared.job.assignment.dataset_folder)), prepared.study.split
    cases = {part: dataset.indices(split[part]) for part in ("train", "validation", "test")}
    positions = dataset.foreground() if dataset.dimensions == 3 else None
    return TrainingData(dataset.images(), dataset.masks(), **cases, foreground=positions)


def close(prepared: PreparedStudy, plan: CellPlan, training: Training) -> None:
    """Record the training as a driver does."""
    ledger, study_id = prepared.ledger, prepared.study.study_id
    points = [Evaluation(p.evaluation, p.epoch, p.step, p.val_dsc, 1.0, 1.0) for p in training.curve]
    claim = ledger.claim(study_id, [plan.key], US)
    assert claim is not None
    checkpoints = CheckpointFolder.of(prepared.job.assignment.checkpoints, "s", plan.key, claim.attempt)
    name = checkpoints.save(claim.number, len(points), training.state())
    ledger.record(claim, points, checkpoint=name, worker={"device": "cpu", "device_share": 1.0})
    ledger.send_to_test(claim, stop_reason=None, forecast=None)
    claim = ledger.claim(study_id, [plan.key], US)
    assert claim is not None
    validation, test = (tuple(map(tuple, counts.tolist())) for counts in training.score_best())
    scores = Scores(1, validation, test, 1.0)
    ledger.finish(claim, CellState.DONE, value=points[0].val_dsc, scores=scores, facts={})
    checkpoints.close("best")


def noted_dsc(prepared: PreparedStudy, plan: CellPlan) -> float:
    """Mean over the test cases of a cell, as the ledger holds them."""
    with Ledger.open(prepared.ledger.url) as ledger:
        scores = cell_record(ledger, prepared.study.study_id, plan.key).attempt.scores
    assert scores is not None
    return float(per_case(scores.test)["dsc"].mean())


def network(prepared: PreparedStudy, weights: bytes, plan: CellPlan, channels: int) -> torch.nn.Module:
    """The network with the weights of the best evaluation."""
    model = build_network(prepared.job.assignment.training, plan.depth, channels)
    model.load_state_dict(torch.load(io.BytesIO(weights), weights_only=True))
    return model.eval()


def picture_mask(prepared: PreparedStudy, model: torch.nn.Module) -> NDArray[np.bool_]:
    """Our prediction from the prepared arrays, brought back by hand to the size that the picture has."""
    dataset = Dataset.open(Path(prepared.job.assignment.dataset_folder))
    case = dataset.names.index("case3")
    images = torch.from_numpy(np.array(dataset.images()[case : case + 1])).float() / 127.5 - 1
    with torch.inference_mode():
        probability = torch.sigmoid(model(images))
    return interpolate(probability, (30, 40), mode="bilinear")[0, 0].numpy() >= 0.5


def volume_mask(prepared: PreparedStudy, model: torch.nn.Module, file: Path) -> NDArray[np.bool_]:
    """Our prediction from the prepared arrays, brought back by hand: to the box, to RAS, to the axes of the file."""
    dataset, spec = Dataset.open(Path(prepared.job.assignment.dataset_folder)), prepared.job.assignment.training
    prepared_image = torch.from_numpy(np.array(dataset.images()[dataset.names.index("case3")])).float()[None]
    with torch.inference_mode():
        probability = torch.sigmoid(sliding_logits(spec, model, prepared_image))
    original = nibabel.load(file)
    upright = nibabel.as_closest_canonical(original)
    mask = np.zeros(upright.shape, dtype=np.bool_)
    box = np.ix_(*(np.unique(axis) for axis in np.nonzero(upright.get_fdata())))
    sides = tuple(len(axis.ravel()) for axis in box)
    mask[box] = interpolate(probability, sides, mode="trilinear")[0, 0].numpy() >= spec.threshold
    back = nibabel.orientations.ornt_transform(
        nibabel.orientations.axcodes2ornt("RAS"), nibabel.io_orientation(original.affine)
    )
    return nibabel.orientations.apply_orientation(mask, back).astype(np.bool_)


def draw_picture(folder: Path, index: int) -> None:
    """A bright disc, 40 pixels wide and 30 high."""
    y, x = np.mgrid[0:30, 0:40]
    centre = np.random.default_rng(index).uniform(9, 21, 2)
    disc = np.hypot(y - centre[0], x - centre[1] - 5) < 7
    noise = np.random.default_rng(index).integers(0, 40, (30, 40, 3))
    for kind, values in (("images", 40 + 150 * disc[..., None] + noise), ("masks", 255 * disc)):
        path = folder / kind / f"case{index}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(values.astype(np.uint8)).save(path)


def draw_volume(folder: Path, index: int) -> None:
    """A bright ball in a box with nothing around it, in two modalities."""
    rng = np.random.default_rng(index)
    x, y, z = np.mgrid[0:22, 0:20, 0:12]
    centre = rng.uniform((8, 7, 5), (13, 12, 7))
    ball = np.sqrt((x - centre[0]) ** 2 + (y - centre[1]) ** 2 + 4 * (z - centre[2]) ** 2) < 5
    inside = np.zeros(ball.shape, dtype=np.bool_)
    inside[2:21, 1:18, 1:11] = True
    for name, values in (
        ("ct", 100 + 400 * ball + rng.integers(1, 60, ball.shape)),
        ("pet", 5 + rng.random(ball.shape)),
    ):
        save(folder / "images" / f"case{index}_{name}.nii.gz", (values * inside).astype(np.float32), SLANTED)
    save(folder / "masks" / f"case{index}.nii.gz", (ball & inside).astype(np.uint8), SLANTED)


def url_of(folder: Path) -> str:
    """The database of a test."""
    return f"sqlite:///{folder}/study.db"
