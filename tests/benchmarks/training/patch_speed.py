"""Training throughput in 3D, of ours against a bare PyTorch loop and the loops that MONAI's tutorials teach.

    python -m tests.benchmarks.training.patch_speed [--quick]

Patches of 32x48x32 voxels, half of them centred on foreground; depth 3, batch 4, BCE, fused Adam, one torch thread, or
the GPU if there is one. They take turns of an epoch (a patch a case) as in training_speed.py, and the ratios are made
as there. With DICECURVE_TEST_DATA set the volumes are 80 of the Decathlon's hippocampus, else drawn ones.
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

import nibabel
import numpy as np
import torch
from monai.transforms import (
    AsDiscreted,
    Compose,
    EnsureChannelFirstd,
    LoadImaged,
    NormalizeIntensityd,
    RandCropByPosNegLabeld,
    SelectItemsd,
    SpatialPadd,
)

from models.protocol import TrainingSpec
from models.training.batches import VolumeBatches
from models.training.training_data import TrainingData
from storage.data.prepare import prepare
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

CASES, DEPTH, BATCH, PATCH = 80, 3, 4, (32, 48, 32)
STEPS = CASES // BATCH
SPEC = TrainingSpec(patch=PATCH, batch=BATCH, evaluations=2000, budget=2000 * STEPS)
KEYS = ["image", "mask"]


def main() -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(description="Training throughput in 3D of ours and of its rivals.")
    parser.add_argument("--quick", action="store_true", help="few rounds: does it run?")
    bare_rounds, monai_rounds = (2, 1) if parser.parse_args().quick else (9, 5)
    torch.set_num_threads(1)
    warnings.filterwarnings("ignore", category=FutureWarning)
    with tempfile.TemporaryDirectory() as scratch:
        folder, about = make_folder(Path(scratch))
        say(f"{about}; {where()}; depth {DEPTH}, batch {BATCH}, patches of {PATCH}\n")
        started = time.perf_counter()
        dataset = prepare(DataSpec(kind="volumes", path=str(folder), foreground=(1, 2)), None, folder / "cache")
        prepared = 1e3 * (time.perf_counter() - started) / CASES
        data = data_of(dataset)
        copies = {name: bare(SPEC, DEPTH, 1, batches_of(data)) for name in (BARE, BARE_AGAIN)}
        against_bare = take_turns({OURS: ours(SPEC, DEPTH, data)} | copies, bare_rounds)
        noise = statistics.median(ratios(against_bare.pop(BARE_AGAIN), against_bare[BARE]))
        say(f"prepared once in {prepared:.1f} ms a case; the bare loop against itself: {noise:.3f}")
        loops = monai_loops(SPEC, DEPTH, 1, files_of(folder), transforms())
        against_monai = take_turns({OURS: ours(SPEC, DEPTH, data)} | loops, monai_rounds)
    sides, turns = "x".join(map(str, PATCH)), (against_bare, against_monai)
    print_table("patches", [row for seconds in turns for row in compare(sides, seconds, CASES, wanted)])


def wanted(rival: str) -> float:
    """The ratio that is asked for."""
    return 0.97 if rival == BARE else 1.0


def data_of(dataset: Dataset) -> TrainingData:
    """The validation cases need not be others than the training cases here: only seconds are looked at."""
    every = np.arange(CASES)
    arrays = dataset.images(), dataset.masks()
    return TrainingData(*arrays, train=every, validation=every[:1], test=every[:0], foreground=dataset.foreground())


def batches_of(data: TrainingData) -> list[tuple[torch.Tensor, torch.Tensor]]:
    """An epoch of patches in memory."""
    batches = VolumeBatches(SPEC, data, 0, torch.device(DEVICE))
    return [(images.clone(), masks.clone()) for images, masks in map(batches.batch, range(STEPS))]


def transforms() -> Compose:
    """As MONAI's 3D tutorials have them; what comes before the random crop is what CacheDataset keeps."""
    return Compose(
        [
            LoadImaged(keys=KEYS),
            EnsureChannelFirstd(keys=KEYS),
            AsDiscreted(keys=["mask"], threshold=0.5),
            NormalizeIntensityd(keys=["image"]),
            SpatialPadd(keys=KEYS, spatial_size=PATCH),
            RandCropByPosNegLabeld(keys=KEYS, label_key="mask", spatial_size=PATCH, pos=1, neg=1, num_samples=1),
            SelectItemsd(keys=KEYS),
        ]
    )


def files_of(folder: Path) -> list[dict[str, str]]:
    """The cases' files."""
    images = sorted((folder / "images").iterdir())
    return [{"image": str(image), "mask": str(folder / "masks" / image.name)} for image in images]


def make_folder(scratch: Path) -> tuple[Path, str]:
    """A folder with images/ and masks/ of NIfTI files, and what they are."""
    for kind in ("images", "masks"):
        (scratch / kind).mkdir()
    root = os.environ.get("DICECURVE_TEST_DATA")
    if root:
        source = Path(root) / "data" / "msd-hippocampus"
        for image in sorted((source / "images").iterdir())[:CASES]:
            (scratch / "images" / image.name).symlink_to(image.absolute())
            (scratch / "masks" / image.name).symlink_to((source / "labels" / image.name).absolute())
        return scratch, f"{CASES} volumes of the Medical Segmentation Decathlon's hippocampus"
    _draw(scratch)
    return scratch, f"{CASES} drawn volumes"


def _draw(target: Path) -> None:
    rng = np.random.default_rng(0)
    for number in range(CASES):
        shape = rng.integers((32, 44, 28), (42, 58, 44))
        mask = rng.uniform(6, 10) > np.linalg.norm(np.indices(shape).T - shape / 2, axis=-1).T
        image = rng.normal(100, 20, shape) + 60 * mask
        for kind, values in (("images", image.astype(np.float32)), ("masks", mask.astype(np.uint8))):
            nibabel.save(nibabel.Nifti1Image(values, np.eye(4)), target / kind / f"{number:03d}.nii.gz")


if __name__ == "__main__":
    main()
