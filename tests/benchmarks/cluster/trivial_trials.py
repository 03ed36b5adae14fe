"""Trials that train nothing, on real Ray: by our searcher and ledger, by bare Ray Tune, and by Ray's OptunaSearch."""

from __future__ import annotations

import logging
import time
import warnings
from typing import TYPE_CHECKING, Any

from search.tune import driver  # before Ray: it sets what Ray reads when it is imported

# isort: split
import optuna
import ray
from ray import tune
from ray.tune.search.optuna import OptunaSearch

from search.tune.trainable import CellTrainable
from search.worker.reports import TestReport, TrainReport
from storage.records import Evaluation, Scores
from studies.launch.start import prepare_study
from studies.spec import parse_spec

if TYPE_CHECKING:
    from pathlib import Path

VALUE = 0.5


class TrivialCell(CellTrainable):
    """Ours, but for the training."""

    def setup(self, config: dict[str, Any], assignment: Any, reports: int) -> None:
        """Take the number of reports beside the first claim."""
        self._reports = reports
        super().setup(config, assignment)

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        """Begin with nothing measured."""
        self._curve: list[Evaluation] = []
        return super().reset_config(new_config)

    def _work(self) -> TrainReport | TestReport:
        if len(self._curve) == self._reports:
            return TestReport(Scores(1, ((1, 1, 1),), ((1, 1, 1),), 0.0))
        number = len(self._curve) + 1
        self._curve.append(Evaluation(number, float(number), number, VALUE, 1e-3, 1e-4))
        worker = {"device": "cpu", "device_share": 1.0, "planned_steps": self._reports}
        finished = number == self._reports
        return TrainReport(tuple(self._curve), {}, "none", worker, finished=finished)


class TrivialTrial(tune.Trainable):
    """The same under bare Tune."""

    def setup(self, config: dict[str, Any], reports: int) -> None:
        """Begin."""
        del config
        self._reports, self._number = reports, 0

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        """Begin anew."""
        del new_config
        self._number = 0
        return True

    def step(self) -> dict[str, Any]:
        """Report."""
        self._number += 1
        return {"dsc": VALUE, "done": self._number == self._reports}


def ours(folder: Path, trials: int, reports: int) -> tuple[float, float]:
    """Wall seconds a trial (its test phase included), and seconds of the driver's CPU."""
    values = {
        "name": "trivial",
        "data": {"kind": "phantom", "phantom_cases": 10_000 if trials > 400 else 1000},
        "grid": {"ratio": [round(0.1 + 0.9 * (i + 1) / -(-trials // 4), 6) for i in range(-(-trials // 4))]}
        | {"depth": [2, 3], "seed": [0, 1]},
        "training": {"size": 16, "budget": reports, "evaluations": reports, "batch": 4, "channels": 4},
    }
    study = prepare_study(parse_spec(values, source="ours"), f"sqlite:///{folder}/ours.db", wait_for_others=False)
    with_parameters = driver.tune.with_parameters

    def trivial(_trainable: type, **parameters: Any) -> Any:
        return with_parameters(TrivialCell, reports=reports, **parameters)

    driver.tune.with_parameters = trivial
    number = len(study.ledger.cells(study.study.study_id))
    with study.ledger, started_ray():
        wall, cpu = time.perf_counter(), time.process_time()
        driver.run_cells(study.ledger, study.study, study.job)
        taken = time.perf_counter() - wall, time.process_time() - cpu
    driver.tune.with_parameters = with_parameters
    return taken[0] / number, taken[1] / number


def rival(folder: Path, trials: int, reports: int, *, with_optuna: bool) -> tuple[float, float]:
    """The same of Ray Tune with reuse_actors=True: bare (random search), or with OptunaSearch on SQLite."""
    search = None
    if with_optuna:
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        warnings.simplefilter("ignore")
        storage = optuna.storages.RDBStorage(f"sqlite:///{folder}/rival.db")
        search = OptunaSearch(metric="dsc", mode="max", storage=storage, sampler=optuna.samplers.RandomSampler(seed=0))
    tuner = tune.Tuner(
        tune.with_resources(tune.with_parameters(TrivialTrial, reports=reports), {"cpu": 1}),
        param_space={"ratio": tune.uniform(0, 1)},
        tune_config=tune.TuneConfig(metric="dsc", mode="max", num_samples=trials, reuse_actors=True, search_alg=search),
        run_config=tune.RunConfig(
            storage_path=str(folder / "tune"),
            verbose=0,
            checkpoint_config=tune.CheckpointConfig(checkpoint_frequency=0, checkpoint_at_end=False),
        ),
    )
    with started_ray():
        wall, cpu = time.perf_counter(), time.process_time()
        tuner.fit()
        return (time.perf_counter() - wall) / trials, (time.process_time() - cpu) / trials


def started_ray() -> Any:
    """The same private Ray for each; starting it is not part of what is measured."""
    logging.getLogger("ray").setLevel(logging.CRITICAL)
    if not ray.is_initialized():
        ray.init(address="local", num_cpus=2, include_dashboard=False, log_to_driver=False, logging_level=50)
    from contextlib import nullcontext

    return nullcontext()
