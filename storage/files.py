"""Where a study's files lie: beside its database, unless the spec says otherwise."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel

from storage.engine import sqlite_file

DEFAULT_FOLDER = "dicecurve-files"


class FilesSpec(BaseModel, frozen=True, extra="forbid"):
    """Where checkpoints and prepared datasets go; may change at any start (move the files along).

    Attributes:
        checkpoints: fsspec URL or folder of the checkpoints.
        cache: Folder of prepared datasets, on every node.
        keep: What stays of a closed cell's checkpoints: the best weights, nothing, or all.
    """

    checkpoints: str | None = None
    cache: str | None = None
    keep: Literal["best", "none", "all"] = "best"

    def resolved(self, url: str) -> FilesSpec:
        """With absolute places filled in; the defaults lie beside a SQLite file, else in the current folder."""
        root = home_of(url) / DEFAULT_FOLDER
        checkpoints = self.checkpoints or str(root / "checkpoints")
        if "://" not in checkpoints:
            checkpoints = str(Path(checkpoints).expanduser().absolute())
        cache = Path(self.cache).expanduser().absolute() if self.cache else root / "cache"
        return self.model_copy(update={"checkpoints": checkpoints, "cache": str(cache)})


def home_of(url: str) -> Path:
    """The folder that a study calls home: that of its SQLite file, else the current one."""
    file = sqlite_file(url)
    return Path.cwd() if file is None else file.parent
