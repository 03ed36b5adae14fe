"""Starts a study, or goes on with it: the same call. Everything is checked before anything is written."""

from __future__ import annotations

import platform
import shutil
import subprocess
from dataclasses import dataclass, replace
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from storage.data.groups import companions, regrouped_case
from storage.database.retry import Patience
from storage.database.schema import holds_studies
from storage.database.urls import normalise_url
from storage.errors import InputError, StorageError
from storage.files.checkpoints import kept_bytes, running_bytes
from storage.files.locations import FilesSpec
from storage.ledger.ledger import Ledger
from storage.variants import Recipe
from studies.launch.data import image_size, prepare_data
from studies.launch.data_check import data_warning
from studies.launch.identity import DECISIVE, _last_versions, _parts, _told, changed_identity
from studies.launch.locations import check_locations

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from models.protocol import TrainingSpec
    from search.tune.driver import Job
    from storage.data.dataset import Dataset
    from storage.data.spec import DataSpec
    from storage.records import CellPlan, StudyRecord
    from studies.launch.data import PreparedData
    from studies.spec import StudySpec

PACKAGES = ("dicecurve", "torch", "monai", "ray", "optuna", "sqlalchemy", "numpy")


@dataclass(frozen=True)
class PreparedStudy:
    """A study whose cells are laid out, ready to run.

    Attributes:
        ledger: Open; the caller closes it.
        study: Its record.
        job: What `run_cells` needs.
        added: Cells that this start added.
        warning: What a person should know about the data of a new study, or None.
    """

    ledger: Ledger
    study: StudyRecord
    job: Job
    added: int
    warning: str | None = None


def prepare_study(
    spec: StudySpec, storage: str, *, wait_for_others: bool, progress: Callable[[int, int], None] | None = None
) -> PreparedStudy:
    """Check spec, storage and data, then make the study or take it up again.

    Raises:
        InputError: The first thing that a person has to put right; nothing was written for it.
    """
    url = normalise_url(storage)
    check_locations(spec, url)
    is_new = not holds_studies(url) or check_identity(spec, url) is None
    data = prepare_data(spec, url, progress)
    warning = data_warning(data) if is_new else None
    plans = lay_out_cells(spec, len(data.split["train"]), data.dataset.channels)
    _check_disk(plans, data.files)
    ledger = Ledger.open(url, create=True, patience=Patience(spec.resources.database_seconds))
    try:
        study = _take_up(ledger, spec, data)
        added = ledger.layout(study.study_id, plans)
    except BaseException:
        ledger.close()
        raise
    return PreparedStudy(
        ledger, study, _job(spec, data.files, data.dataset, wait_for_others=wait_for_others), added, warning
    )


def _take_up(ledger: Ledger, spec: StudySpec, data: PreparedData) -> StudyRecord:
    study = ledger.find_study(spec.name) or ledger.create_study(
        spec.name,
        identity=spec.identity(),
        running=spec.running(),
        fingerprint=data.dataset.fingerprint,
        split=data.split,
        groups=data.groups,
        facts=_facts(spec, data.dataset, data.split),
    )
    check_data(study, data)
    if note_changes(ledger, study, spec) or spec.policy == "grid":
        ledger.reopen_skipped(study.study_id)  # what was not worth training may be now
    return replace(study, identity=spec.identity(), running=spec.running())


def check_data(study: StudyRecord, data: PreparedData) -> None:
    """Refuse cases, groups or a split other than those that the study began with."""
    now = data.dataset.fingerprint
    if study.fingerprint != now:
        raise StorageError(
            f"the data differ from those that study {study.name!r} began with (fingerprint {now[:12]}, "
            f"not {study.fingerprint[:12]}); bring the old files back, or start another study with --name"
        )
    if case := regrouped_case(study.groups, data.groups):
        before, after = (_told(companions(groups, case)) for groups in (study.groups, data.groups))
        raise StorageError(
            f"the groups differ from those that study {study.name!r} began with: case {case!r} stood with {before}, "
            f"and now with {after}; bring the old groups back ([data] groups), or start another study with --name"
        )
    was, is_now = _parts(study.split), _parts(data.split)
    moved = next((case for case in sorted(was | is_now) if was.get(case) != is_now.get(case)), None)
    if moved is not None:
        raise StorageError(
            f"the split differs from that which study {study.name!r} began with: case {moved!r} was in "
            f"{was.get(moved)}, and now is in {is_now.get(moved)}, though its spec is the same; go on with the "
            "versions of dicecurve and numpy that it began with, or start another study with --name"
        )


def checkpoints_of(study: StudyRecord, url: str) -> str:
    """Where the checkpoints of a recorded study lie."""
    found = FilesSpec.model_validate(study.running.get("files", {})).resolved(url).checkpoints
    assert found is not None
    return found


