"""Memory of four trials at once, against one dataset and four models.

    python -m tests.benchmarks.training.trial_memory [--quick]

Four worker processes of Ray, each with a training of ours on the same prepared dataset, take batches until every case
was touched. Memory is the sum of their proportional set sizes (PSS: a page that k processes share counts 1/k in each),
so that a page of the dataset counts once if it is shared, and four times if it was copied. A "model" is what such a
worker holds without the dataset: Python, torch, MONAI, Ray, network, optimiser, buffers, activations; it is measured in
four workers of the same kind on 16 cases.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import numpy as np
import ray

from models.protocol import TrainingSpec
from models.training.training import Training
from models.training.training_data import TrainingData
from storage.data.dataset import Dataset
from storage.data.prepare import prepare
from storage.data.spec import DataSpec
from tests.benchmarks.rounds import say, where

WORKERS, WANTED, FEW = 4, 1.3, 16
MB = 1e6


@ray.remote(num_cpus=0)
class Worker:
    """A process with one training."""

    def __init__(self, folder: str, spec: TrainingSpec) -> None:
        """Begin a training as a trial does."""
        dataset = Dataset.open(Path(folder))
        every = np.arange(len(dataset.names))
        data = TrainingData(dataset.images(), dataset.masks(), train=every, validation=every[:4], test=every[:0])
        self._training = Training(spec, 3, 0, data, "cpu")

    def train(self) -> None:
        """A period with its validation, then all other batches of an epoch."""
        self._training.advance()
        for step in range(len(self._training.data.train) // self._training.spec.batch):
            self._training._batches.batch(step)

    def memory(self) -> int:
        """PSS in bytes."""
        return proportional_set_size()


def proportional_set_size() -> int:
    """Of this process, in bytes."""
    lines = Path("/proc/self/smaps_rollup").read_text().splitlines()
    return 1024 * next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))


def main() -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(description="Memory of four trials at once.")
    parser.add_argument("--quick", action="store_true", help="a small dataset: does it run?")
    cases, size = (200, 256) if parser.parse_args().quick else (4000, 512)
    spec = TrainingSpec(size=size, batch=4, channels=4, budget=4, evaluations=2)
    with tempfile.TemporaryDirectory() as scratch:
        few, many = (prepare(DataSpec(kind="phantom", phantom_cases=n), size, Path(scratch)) for n in (FEW, cases))
        ray.init(address="local", include_dashboard=False, log_to_driver=False, object_store_memory=2**27)
        models = memory_of(trained(few, spec))
        trials = memory_of(trained(many, spec))
        ray.shutdown()
        dataset = many.images().nbytes + many.masks().nbytes
    ratio = trials / (dataset + models)
    say(f"{where()}; {cases} cases of {size}x{size}, one channel\n")
    say("| | MB |\n| --- | --- |")
    say(f"| one dataset | {dataset / MB:,.0f} |\n| four models | {models / MB:,.0f} |")
    say(f"| four trials | {trials / MB:,.0f} |\n| four trials, had each a copy | {(4 * dataset + models) / MB:,.0f} |")
    verdict = "met" if ratio <= WANTED else "MISSED"
    say(f"\nfour trials are {ratio:.3f} of one dataset and four models (wanted: {WANTED:g}): {verdict}")


def trained(dataset: Dataset, spec: TrainingSpec) -> list[ray.actor.ActorHandle]:
    """Four workers that have trained and touched every case."""
    workers = [Worker.remote(str(dataset.folder), spec) for _ in range(WORKERS)]
    ray.get([worker.train.remote() for worker in workers])
    return workers


def memory_of(workers: list[ray.actor.ActorHandle]) -> int:
    """Of all workers together, in bytes; they end afterwards."""
    memory = sum(ray.get([worker.memory.remote() for worker in workers]))
    for worker in workers:
        ray.kill(worker)
    return memory


if __name__ == "__main__":
    main()
