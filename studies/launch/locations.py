"""Where a study's files lie, and may lie: not where they vanish, nor where a database's locks do not hold."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from storage.database.urls import sqlite_file
from storage.errors import InputError
from storage.files.checkpoints import kept_bytes, running_bytes
from storage.files.filesystems import check_writable, has_secret, network_file_system
from studies.spec import recorded_spec

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from storage.files.locations import FilesSpec
    from storage.records import CellPlan, StudyRecord
    from studies.spec import StudySpec

OF_RAY = "runtime_resources"  # Ray's copies of working_dir lie in such a folder, and go with it
SERVER = "start a database with `dicecurve database start DIR`, and name what it prints (--storage)"


def check_locations(spec: StudySpec, url: str) -> None:
    """Refuse places that lose what is written there; the checkpoints' one is tried.

    Args:
        spec: Of the study.
        url: Of its database, normalised.

    Raises:
        InputError: The first place that will not do, and the remedy.
    """
    _refuse_rays_folders(spec, url)
    _refuse_network_sqlite(url)
    _refuse_secrets(spec.files)
    checkpoints = spec.files.resolved(url).checkpoints
    assert checkpoints is not None
    check_writable(checkpoints)


def _refuse_rays_folders(spec: StudySpec, url: str) -> None:
    for what, path, remedy in _local_locations(spec, url):
        if is_rays(path):
            raise InputError(
                f"{what} would lie in {path}, in a folder of Ray's that is removed after the job; {remedy}"
            )


def is_rays(path: Path) -> bool:
    """Whether a path lies in Ray's own copy of a job's files."""
    return OF_RAY in Path(os.path.realpath(path)).parts


def _local_locations(spec: StudySpec, url: str) -> Iterator[tuple[str, Path, str]]:
    """What lies where, with the remedy where it must not; what has a URL is left out."""
    file = sqlite_file(url)
    if file is not None:
        yield "the database", file, f"{SERVER}, or give a SQLite file an absolute path elsewhere"
    files = spec.files.resolved(url)
    for what, key in (("checkpoints", "checkpoints"), ("overlays", "artifacts")):
        place = getattr(files, key)
        if "://" not in place:
            yield what, Path(place), f"set {key} in [files], absolute or a URL such as s3://..."
    assert files.cache is not None
    yield "prepared data", Path(files.cache), "set cache in [files], an absolute folder of each node"
    if spec.data.path is not None:
        data = Path(spec.data.path).expanduser().absolute()
        yield "the data", data, "give the absolute path of a folder that each node can read (--data)"


def _refuse_network_sqlite(url: str) -> None:
    file = sqlite_file(url)
    kind = None if file is None else network_file_system(file)
    if kind is not None:
        raise InputError(f"SQLite's locks do not hold on a network file system ({kind}), where {file} lies; {SERVER}")


def _refuse_secrets(files: FilesSpec) -> None:
    for key in ("checkpoints", "artifacts"):
        if has_secret(getattr(files, key) or ""):
            raise InputError(
                f"the URL of the {key} holds a password, which the database and Ray would keep in the open; give it "
                f"to every node by its environment, such as AWS_SECRET_ACCESS_KEY, or by a role ([files] {key})"
            )


def check_disk(plans: Sequence[CellPlan], files: FilesSpec) -> None:
    """Refuse a study whose checkpoints will not fit on the local disk.

    Args:
        plans: Its cells.
        files: Where its files lie, resolved.

    Raises:
        InputError: With what is needed, and what is free.
    """
    assert files.checkpoints is not None
    if "://" in files.checkpoints:
        return
    needed = kept_bytes(plans, files.keep) + running_bytes(plans, trials=1)
    folder = Path(files.checkpoints)
    place = next(path for path in [folder, *folder.parents] if path.exists())
    free = shutil.disk_usage(place).free
    if needed > free:
        raise InputError(
            f"checkpoints will need {needed / 1e9:.1f} GB in {place}, where {free / 1e9:.1f} GB are free; make room, "
            "or set checkpoints or keep in [files]"
        )


def checkpoints_of(study: StudyRecord, url: str) -> str:
    """Where the checkpoints of a recorded study lie."""
    checkpoints = recorded_spec(study).files.resolved(url).checkpoints
    assert checkpoints is not None
    return checkpoints
