"""Training throughput of ours against a bare PyTorch loop and the loops that MONAI's tutorials teach, side by side.

    python tests/benchmarks/training_speed.py [--quick]

All train the same U-Net (depth 4, batch 16, BCE, Adam) on the same 200 images, with one torch thread, or on the GPU if
there is one. They take turns of 12 steps, an epoch, in an order that is reversed every round; a ratio is the median of
the ratios of all rounds. What ours does once a period is charged to those 12 steps (presets: 40 to 100, all data).
A rival's set-up (reading into memory, filling the cache, starting workers) is not timed, nor is ours (`prepare`, stated
above the table). How far two copies of the bare loop differ is stated too: no ratio is known better than that.
With DICECURVE_TEST_DATA set the images are Kvasir-SEG's first 200, else drawn ones.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from monai.data import CacheDataset, DataLoader, Dataset
from monai.transforms import Compose, EnsureChannelFirstd, LoadImaged, Resized, ScaleIntensityd
from PIL import Image
from torch.nn.functional import binary_cross_entropy_with_logits

from models.protocol import TrainingSpec
from models.training import Training
from models.training_data import TrainingData
from models.unet import build_unet
from storage.data_spec import DataSpec
from storage.phantom import draw_phantom
from storage.preparation import prepare

if TYPE_CHECKING:
    from collections.abc import Sequence

    import storage.datasets

CASES, DEPTH, BATCH = 200, 4, 16
STEPS = CASES // BATCH  # of a turn: an epoch of whole batches
RAW_SIZE = (620, 530)
OURS, BARE, BARE_AGAIN = "ours", "bare loop, tensors in memory", "the same, a second copy"
DEVICE = "cuda" if torch.cuda.is_available() else "cpu"

Contender = Callable[[], float]  # takes its turn, and returns the seconds


FULL = {64: (25, 5), 128: (11, 5), 256: (5, 3)}  # size: rounds against the bare loop, and against MONAI's
QUICK = {64: (5, 2)}


@dataclass(frozen=True)
class Row:
    """One row of the table: cases per second, and the ratio that is asked for."""

    size: int
    rival: str
    ours: float
    theirs: float
    ratios: Sequence[float]
    wanted: float

    @property
    def ratio(self) -> float:
        """Ours over theirs: the median of all rounds."""
        return statistics.median(self.ratios)

    def text(self) -> str:
        """A row of Markdown."""
        verdict = "met" if self.ratio >= self.wanted else "MISSED"
        return (
            f"| {self.size} | {self.rival} | {self.ours:.1f} | {self.theirs:.1f} | {self.ratio:.3f} "
            f"({min(self.ratios):.3f} to {max(self.ratios):.3f}) | {self.wanted:g} | {verdict} |"
        )


def main() -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(description="Training throughput of ours and of its rivals.")
    parser.add_argument("--quick", action="store_true", help="64 pixels only, few rounds: does it run?")
    rounds = QUICK if parser.parse_args().quick else FULL
    torch.set_num_threads(1)
    warnings.filterwarnings("ignore", category=FutureWarning)
    with tempfile.TemporaryDirectory() as scratch:
        folder, about = make_folder(Path(scratch))
        _say(f"{about}; {where()}; depth {DEPTH}, batch {BATCH}\n")
        rows = [row for size, (bare_, monai_) in rounds.items() for row in measure(folder, size, bare_, monai_)]
    _say("\n| size | rival | ours, cases/s | rival, cases/s | ratio (range over rounds) | wanted | |")
    _say("| --- | --- | --- | --- | --- | --- | --- |")
    _say("\n".join(row.text() for row in rows))


def measure(folder: Path, size: int, bare_rounds: int, monai_rounds: int) -> list[Row]:
    """All rivals at one image size."""
    started = time.perf_counter()
    dataset = prepare(DataSpec(path=str(folder)), size, folder / "cache")
    prepared = 1e3 * (time.perf_counter() - started) / CASES
    bare_loops = {OURS: ours(dataset, size), BARE: bare(dataset, size), BARE_AGAIN: bare(dataset, size)}
    against_bare = take_turns(bare_loops, bare_rounds)
    noise = statistics.median(ratios(against_bare.pop(BARE_AGAIN), against_bare[BARE]))
    _say(f"{size} pixels: prepared once in {prepared:.1f} ms a case; the bare loop against itself: {noise:.3f}")
    against_monai = take_turns({OURS: ours(dataset, size)} | monai_loops(folder, size), monai_rounds)
    return [*compare(size, against_bare), *compare(size, against_monai)]


def take_turns(contenders: dict[str, Contender], rounds: int) -> dict[str, list[float]]:
    """Seconds of every contender in every round, after a warm-up."""
    seconds: dict[str, list[float]] = {name: [] for name in contenders}
    for contender in contenders.values():
        contender()
    for number in range(rounds):
        for name in list(contenders)[:: 1 if number % 2 == 0 else -1]:
            seconds[name].append(contenders[name]())
    return seconds


def compare(size: int, seconds: dict[str, list[float]]) -> list[Row]:
    """A row for every rival."""
    speed = {name: BATCH * STEPS / statistics.median(values) for name, values in seconds.items()}
    return [
        Row(size, name, speed[OURS], speed[name], ratios(seconds[OURS], values), wanted(name, size))
        for name, values in seconds.items()
        if name != OURS
    ]


def ratios(mine: Sequence[float], theirs: Sequence[float]) -> list[float]:
    """How many times as fast the first was, in every round."""
    return [their / my for my, their in zip(mine, theirs, strict=True)]


def wanted(rival: str, size: int) -> float:
    """The ratio that is asked for; it is not to be lowered to fit what is measured."""
    if rival == BARE:
        return 0.97
    if size > 64:
        return 1.0
    return 1.2 if rival.startswith("CacheDataset") else 2.0


def spec_of(size: int) -> TrainingSpec:
    """A training that does not end, with an evaluation after every turn."""
    return TrainingSpec(size=size, batch=BATCH, evaluations=2000, budget=2000 * STEPS)


def ours(dataset: storage.datasets.Dataset, size: int) -> Contender:
    """A period of a real training: all that `advance` does but the validation, which the rivals do not have."""
    every = np.arange(CASES)
    # The validation cases need not be others than the training cases here: only seconds are looked at.
    data = TrainingData(dataset.images(), dataset.masks(), train=every, validation=every[:4], test=every[:0])
    training = Training(spec_of(size), DEPTH, 0, data, DEVICE)

    def run() -> float:
        started = time.perf_counter()
        point = training.advance()
        return time.perf_counter() - started - point.val_seconds

    return run


def bare(dataset: storage.datasets.Dataset, size: int) -> Contender:
    """As fast as a loop can be: batches cut, converted and on the device beforehand; no shuffling, no validation."""
    taken = slice(STEPS * BATCH)
    images = torch.from_numpy(np.array(dataset.images()[taken])).float().div(127.5).sub(1).to(DEVICE)
    masks = torch.from_numpy(np.array(dataset.masks()[taken])).float().to(DEVICE)
    batches = [(images[at : at + BATCH], masks[at : at + BATCH]) for at in range(0, len(images), BATCH)]
    model, optimiser = model_and_optimiser(size)

    def run() -> float:
        started = time.perf_counter()
        loss = torch.zeros(())
        for inputs, labels in batches:
            optimiser.zero_grad(set_to_none=True)
            loss = binary_cross_entropy_with_logits(model(inputs), labels)
            torch.autograd.backward(loss)
            optimiser.step()
        loss.item()  # a GPU has to finish
        return time.perf_counter() - started

    return run


def monai_loops(folder: Path, size: int) -> dict[str, Contender]:
    """Dataset and CacheDataset, each read in the training process and by two workers."""
    files = [
        {"image": str(image), "mask": str(mask)}
        for image, mask in zip(*(sorted((folder / kind).iterdir()) for kind in ("images", "masks")), strict=True)
    ]
    transforms = Compose(
        [
            LoadImaged(keys=["image"]),
            LoadImaged(keys=["mask"], reader="PILReader", converter=to_grey),
            EnsureChannelFirstd(keys=["image", "mask"]),
            Resized(keys=["image", "mask"], spatial_size=(size, size), mode=["area", "nearest"]),
            ScaleIntensityd(keys=["image", "mask"]),
        ]
    )
    datasets = {
        "Dataset": Dataset(files, transforms),
        "CacheDataset": CacheDataset(files, transforms, progress=False),
    }
    return {
        f"{name}, num_workers={workers}": monai_loop(dataset, size, workers)
        for name, dataset in datasets.items()
        for workers in (0, 2)
    }


def monai_loop(dataset: Any, size: int, workers: int) -> Contender:
    """An epoch as MONAI's tutorials write it; but workers stay from epoch to epoch, which is faster than theirs."""
    loader = DataLoader(
        dataset,
        batch_size=BATCH,
        shuffle=True,
        drop_last=True,
        num_workers=workers,
        persistent_workers=workers > 0,
        pin_memory=DEVICE == "cuda",
    )
    model, optimiser = model_and_optimiser(size)

    def run() -> float:
        started = time.perf_counter()
        epoch_loss = 0.0
        for batch in loader:
            inputs, labels = batch["image"].to(DEVICE), batch["mask"].to(DEVICE)
            optimiser.zero_grad()
            loss = binary_cross_entropy_with_logits(model(inputs), labels)
            torch.autograd.backward(loss)
            optimiser.step()
            epoch_loss += loss.item()
        return time.perf_counter() - started

    return run


