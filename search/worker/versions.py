"""What a node runs: Python, the packages that results depend on, a digest of our own code. Standard library only."""

from __future__ import annotations

import hashlib
import platform
from functools import lru_cache
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

PACKAGES = ("torch", "monai", "numpy", "ray", "nibabel", "pillow", "scipy")
ROOMS = ("studies", "search", "models", "storage")


def node_versions() -> dict[str, str]:
    """Versions by name; "code" is a digest of the four rooms as they lie on this node."""
    return {"python": platform.python_version(), "code": code_digest(), **{name: _version(name) for name in PACKAGES}}


def version_differences(wanted: Mapping[str, str], found: Mapping[str, str]) -> str | None:
    """What a node has other than the driver, with the remedy; None where nothing differs."""
    differing = [
        f"{name} {found.get(name, 'none')}, not {wanted[name]}" for name in wanted if found.get(name) != wanted[name]
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


def _version(name: str) -> str:
    """The public version: a build for one CUDA or another is the same."""
    try:
        return metadata.version(name).partition("+")[0]
    except metadata.PackageNotFoundError:
        return "none"
