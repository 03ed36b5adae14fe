"""What a node runs: Python, the packages that results depend on, and our own code. Standard library only."""

from __future__ import annotations

import hashlib
import platform
import subprocess
from functools import lru_cache
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOMS = ("studies", "search", "models", "storage")
# What a study is recorded with, in full, is another list than what nodes must have alike, of the public version: a name
# more or less here would be noted as a change of versions at the next start of every old study.
RECORDED = ("dicecurve", "torch", "monai", "ray", "optuna", "sqlalchemy", "numpy")
COMPARED = ("torch", "monai", "numpy", "ray", "nibabel", "pillow", "scipy")


def recorded_versions() -> dict[str, str]:
    """What a study is recorded with: Python, the packages that results depend on, and the commit of this repository."""
    # dicecurve itself is not installed where a job brings it as files.
    installed = {name: _version(name) or "not installed" for name in RECORDED}
    commit = {"git": described} if (described := _commit()) else {}
    return {"python": platform.python_version(), **installed, **commit}


def node_versions() -> dict[str, str]:
    """What nodes must have alike; "code" is a digest of the four rooms as they lie on this node.

    Of a package it is the public version: a build for one CUDA or another is the same.
    """
    public = {name: (_version(name) or "none").partition("+")[0] for name in COMPARED}
    return {"python": platform.python_version(), "code": code_digest(), **public}


def version_differences(wanted: Mapping[str, str], present: Mapping[str, str]) -> str | None:
    """What a node has other than the driver, with the remedy; None where nothing differs."""
    differing = [
        f"{name} {present.get(name, 'none')}, not {version}"
        for name, version in wanted.items()
        if present.get(name) != version
    ]
    if not differing:
        return None
    return (
        f"it runs {', '.join(differing)}, as the driver does; install the same versions on every node "
        "(the pins of constraints.txt), and restart Ray there"
    )


@lru_cache(maxsize=1)
def code_digest() -> str:
    """The first 12 digits of a hash over names and contents of all files of ours."""
    digest = hashlib.sha256()
    for folder in map(room_folder, ROOMS):
        for path in sorted(folder.rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                digest.update(f"{path.relative_to(folder.parent)}\0{path.stat().st_size}\0".encode())
                digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def room_folder(room: str) -> Path:
    """Where a room is imported from; Ray brings each into a folder of its own."""
    spec = find_spec(room)
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _commit() -> str | None:
    """The checked-out commit, marked where files were changed since; None outside a git working copy."""
    command = ["git", "-C", str(Path(__file__).parent), "describe", "--always", "--dirty", "--abbrev=12"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)  # noqa: S603 - fixed
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() or None
