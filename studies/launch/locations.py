"""Where a study's files may lie: not where they vanish, nor where a database's locks do not hold."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from storage.database.urls import sqlite_file
from storage.errors import InputError
from storage.files.filesystems import check_writable, has_secret, network_file_system

if TYPE_CHECKING:
    from collections.abc import Iterator

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
    file = sqlite_file(url)
    for what, path, remedy in _local_locations(spec, url, file):
        if is_rays(path):
            raise InputError(
                f"{what} would lie in {path}, in a folder of Ray's that is removed after the job; {remedy}"
            )
    kind = None if file is None else network_file_system(file)
    if kind is not None:
        raise InputError(f"SQLite's locks do not hold on a network file system ({kind}), where {file} lies; {SERVER}")
    for key in ("checkpoints", "artifacts"):
        if has_secret(getattr(spec.files, key) or ""):
            raise InputError(
                f"the URL of the {key} holds a password, which the database and Ray would keep in the open; give it "
                f"to every node by its environment, such as AWS_SECRET_ACCESS_KEY, or by a role ([files] {key})"
            )
    checkpoints = spec.files.resolved(url).checkpoints
    assert checkpoints is not None
    check_writable(checkpoints)


def is_rays(path: Path) -> bool:
    """Whether a path lies in Ray's own copy of a job's files."""
    return OF_RAY in Path(os.path.realpath(path)).parts


def _local_locations(spec: StudySpec, url: str, file: Path | None) -> Iterator[tuple[str, Path, str]]:
    if file is not None:
        yield "the database", file, f"{SERVER}, or give a SQLite file an absolute path elsewhere"
    files = spec.files.resolved(url)
    assert files.checkpoints is not None
    assert files.cache is not None
    assert files.artifacts is not None
    for what, key, place in (
        ("checkpoints", "checkpoints", files.checkpoints),
        ("overlays", "artifacts", files.artifacts),
    ):
        if "://" not in place:
            yield what, Path(place), f"set {key} in [files], absolute or a URL such as s3://..."
    yield "prepared data", Path(files.cache), "set cache in [files], an absolute folder of each node"
    if spec.data.path is not None:
        data = Path(spec.data.path).expanduser().absolute()
        yield "the data", data, "give the absolute path of a folder that each node can read (--data)"
