"""Checkpoints of our own: `<url>/<study>/<cell>/<attempt>/<claim>-<evaluation>/`, whole or not there at all.

Files come first, the manifest with their checksums last: a checkpoint without a manifest that fits is none. Each claim
of a cell writes folders of its own, so a late worker cannot spoil the files of the one that took over.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from fsspec.core import url_to_fs

if TYPE_CHECKING:
    from collections.abc import Mapping

KEPT_WHILE_RUNNING = 2
MANIFEST = "manifest.json"
Keep = Literal["best", "none", "all"]


@dataclass(frozen=True)
class CheckpointFolder:
    """The checkpoints of one attempt.

    Attributes:
        url: fsspec URL of the attempt's folder.
    """

    url: str

    @classmethod
    def of(cls, root: str, study: str, cell: str, attempt: int) -> CheckpointFolder:
        """The folder of an attempt under the study's checkpoint URL."""
        return cls(f"{root.rstrip('/')}/{study}/{cell}/{attempt}")

    def save(self, claim: int, evaluation: int, files: Mapping[str, bytes]) -> str:
        """Write a checkpoint, then drop all but the last two; returns its name."""
        fs, root = url_to_fs(self.url)
        name = f"{claim:04d}-{evaluation:05d}"
        fs.makedirs(f"{root}/{name}", exist_ok=True)
        for file, content in files.items():
            fs.pipe_file(f"{root}/{name}/{file}", content)
        fs.pipe_file(f"{root}/{name}/{MANIFEST}", json.dumps(_checksums(files)).encode())
        for old in self.names()[:-KEPT_WHILE_RUNNING]:
            fs.rm(f"{root}/{old}", recursive=True)
        return name

    def load_newest(self) -> tuple[str, dict[str, bytes]] | None:
        """The newest checkpoint that is whole, as (name, files); None where there is none."""
        for name in reversed(self.names()):
            files = self._load(name)
            if files is not None:
                return name, files
        return None

    def close(self, keep: Keep) -> None:
        """After the cell is done: keep the best weights only, everything, or nothing."""
        fs, root = url_to_fs(self.url)
        names = self.names()
        if keep == "none" and names:
            fs.rm(root, recursive=True)
        newest = self.load_newest() if keep == "best" else None
        if newest is None:
            return  # all is kept, or nothing is whole: leave what is there for a person to look at
        name, files = newest
        self._keep_only(name, files, "best.pt")
        for other in set(names) - {name}:
            fs.rm(f"{root}/{other}", recursive=True)

    def names(self) -> list[str]:
        """Names of the folders, oldest first; a broken one may be among them."""
        fs, root = url_to_fs(self.url)
        if not fs.exists(root):
            return []
        return sorted(str(path).rstrip("/").rsplit("/", 1)[-1] for path in fs.ls(root, detail=False, refresh=True))

    def _keep_only(self, name: str, files: Mapping[str, bytes], file: str) -> None:
        fs, root = url_to_fs(self.url)
        fs.pipe_file(f"{root}/{name}/{MANIFEST}", json.dumps(_checksums({file: files[file]})).encode())
        for other in files.keys() - {file}:
            fs.rm_file(f"{root}/{name}/{other}")

    def _load(self, name: str) -> dict[str, bytes] | None:
        fs, root = url_to_fs(self.url)
        try:
            manifest = json.loads(fs.cat_file(f"{root}/{name}/{MANIFEST}"))
            files = {file: fs.cat_file(f"{root}/{name}/{file}") for file in manifest}
        except (OSError, ValueError):
            return None
        return files if _checksums(files) == manifest else None


def _checksums(files: Mapping[str, bytes]) -> dict[str, str]:
    return {file: hashlib.sha256(content).hexdigest() for file, content in files.items()}
