"""Utilisation of one GPU, and cases per second on it, with 1, 2, 4 and 8 trials at once.

    python -m tests.benchmarks.training.gpu_sharing [--quick]

Each trial is a Ray worker that holds its fraction of the GPU and trains the U-Net of the paper's setting (256x256,
depth 6, batch 16) on drawn images. Utilisation is the share of time in which a kernel ran, as nvidia-smi tells it every
half second; how much of the GPU a kernel fills it does not say, cases per second do. Without a GPU nothing is measured.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np
import ray

from models.protocol import TrainingSpec
from models.training.training import Training
from models.training.training_data import TrainingData
from storage.data.dataset import Dataset
from storage.data.prepare import prepare
from storage.data.spec import DataSpec
from tests.benchmarks.rounds import DEVICE, say, where

TRIALS = (1, 2, 4, 8)
STEPS, DEPTH = 20, 6
SPEC = TrainingSpec(size=256, batch=16, evaluations=2000, budget=2000 * STEPS)
QUERY = ["nvidia-smi", "--query-gpu=utilization.gpu", "--format=csv,noheader,nounits", "--id=0"]


@ray.remote(num_cpus=0)
class Worker:
    """A process with one training."""

    def __init__(self, folder: str) -> None:
        """Begin a training as a trial does."""
        dataset = Dataset.open(Path(folder))
        every = np.arange(len(dataset.names))
        data = TrainingData(dataset.images(), dataset.masks(), train=every, validation=every[:4], test=every[:0])
        self._training = Training(SPEC, DEPTH, 0, data, "cuda")

    def train(self, seconds: float) -> float:
        """Cases per second over so many seconds, validation included."""
        started, steps = time.perf_counter(), 0
        while time.perf_counter() - started < seconds:
            self._training.advance()
            steps += STEPS
        return steps * SPEC.batch / (time.perf_counter() - started)


def main() -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(description="Utilisation and cases per second of trials that share a GPU.")
    parser.add_argument("--quick", action="store_true", help="a few seconds each: does it run?")
    seconds = 5.0 if parser.parse_args().quick else 30.0
    if DEVICE != "cuda":
        say(f"skipped: there is no GPU here ({where()})")
        return
    with tempfile.TemporaryDirectory() as scratch:
        dataset = prepare(DataSpec(kind="phantom", phantom_cases=200), SPEC.size, Path(scratch))
        ray.init(address="local", include_dashboard=False, log_to_driver=False)
        say(f"{where()}; {SPEC.size}x{SPEC.size}, depth {DEPTH}, batch {SPEC.batch}\n")
        say("| trials | cases/s, all | cases/s, one | utilisation, % |\n| --- | --- | --- | --- |")
        for trials in TRIALS:
            speed, utilisation = measure(dataset, trials, seconds)
            say(f"| {trials} | {speed:.1f} | {speed / trials:.1f} | {utilisation:.0f} |")
        ray.shutdown()


def measure(dataset: Dataset, trials: int, seconds: float) -> tuple[float, float]:
    """Cases per second of all trials together, and the median utilisation meanwhile."""
    workers = [Worker.options(num_gpus=1 / trials).remote(str(dataset.folder)) for _ in range(trials)]
    ray.get([worker.train.remote(1.0) for worker in workers])  # the warm-up
    running = [worker.train.remote(seconds) for worker in workers]
    seen = []
    while len(ray.wait(running, num_returns=trials, timeout=0.5)[0]) < trials:
        seen.append(float(subprocess.run(QUERY, capture_output=True, text=True, check=True).stdout))
    speed = sum(ray.get(running))
    for worker in workers:
        ray.kill(worker)
    return speed, statistics.median(seen)


if __name__ == "__main__":
    main()
