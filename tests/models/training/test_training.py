"""Training of one task model: resumes, failures, and what is measured."""

from __future__ import annotations

import multiprocessing
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch

from models.metrics import per_case
from models.protocol import TrainingSpec
from models.training.training import Training, TrainingFailed
from models.training.training_data import TrainingData

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

SPEC = TrainingSpec(size=16, budget=12, evaluations=4, batch=4, channels=4, learning_rate=1e-2)
SOLID = TrainingSpec(
    patch=(8, 12, 8), budget=8, evaluations=4, batch=3, channels=4, residual_units=1, learning_rate=3e-2
)
SIDE = 16


@pytest.fixture(autouse=True)
def one_thread() -> None:
    """Sums of several threads may round differently; these models are too small to gain from them."""
    torch.set_num_threads(1)


def bright_squares() -> TrainingData:
    """Twenty noisy pictures with a bright square each: 10 for training, 6 for validation, 4 for the test."""
    rng = np.random.default_rng(0)
    images = rng.integers(0, 100, (20, 1, SIDE, SIDE), dtype=np.uint8)
    masks = np.zeros((20, 1, SIDE, SIDE), dtype=np.uint8)
    for mask, (row, column) in zip(masks, rng.integers(0, 9, (20, 2)), strict=True):
        mask[0, row : row + 7, column : column + 7] = 1
    images += 120 * masks
    return TrainingData(images, masks, np.arange(10), np.arange(10, 16), np.arange(16, 20))


def bright_cubes() -> TrainingData:
    """Twelve noisy volumes of differing sizes, some smaller than the patch, with a bright cube each."""
    rng = np.random.default_rng(0)
    images, masks = [], []
    for _ in range(12):
        shape = rng.integers(7, 16, 3)
        mask = np.zeros((1, *shape), dtype=np.uint8)
        mask[0, *(slice(at, at + 4) for at in rng.integers(0, shape - 3))] = 1
        images.append((rng.standard_normal((2, *shape)) + 3 * mask).astype(np.float16))
        masks.append(mask)
    foreground = [np.argwhere(mask[0]).astype(np.int32) for mask in masks]
    return TrainingData(images, masks, np.arange(6), np.arange(6, 9), np.arange(9, 12), foreground)


DATA, VOLUMES = bright_squares(), bright_cubes()


def begin(spec: TrainingSpec = SPEC, *, seed: int = 0) -> Training:
    """A training that has not begun."""
    return Training(spec, 3, seed, DATA if spec.patch is None else VOLUMES, "cpu")


def run(training: Training) -> Training:
    """Train to the end of the budget."""
    while not training.is_finished:
        training.advance()
    return training


def scores_of(training: Training) -> list[tuple[Any, ...]]:
    """The curve without its seconds."""
    return [(p.evaluation, p.epoch, p.step, p.val_dsc, p.test_dsc) for p in training.curve]


def weights_of(training: Training) -> dict[str, NDArray[np.float32]]:
    """The weights as they stand."""
    return {name: tensor.numpy().copy() for name, tensor in training._model.state_dict().items()}


def same(one: dict[str, NDArray[np.float32]], two: dict[str, NDArray[np.float32]]) -> bool:
    """Whether all weights are equal, bit for bit."""
    return one.keys() == two.keys() and all(np.array_equal(one[name], two[name]) for name in one)


@pytest.fixture(scope="module")
def undisturbed() -> tuple[Training, dict[str, NDArray[np.float32]]]:
    """A training from start to end, and its last weights."""
    torch.set_num_threads(1)
    training = run(begin())
    return training, weights_of(training)


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


@pytest.mark.parametrize("after", [1, 2, 3, 4])
def test_a_resume_is_bit_equal(undisturbed: tuple[Training, dict[str, NDArray[np.float32]]], after: int) -> None:
    """Whenever a training is interrupted, the one that goes on from its state ends with the same curve and weights."""
    whole, weights = undisturbed
    interrupted = begin()
    for _ in range(after):
        interrupted.advance()
    files = interrupted.state()
    torch.manual_seed(99)
    resumed = begin(seed=0)
    resumed.resume(files)
    assert resumed.curve == interrupted.curve
    run(resumed)
    assert scores_of(resumed) == scores_of(whole)
    assert same(weights_of(resumed), weights)
    for ours, theirs in zip(resumed.score_best(), whole_scores(), strict=True):
        assert np.array_equal(ours, theirs)


