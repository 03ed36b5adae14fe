"""Prepares a dataset: reads and checks every case once, and keeps what trainings need of it as memory-mapped arrays."""

from __future__ import annotations

import errno
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from storage.data.dataset import CaseFacts, Dataset
from storage.data.file_hashes import FileHashes
from storage.data.pipelines import picture_pipeline, volume_pipeline
from storage.data.readers import phantom
from storage.data.readers.brats import list_brats
from storage.data.readers.image_folder import CHANNELS, list_folder
from storage.data.readers.nnunet import list_decathlon, list_nnunet_2d, read_dataset_json, read_picture_json
from storage.data.readers.pictures import picture_source
from storage.data.readers.volume_folder import list_volumes
from storage.data.readers.volumes import volume_source
from storage.data.source import BadCase, raise_problems
from storage.data.spec import BRATS_MODALITIES
from storage.data.staging import ABOUT, hold_staged
from storage.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Callable

    from storage.data.pipelines import Pipeline
    from storage.data.spec import DataSpec
    from storage.data.staging import StagedDataset

PICTURE_LISTINGS = {"folder": list_folder, "nnunet_2d": list_nnunet_2d}
VOLUME_LISTINGS = {"volumes": list_volumes, "decathlon": list_decathlon, "brats": list_brats}
NO_ROOM = (errno.ENOSPC, errno.EDQUOT)


def prepare(
    spec: DataSpec, size: int | None, cache: Path, progress: Callable[[int, int], None] | None = None
) -> Dataset:
    """Read and check every case, and write its arrays into ``cache``; or open them there.

    Stopped in between, the next call goes on behind the last case that was written. Volumes come to RAS, are cropped to
    what is not 0 or foreground, scaled, and resampled (see `DataSpec`); one is in memory at a time.

    Args:
        spec: Which cases.
        size: In 2D, side of the square that images are resized to (area average; a mask pixel is foreground from one
            half); None in 3D.
        cache: Folder of prepared datasets.
        progress: Told (cases done, cases in all).

    Raises:
        DataError: Something in the dataset cannot be read as it stands, all of it named; nothing is left behind.
    """
    cache.mkdir(parents=True, exist_ok=True)
    pipeline = _pipeline(spec, size, cache)
    folder = cache / pipeline.key
    if not _is_prepared(pipeline, folder):
        try:
            with hold_staged(cache / f"{pipeline.key}.draft") as staged:
                if not _is_prepared(pipeline, folder):  # another driver may have made it meanwhile
                    _fill(staged, pipeline, spec, progress)
                    staged.publish(folder, _about(pipeline, size) | pipeline.finish(staged), pipeline.kinds)
        except OSError as error:
            if error.errno not in NO_ROOM:
                raise
            raise DataError(
                f"no room is left for the prepared dataset in {cache}; make room, or set cache in [files]"
            ) from None
    return Dataset.open(folder)


def channels_of(spec: DataSpec) -> int:
    """Channels of the images that a spec will give; no volume is read.

    Raises:
        DataError: They are told by dataset.json, and it cannot be read.
    """
    if spec.kind == "phantom":
        return phantom.CHANNELS
    if spec.kind == "folder":
        return CHANNELS
    if spec.kind == "nnunet_2d":
        return len(read_picture_json(_folder(spec)).channels)
    if spec.kind == "decathlon":
        return len(read_dataset_json(_folder(spec)).channels)
    return len(spec.modalities or (BRATS_MODALITIES if spec.kind == "brats" else {"image": ""}))


def _pipeline(spec: DataSpec, size: int | None, cache: Path) -> Pipeline:
    if spec.kind == "phantom":
        assert size is not None
        return picture_pipeline(phantom.phantom_source(spec.phantom_cases, spec.split_seed), size)
    file_hashes = FileHashes(cache)
    try:
        if spec.kind in PICTURE_LISTINGS:
            assert size is not None
            return picture_pipeline(picture_source(PICTURE_LISTINGS[spec.kind](spec, _folder(spec)), file_hashes), size)
        listing = VOLUME_LISTINGS[spec.kind](spec, _folder(spec))
        return volume_pipeline(spec, listing, volume_source(listing, file_hashes))
    finally:
        file_hashes.save()


def _folder(spec: DataSpec) -> Path:
    if spec.path is None:
        raise DataError(f"a dataset of kind {spec.kind!r} needs its path: --data DIR, or path in [data]")
    return Path(spec.path).expanduser()


def _is_prepared(pipeline: Pipeline, folder: Path) -> bool:
    """Whether the dataset is there; one with problems never is."""
    return not pipeline.source.problems and (folder / ABOUT).exists()


def _fill(
    staged: StagedDataset, pipeline: Pipeline, spec: DataSpec, progress: Callable[[int, int], None] | None
) -> None:
    """Add the cases that are not staged yet, or find all that is wrong; after the first problem nothing is written."""
    names, problems = pipeline.source.names, list(pipeline.source.problems)
    facts = {record["name"]: CaseFacts.from_json(record["facts"]) for record in staged.records}
    for index in range(len(facts), len(names)):
        try:
            arrays, case_facts = pipeline.make(index)
        except BadCase as error:
            problems += error.problems
        else:
            facts[names[index]] = case_facts
            if not problems:
                staged.add(names[index], arrays, asdict(case_facts))
        if progress:
            progress(index + 1, len(names))
    empty = [name for name, fact in facts.items() if fact.foreground == 0]
    if spec.empty_masks == "error":
        problems += [f"{name}: no foreground in its mask ([data] empty_masks)" for name in empty]
    raise_problems([*problems, *pipeline.check(facts)], pipeline.source.place)
    if len(empty) == len(names):
        raise DataError(f"no case of {pipeline.source.place} has foreground; mend its masks, or [data] foreground")


def _about(pipeline: Pipeline, size: int | None) -> dict[str, object]:
    return {
        "fingerprint": pipeline.source.fingerprint,
        "dimensions": pipeline.dimensions,
        "channels": pipeline.source.channels,
        "size": size,
    }
