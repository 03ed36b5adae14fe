"""Ray's schedulers decide over recorded curves as they do in Ray Tune itself."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import ray
from ray import tune
from ray.tune.schedulers import HyperBandScheduler, MedianStoppingRule, TrialScheduler

from tests.benchmarks.savings.drawn_surfaces import draw_surfaces
from tests.benchmarks.savings.ray_rivals import METRIC, TIME, RecordedTune
from tests.benchmarks.savings.surface import drawn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.benchmarks.savings.surface import Surface

AXES = {"time_attr": TIME, "metric": METRIC, "mode": "max"}
# The two that pause trials; one without pauses leaves the controller nothing to get wrong.
SCHEDULERS: dict[str, Callable[[], TrialScheduler]] = {
    "HyperBand": lambda: HyperBandScheduler(max_t=30, **AXES),
    "median": lambda: MedianStoppingRule(grace_period=5, **AXES),
}


class Recorded(tune.Trainable):  # type: ignore[misc]
    """Reports a recorded curve."""

    def setup(self, config: dict[str, Any]) -> None:
        """Begin."""
        self.curve, self.evaluation = config["curve"], 0

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        """Begin another."""
        self.setup(new_config)
        return True

    def step(self) -> dict[str, Any]:
        """The next value."""
        self.evaluation += 1
        return {METRIC: self.curve[self.evaluation - 1], "done": self.evaluation == len(self.curve)}

    def save_checkpoint(self, _: str) -> dict[str, int]:
        """Where it is."""
        return {"evaluation": self.evaluation}

    def load_checkpoint(self, checkpoint: dict[str, int] | None) -> None:
        """Go on there."""
        self.evaluation = checkpoint["evaluation"] if checkpoint else 0


@pytest.fixture(scope="module", autouse=True)
def _one_ray_for_all() -> Iterator[None]:
    ray.init(
        address="local",
        num_cpus=1,
        include_dashboard=False,
        log_to_driver=False,
        object_store_memory=2**27,
        runtime_env={"env_vars": {"PYTHONPATH": str(Path(__file__).parent)}},  # workers import this file too
    )
    yield
    ray.shutdown()


@pytest.mark.parametrize("name", SCHEDULERS)
def test_every_trial_ends_where_tune_ends_it(name: str, tmp_path: Path) -> None:
    """On one worker, where the order of results is certain, every cell is trained for as long as in a real Tune."""
    surface = drawn(draw_surfaces(3, "epochs", seed=7)[1])
    cells = np.random.default_rng(0).permutation(surface.num_cells)
    simulated = RecordedTune(surface, cells, SCHEDULERS[name](), workers=1)
    simulated.run()
    assert simulated.trained.tolist() == _really_trained(surface, cells.tolist(), SCHEDULERS[name](), tmp_path)


def _really_trained(surface: Surface, cells: list[int], scheduler: TrialScheduler, folder: Path) -> list[int]:
    curves = surface.validation.tolist()
    tuner = tune.Tuner(
        Recorded,
        param_space={
            "cell": tune.grid_search(cells),
            "curve": tune.sample_from(lambda spec: curves[spec.config.cell]),
        },
        tune_config=tune.TuneConfig(scheduler=scheduler, reuse_actors=True),
        run_config=tune.RunConfig(storage_path=str(folder), verbose=0, callbacks=[]),
    )
    trained = {result.config["cell"]: result.metrics[TIME] for result in tuner.fit()}
    return [trained[cell] for cell in range(surface.num_cells)]
