"""Training of one task model: failures, and what is measured."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch

from models.metrics import per_case
from models.training.training import Training, TrainingFailed
from tests.helpers.small_trainings import (
    DATA,
    SOLID,
    SPEC,
    VOLUMES,
    begin,
    run,
    same,
    scores_of,
    undisturbed_training,
    weights_of,
)

if TYPE_CHECKING:
    from pathlib import Path

    from models.protocol import TrainingSpec
    from tests.helpers.small_trainings import Weights


@pytest.fixture(autouse=True)
def one_thread() -> None:
    """Sums of several threads may round differently; these models are too small to gain from them."""
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def undisturbed() -> tuple[Training, Weights]:
    """A training from start to end, and its last weights."""
    return undisturbed_training()


def test_a_curve_has_a_point_an_evaluation(undisturbed: tuple[Training, Any]) -> None:
    """Points say where training stood, and what it took; test scores are not measured unasked."""
    training, _ = undisturbed
    assert [(p.evaluation, p.step, p.epoch) for p in training.curve] == [
        (1, 3, 1.2),
        (2, 6, 2.4),
        (3, 9, 3.6),
        (4, 12, 4.8),
    ]
    assert all(0 <= p.val_dsc <= 1 for p in training.curve)
    assert all(p.train_seconds > 0 and p.val_seconds > 0 for p in training.curve)
    assert all(p.test_dsc is None for p in training.curve)
    assert training.total_steps == 12


@pytest.mark.parametrize("spec", [SPEC, SOLID], ids=["2D", "3D"])
def test_it_learns(spec: TrainingSpec) -> None:
    """A bright square, or cube, is found after a few steps."""
    training = run(begin(spec.model_copy(update={"budget": 80})))
    assert max(p.val_dsc for p in training.curve) > 0.8


def test_a_seed_gives_one_training(undisturbed: tuple[Training, Weights]) -> None:
    """The same seed starts and ends with the same weights, whatever was drawn before; another seed with others."""
    torch.manual_seed(12345)
    again, other = begin(), begin(seed=1)
    assert not same(weights_of(again), weights_of(other))
    run(again)
    assert same(weights_of(again), undisturbed[1])


def test_a_loss_that_is_no_number_ends_the_training() -> None:
    """The reason names the loss, the step and the remedy."""
    training = begin(SPEC.model_copy(update={"learning_rate": 1e30}))
    with pytest.raises(TrainingFailed, match=r"the loss is (nan|inf) at step \d+; lower training\.learning_rate"):
        run(training)


@pytest.mark.parametrize("error", [MemoryError("no memory\nsecond line"), torch.OutOfMemoryError("no memory\nmore")])
def test_no_memory_ends_the_training(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    """The reason is one line; the curve stays as it was."""
    training = begin()
    training.advance()

    def fail(_steps: range) -> None:
        raise error

    monkeypatch.setattr(training, "_train", fail)
    with pytest.raises(TrainingFailed, match=r"^out of memory: no memory; lower training\.batch or training\.size$"):
        training.advance()
    assert len(training.curve) == 1


def test_no_memory_without_words_ends_the_training(monkeypatch: pytest.MonkeyPatch) -> None:
    """Python's own MemoryError has no message."""
    training = begin()

    def fail(_steps: range) -> None:
        raise MemoryError

    monkeypatch.setattr(training, "_train", fail)
    with pytest.raises(TrainingFailed, match="out of memory"):
        training.advance()


def test_recording_the_test_curve_changes_nothing_else(
    undisturbed: tuple[Training, Weights],
) -> None:
    """Validation curve and weights are the same; test scores stand beside."""
    whole, weights = undisturbed
    recorded = run(begin(SPEC.model_copy(update={"record_test_curve": True})))
    assert [p.val_dsc for p in recorded.curve] == [p.val_dsc for p in whole.curve]
    assert same(weights_of(recorded), weights)
    assert all(p.test_dsc is not None for p in recorded.curve)


def test_the_test_cases_do_not_reach_the_training(
    undisturbed: tuple[Training, Weights],
) -> None:
    """Other images of the test cases give the same curve and weights."""
    images, masks = np.array(DATA.images), np.array(DATA.masks)
    images[16:], masks[16:] = 7, 1
    training = run(Training(SPEC, 3, 0, replace(DATA, images=images, masks=masks), "cpu"))
    assert scores_of(training) == scores_of(undisturbed[0])
    assert same(weights_of(training), undisturbed[1])