def whole_scores() -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The scores of an undisturbed training."""
    return run(begin()).score_best()


def test_a_resume_in_another_process_is_bit_equal(
    undisturbed: tuple[Training, dict[str, NDArray[np.float32]]],
) -> None:
    """Nothing of a training lives outside its state."""
    whole, weights = undisturbed
    interrupted = begin()
    interrupted.advance()
    spawn = multiprocessing.get_context("spawn")
    with spawn.Pool(1) as pool:
        curve, found = pool.apply(_go_on, (interrupted.state(),))
    assert curve == scores_of(whole)
    assert same(found, weights)


def _go_on(files: dict[str, bytes]) -> tuple[list[tuple[Any, ...]], dict[str, NDArray[np.float32]]]:
    torch.set_num_threads(1)
    training = begin()
    training.resume(files)
    run(training)
    return scores_of(training), weights_of(training)


def test_a_seed_gives_one_training(undisturbed: tuple[Training, dict[str, NDArray[np.float32]]]) -> None:
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
    undisturbed: tuple[Training, dict[str, NDArray[np.float32]]],
) -> None:
    """Validation curve and weights are the same; test scores stand beside."""
    whole, weights = undisturbed
    recorded = run(begin(SPEC.model_copy(update={"record_test_curve": True})))
    assert [p.val_dsc for p in recorded.curve] == [p.val_dsc for p in whole.curve]
    assert same(weights_of(recorded), weights)
    assert all(p.test_dsc is not None for p in recorded.curve)


def test_the_test_cases_do_not_reach_the_training(
    undisturbed: tuple[Training, dict[str, NDArray[np.float32]]],
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


def test_a_worse_evaluation_does_not_become_the_best() -> None:
    """A training whose later evaluations are worse keeps its early weights through state and resume."""
    training = begin()
    training.advance()
    kept = {name: tensor.clone() for name, tensor in training._best.items()}
    training.curve[0] = replace(training.curve[0], val_dsc=1.0)
    training.advance()
    resumed = begin()
    resumed.resume(training.state())
    resumed.advance()
    assert all(torch.equal(kept[name], tensor) for name, tensor in resumed._best.items())


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


def test_a_state_holds_no_code() -> None:
    """Its files are weights and plain values: loading them runs nothing."""
    training = begin()
    training.advance()
    files = training.state()
    assert files.keys() == {"state.pt", "best.pt"}
    assert b"models.training" not in b"".join(files.values())


@pytest.mark.parametrize(
    "changed",
    [
        {"loss": "dice_ce"},
        {"augmentation": "flips"},
        {"precision": "bf16"},
        {"channels_last": True},
        {"optimiser": "adamw"},
        {"optimiser": "sgd"},
        {"architecture": "attention_unet"},
        {"architecture": "segresnet", "channels": 8},
    ],
    ids=lambda changed: "-".join(map(str, next(iter(changed.items())))),
)
def test_every_protocol_resumes_bit_for_bit(changed: dict[str, Any]) -> None:
    """Whatever the loss, the augmentation, the network, the optimiser: a resumed run is the undisturbed one."""
    spec = SPEC.model_copy(update=changed)
    check_resume(spec)


@pytest.mark.parametrize(
    "changed",
    [
        {},
        {"augmentation": "flips"},
        {"loss": "dice_ce"},
        {"channels_last": True},
        {"foreground_share": 1.0, "overlap": 0.5},
    ],
    ids=lambda changed: next(iter(changed), "plain"),
)
def test_a_resume_in_3d_is_bit_equal(changed: dict[str, Any]) -> None:
    """Patches are drawn by seed and step alone."""
    check_resume(SOLID.model_copy(update=changed))


def test_bfloat16_in_3d_is_left_to_gpus() -> None:
    """On CPUs some of its gradients are of memory that was never written: not equal in two runs, or NaN."""
    with pytest.raises(TrainingFailed, match=r"bf16.*CPU.*precision = 'float32'"):
        begin(SOLID.model_copy(update={"precision": "bf16"}))


def check_resume(spec: TrainingSpec) -> None:
    """A training interrupted in the middle ends as the undisturbed one does."""
    whole, half = run(begin(spec)), begin(spec)
    half.advance()
    half.advance()
    torch.manual_seed(99)
    resumed = begin(spec)
    resumed.resume(half.state())
    run(resumed)
    assert scores_of(resumed) == scores_of(whole)
    assert same(weights_of(resumed), weights_of(whole))


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
