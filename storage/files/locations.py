"""Where a study's files lie: beside its database, unless the spec says otherwise."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel

from storage.database.urls import sqlite_file
from storage.files.filesystems import url_below

if TYPE_CHECKING:
    from collections.abc import Mapping

DEFAULT_FOLDER = "dicecurve-files"
ARTIFACTS_BESIDE_CHECKPOINTS = "_artifacts"  # no study has a name like that


class FilesSpec(BaseModel, frozen=True, extra="forbid"):
    """Where checkpoints, overlays and prepared datasets go; may change at any start (move the files along).

    Attributes:
        checkpoints: fsspec URL or folder of the checkpoints.
        artifacts: fsspec URL or folder of the overlays, one flat folder as Optuna's artifact store has it; where
            checkpoints have a place of their own, overlays go there by default, since every node reaches it.
        cache: Folder of prepared datasets, on every node.
        keep: What stays of a closed cell's checkpoints: the best weights, nothing, or all.
        overlays: Whether a tested cell leaves pictures of three test cases, with truth and prediction outlined.
    """

    checkpoints: str | None = None
    artifacts: str | None = None
    cache: str | None = None
    keep: Literal["best", "none", "all"] = "best"
    overlays: bool = True

    def resolved(self, url: str) -> FilesSpec:
        """With absolute paths and URLs filled in; the defaults lie beside a SQLite file, else in the current folder."""
        root = home_of(url) / DEFAULT_FOLDER
        shared = self.checkpoints and url_below(self.checkpoints, ARTIFACTS_BESIDE_CHECKPOINTS)
        locations = {
            "checkpoints": _absolute(self.checkpoints or str(root / "checkpoints")),
            "artifacts": _absolute(self.artifacts or shared or str(root / "artifacts")),
            "cache": str(Path(self.cache).expanduser().absolute() if self.cache else root / "cache"),
        }
        return self.model_copy(update=locations)


def artifacts_of(running: Mapping[str, Any], url: str) -> str:
    """Where the overlays of a recorded study lie.

    Args:
        running: The part of its spec that may change.
        url: Of its database.
    """
    artifacts = FilesSpec.model_validate(running.get("files", {})).resolved(url).artifacts
    assert artifacts is not None
    return artifacts


def home_of(url: str) -> Path:
    """The folder that a study calls home: that of its SQLite file, else the current one."""
    file = sqlite_file(url)
    return Path.cwd() if file is None else file.parent


def _absolute(url: str) -> str:
    return url if "://" in url else str(Path(url).expanduser().absolute())