def test_the_best_evaluation_is_scored() -> None:
    """Scores are those of the weights with the best validation DSC, the first of equals, not of the last ones."""
    training = begin(SPEC.model_copy(update={"budget": 40, "evaluations": 8}))
    by_evaluation = []
    while not training.is_finished:
        training.advance()
        by_evaluation.append(weights_of(training))
    # Ruin the model after its best evaluation: the score must not notice.
    dsc = [p.val_dsc for p in training.curve]
    best = int(np.argmax(dsc))
    with torch.no_grad():
        for parameter in training._model.parameters():
            parameter.zero_()
    validation, test = training.score_best()
    assert same(weights_of(training), by_evaluation[best])
    assert float(per_case(validation)["dsc"].mean()) == dsc[best]
    assert validation.shape == (6, 3)
    assert test.shape == (4, 3)


def test_counts_are_pixels(undisturbed: tuple[Training, Any]) -> None:
    """True positives and misses of a case add up to its foreground."""
    validation, test = undisturbed[0].score_best()
    for counts, cases in ((validation, DATA.validation), (test, DATA.test)):
        assert (counts[:, 0] + counts[:, 2]).tolist() == [DATA.masks[case].sum() for case in cases]


def test_counts_are_those_of_whole_volumes() -> None:
    """Whatever the patch: the padding of small volumes is counted nowhere, and no voxel twice."""
    everything = begin(SOLID.model_copy(update={"threshold": 1e-30}))
    validation, test = everything.score_best()
    for counts, cases in ((validation, VOLUMES.validation), (test, VOLUMES.test)):
        voxels = [int(VOLUMES.masks[case].sum()) for case in cases]
        assert counts.tolist() == [[n, VOLUMES.masks[case].size - n, 0] for n, case in zip(voxels, cases, strict=True)]


def test_bfloat16_in_3d_is_left_to_gpus() -> None:
    """On CPUs some of its gradients are of memory that was never written: not equal in two runs, or NaN."""
    with pytest.raises(TrainingFailed, match=r"bf16.*CPU.*precision = 'float32'"):
        begin(SOLID.model_copy(update={"precision": "bf16"}))


@pytest.mark.parametrize("spec", [SPEC, SOLID], ids=["2D", "3D"])
def test_memory_mapped_arrays_are_as_good(spec: TrainingSpec, tmp_path: Path) -> None:
    """The arrays that storage hands over are read-only views of files; nothing tries to write to them."""
    data = DATA if spec.patch is None else VOLUMES
    mapped = replace(data, images=_mapped(data.images, tmp_path / "i"), masks=_mapped(data.masks, tmp_path / "m"))
    training = run(Training(spec, 3, 0, mapped, "cpu"))
    assert scores_of(training) == scores_of(run(begin(spec)))


def _mapped(arrays: Any, folder: Path) -> Any:
    folder.mkdir()
    if isinstance(arrays, np.ndarray):
        np.save(folder / "all.npy", arrays)
        return np.load(folder / "all.npy", mmap_mode="r")
    for number, array in enumerate(arrays):
        np.save(folder / f"{number}.npy", array)
    return [np.load(folder / f"{number}.npy", mmap_mode="r") for number in range(len(arrays))]


def test_layout_and_precision_change_little(undisturbed: tuple[Training, Any]) -> None:
    """Channels last gives the same curve up to rounding; bfloat16 gives one that is near."""
    plain = np.array([p.val_dsc for p in undisturbed[0].curve])
    layout = np.array([p.val_dsc for p in run(begin(SPEC.model_copy(update={"channels_last": True}))).curve])
    coarse = np.array([p.val_dsc for p in run(begin(SPEC.model_copy(update={"precision": "bf16"}))).curve])
    assert layout == pytest.approx(plain, abs=0.02)
    assert coarse == pytest.approx(plain, abs=0.2)


def test_augmentation_changes_the_training_only() -> None:
    """Flips lead to other weights from the same start; what is validated is never turned."""
    flips = begin(SPEC.model_copy(update={"augmentation": "flips"}))
    assert same(weights_of(flips), weights_of(begin()))
    before = flips._count(DATA.validation)
    assert np.array_equal(before, begin()._count(DATA.validation))
    assert not same(weights_of(run(flips)), weights_of(run(begin())))


@pytest.mark.parametrize("spec", [SPEC, SOLID], ids=["pictures", "volumes"])
def test_predicted_masks_are_those_that_were_counted(spec: TrainingSpec) -> None:
    """Each has its case's own shape, and gives the true and false positives and negatives of the scores."""
    training = run(begin(spec))
    _, counts = training.score_best()
    truth = [training.data.masks[case][0] > 0 for case in training.data.test]
    predicted = training.predict_best(training.data.test)
    assert [mask.shape for mask in predicted] == [mask.shape for mask in truth]
    pairs = zip(predicted, truth, strict=True)
    assert [[(p & t).sum(), (p & ~t).sum(), (~p & t).sum()] for p, t in pairs] == counts.tolist()