def versions() -> dict[str, str]:
    """Versions of Python, of the packages that results depend on, and of this repository."""
    installed = {"python": platform.python_version()} | {name: _version(name) for name in PACKAGES}
    return installed | ({"git": commit} if (commit := _commit()) else {})


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:  # dicecurve itself, where a job brings it as files
        return "not installed"


def _commit() -> str | None:
    """The checked-out commit, marked where files were changed since; None outside a git working copy."""
    command = ["git", "-C", str(Path(__file__).parent), "describe", "--always", "--dirty", "--abbrev=12"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)  # noqa: S603 - fixed
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() or None


def check_identity(spec: StudySpec, url: str) -> StudyRecord | None:
    """The study as it is recorded, if it is there; refused where its identity differs."""
    with Ledger.open(url) as ledger:
        study = ledger.find_study(spec.name)
    changes = [] if study is None else changed_identity(study.identity, spec.identity())
    if changes:
        listed = "\n  ".join(changes)
        raise StorageError(
            f"study {spec.name!r} exists, and its results depend on what has changed (axes of the grid may only gain "
            f"values):\n  {listed}\nkeep these as they were, or start another study with --name"
        )
    return study


def lay_out_cells(spec: StudySpec, num_train: int, channels: int) -> list[CellPlan]:
    """The cells of a spec, for so many training cases and channels."""
    from models.networks.architectures import count_parameters
    from search.grid import lay_out

    return lay_out(spec.grid, num_train, _counted(spec, channels, count_parameters))


def _counted(spec: StudySpec, channels: int, count: Callable[[TrainingSpec, int, int], int]) -> dict[Recipe, int]:
    """What is counted of the network of each recipe; variants of one architecture share it."""
    protocols = {variant: spec.protocol(variant) for variant in spec.variants}
    networks = {protocol.architecture: protocol for protocol in protocols.values()}
    counts = {(name, d): count(network, d, channels) for name, network in networks.items() for d in spec.grid.depth}
    return {
        Recipe(variant, depth): counts[protocol.architecture, depth]
        for variant, protocol in protocols.items()
        for depth in spec.grid.depth
    }


def _check_disk(plans: Sequence[CellPlan], files: FilesSpec) -> None:
    """Refuse a study whose checkpoints will not fit on the local disk."""
    assert files.checkpoints is not None
    if "://" in files.checkpoints:
        return
    needed = kept_bytes(plans, files.keep) + running_bytes(plans, trials=1)
    place = next(p for p in [Path(files.checkpoints), *Path(files.checkpoints).parents] if p.exists())
    free = shutil.disk_usage(place).free
    if needed > free:
        raise InputError(
            f"checkpoints will need {needed / 1e9:.1f} GB in {place}, where {free / 1e9:.1f} GB are free; make room, "
            "or set checkpoints or keep in [files]"
        )


def _facts(spec: StudySpec, dataset: Dataset, split: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    from models.metrics import everything_foreground_dsc
    from models.networks.architectures import count_flops

    masks = dataset.masks()
    return {
        "d0": everything_foreground_dsc(masks[case] for case in dataset.indices(split["validation"])),
        "channels": dataset.channels,
        "flops": {recipe.key: flops for recipe, flops in _counted(spec, dataset.channels, count_flops).items()},
        "intensities": list(dataset.intensities),
        "versions": versions(),
    }


def note_changes(ledger: Ledger, study: StudyRecord, spec: StudySpec) -> bool:
    """Note what differs from the last start; whether anything that decisions read does."""
    identity, running = spec.identity(), spec.running()
    old, new = study.identity | study.running, identity | running
    changes = {key: {"was": old.get(key), "now": new[key]} for key in new if old.get(key) != new[key]}
    installed = versions()
    if changes or installed != _last_versions(ledger, study):
        ledger.change_spec(study, identity=identity, running=running, changes=changes, versions=installed)
    return any(key in changes for key in DECISIVE)


def _with_absolute_path(data: DataSpec) -> DataSpec:
    """For workers, whose current folder is another."""
    if data.path is None:
        return data
    return data.model_copy(update={"path": str(Path(data.path).expanduser().absolute())})


def _job(spec: StudySpec, files: FilesSpec, dataset: Dataset, *, wait_for_others: bool) -> Job:
    from models.forecaster.baselines.parametric import ParametricForecaster
    from models.forecaster.lstm.forecaster import load
    from search.tune.driver import Job

    assert files.checkpoints is not None
    return Job(
        dataset_folder=str(dataset.folder.absolute()),
        data=_with_absolute_path(spec.data),
        size=image_size(spec),
        training=spec.training,
        checkpoints=files.checkpoints,
        artifacts=files.artifacts if files.overlays else None,
        keep=files.keep,
        policy=spec.policy,
        tolerance=spec.tolerance,
        target=spec.target_dsc,
        prices=spec.prices,
        stop=spec.stop,
        resources=spec.resources,
        forecaster=load() if spec.stop.forecaster == "lstm" else ParametricForecaster(),
        device_hours=spec.gpu_hours,
        wait_for_others=wait_for_others,
    )
