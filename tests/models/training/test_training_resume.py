"""Trainings that were interrupted: whatever the protocol, they end as the undisturbed ones do."""

from __future__ import annotations

import multiprocessing
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch

from tests.helpers.small_trainings import SOLID, SPEC, begin, run, same, scores_of, undisturbed_training, weights_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from models.protocol import TrainingSpec
    from models.training.training import Training
    from tests.helpers.small_trainings import Weights


@pytest.fixture(autouse=True)
def one_thread() -> None:
    """Sums of several threads may round differently; these models are too small to gain from them."""
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def undisturbed() -> tuple[Training, Weights]:
    """A training from start to end, and its last weights."""
    return undisturbed_training()


@pytest.mark.parametrize("after", [1, 2, 3, 4])
def test_a_resume_is_bit_equal(undisturbed: tuple[Training, Weights], after: int) -> None:
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
    undisturbed: tuple[Training, Weights],
) -> None:
    """Nothing of a training lives outside its state."""
    whole, weights = undisturbed
    interrupted = begin()
    interrupted.advance()
    spawn = multiprocessing.get_context("spawn")
    with spawn.Pool(1) as pool:
        curve, last = pool.apply(_go_on, (interrupted.state(),))
    assert curve == scores_of(whole)
    assert same(last, weights)


def _go_on(files: dict[str, bytes]) -> tuple[list[tuple[Any, ...]], Weights]:
    torch.set_num_threads(1)
    training = begin()
    training.resume(files)
    run(training)
    return scores_of(training), weights_of(training)


def test_a_state_holds_no_code() -> None:
    """Its files are weights and plain values: loading them runs nothing."""
    training = begin()
    training.advance()
    files = training.state()
    assert files.keys() == {"state.pt", "best.pt"}
    assert b"models.training" not in b"".join(files.values())


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
