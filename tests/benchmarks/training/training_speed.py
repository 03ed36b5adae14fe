"""Training throughput of ours against a bare PyTorch loop and the loops that MONAI's tutorials teach, side by side.

    python -m tests.benchmarks.training.training_speed [--quick]

All train the same U-Net (depth 4, batch 16, BCE, fused Adam) on the same 200 images, with one torch thread, or on the
GPU if there is one. They take turns of 12 steps, an epoch, in an order that is reversed every round; a ratio is the
median of the ratios of all rounds. What ours does once a period is charged to those 12 steps (presets: 40 to 100, all
data). A rival's set-up (reading into memory, filling the cache, starting workers) is not timed, nor is ours (`prepare`,
stated above the table). How far two copies of the bare loop differ is stated too: no ratio is known better than that.
With DICECURVE_TEST_DATA set the images are Kvasir-SEG's first 200, else drawn ones.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from monai.transforms import Compose, EnsureChannelFirstd, LoadImaged, Resized, ScaleIntensityd
from PIL import Image

from models.protocol import TrainingSpec
from models.training.training_data import TrainingData
from storage.data.prepare import prepare
from storage.data.readers.phantom import draw_phantom
from storage.data.spec import DataSpec
from tests.benchmarks.rounds import (
    BARE,
    BARE_AGAIN,
    DEVICE,
    OURS,
    compare,
    print_table,
    ratios,
    say,
    take_turns,
    where,
)
from tests.benchmarks.training.loops import bare, monai_loops, ours

if TYPE_CHECKING:
    from storage.data.dataset import Dataset
    from tests.benchmarks.rounds import Row

CASES, DEPTH, BATCH = 200, 4, 16
STEPS = CASES // BATCH  # of a turn: an epoch of whole batches
RAW_SIZE = (620, 530)
FULL = {64: (25, 5), 128: (11, 5), 256: (5, 3)}  # size: rounds against the bare loop, and against MONAI's
QUICK = {64: (5, 2)}


def main() -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(description="Training throughput of ours and of its rivals.")
    parser.add_argument("--quick", action="store_true", help="64 pixels only, few rounds: does it run?")
    rounds = QUICK if parser.parse_args().quick else FULL
    torch.set_num_threads(1)
    warnings.filterwarnings("ignore", category=FutureWarning)
    with tempfile.TemporaryDirectory() as scratch:
        folder, about = make_folder(Path(scratch))
        say(f"{about}; {where()}; depth {DEPTH}, batch {BATCH}\n")
        rows = [row for size, (bare_, monai_) in rounds.items() for row in measure(folder, size, bare_, monai_)]
    print_table("size", rows)


def measure(folder: Path, size: int, bare_rounds: int, monai_rounds: int) -> list[Row]:
    """All rivals at one image size."""
    started = time.perf_counter()
    dataset = prepare(DataSpec(path=str(folder)), size, folder / "cache")
    prepared = 1e3 * (time.perf_counter() - started) / CASES
    spec, channels, batches = spec_of(size), dataset.channels, batches_of(dataset)
    copies = {name: bare(spec, DEPTH, channels, batches) for name in (BARE, BARE_AGAIN)}
    against_bare = take_turns({OURS: ours(spec, DEPTH, data_of(dataset))} | copies, bare_rounds)
    noise = statistics.median(ratios(against_bare.pop(BARE_AGAIN), against_bare[BARE]))
    say(f"{size} pixels: prepared once in {prepared:.1f} ms a case; the bare loop against itself: {noise:.3f}")
    loops = monai_loops(spec, DEPTH, channels, *files_and_transforms(folder, size))
    against_monai = take_turns({OURS: ours(spec, DEPTH, data_of(dataset))} | loops, monai_rounds)
    return [
        row
        for seconds in (against_bare, against_monai)
        for row in compare(str(size), seconds, BATCH * STEPS, lambda rival: wanted(rival, size))
    ]


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


def data_of(dataset: Dataset) -> TrainingData:
    """The validation cases need not be others than the training cases here: only seconds are looked at."""
    every = np.arange(CASES)
    return TrainingData(dataset.images(), dataset.masks(), train=every, validation=every[:4], test=every[:0])


def batches_of(dataset: Dataset) -> list[tuple[torch.Tensor, torch.Tensor]]:
    """An epoch in memory."""
    taken = slice(STEPS * BATCH)
    images = torch.from_numpy(np.array(dataset.images()[taken])).float().div(127.5).sub(1).to(DEVICE)
    masks = torch.from_numpy(np.array(dataset.masks()[taken])).float().to(DEVICE)
    return [(images[at : at + BATCH], masks[at : at + BATCH]) for at in range(0, len(images), BATCH)]


def files_and_transforms(folder: Path, size: int) -> tuple[list[dict[str, str]], Compose]:
    """The same images, decoded by MONAI."""
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
    return files, transforms


def to_grey(image: Image.Image) -> Image.Image:
    """A mask has one channel, however it was saved."""
    return image.convert("L")


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


if __name__ == "__main__":
    main()