def to_grey(image: Image.Image) -> Image.Image:
    """A mask has one channel, however it was saved."""
    return image.convert("L")


def model_and_optimiser(size: int) -> tuple[torch.nn.Module, torch.optim.Optimizer]:
    """The same network and optimiser as ours."""
    torch.manual_seed(0)
    spec = spec_of(size)
    model = build_unet(spec, DEPTH, 3).to(DEVICE).train()
    return model, torch.optim.Adam(model.parameters(), lr=spec.learning_rate, fused=True)


def make_folder(scratch: Path) -> tuple[Path, str]:
    """A folder with images/ and masks/ of JPEG files, and what they are."""
    for kind in ("images", "masks"):
        (scratch / kind).mkdir()
    root = os.environ.get("DICECURVE_TEST_DATA")
    if root:
        _link_kvasir(Path(root) / "data" / "kvasir-seg", scratch)
        return scratch, f"Kvasir-SEG's first {CASES} images"
    _draw(scratch)
    return scratch, f"{CASES} drawn JPEG images of {RAW_SIZE[0]}x{RAW_SIZE[1]}"


def _link_kvasir(source: Path, target: Path) -> None:
    for image in sorted((source / "images").iterdir())[:CASES]:
        for kind in ("images", "masks"):
            (target / kind / image.name).symlink_to((source / kind / image.name).absolute())


def _draw(target: Path) -> None:
    for name, image, mask in draw_phantom(CASES, 0):
        grey = Image.fromarray(image[..., 0]).resize(RAW_SIZE, Image.Resampling.BICUBIC)
        white = Image.fromarray(mask.astype(np.uint8) * 255).resize(RAW_SIZE)
        grey.convert("RGB").save(target / "images" / f"{name}.jpg", quality=90)
        white.save(target / "masks" / f"{name}.jpg", quality=90)


def where() -> str:
    """The device, with what a reader needs to judge it."""
    if DEVICE == "cuda":
        return f"{torch.cuda.get_device_name()}"
    return f"CPU, 1 torch thread, {os.cpu_count()} cores, torch {torch.__version__}"


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
