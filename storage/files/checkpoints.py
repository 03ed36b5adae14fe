"""Checkpoints of our own: `<url>/<study>/<cell>/<attempt>/<claim>-<evaluation>/`, whole or not there at all.

Files come first, the manifest with their checksums last: a checkpoint without a manifest that fits is none. Each claim
of a cell writes folders of its own, and leaves a mark when its work begins: a late worker of an earlier claim then
writes no more, and what it may have been writing at that moment lies apart.
"""

from __future__ import annotations

import hashlib
import json
import re
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from storage.errors import LostLease
from storage.files.filesystems import open_url, url_below

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from storage.records import CellPlan

Keep = Literal["best", "none", "all"]

MANIFEST = "manifest.json"
KEPT_WHILE_RUNNING = 2
WEIGHT_BYTES = 4  # float32
STATE_BYTES = 4 * WEIGHT_BYTES  # a parameter: weights, two moments of Adam, best weights
KEPT_BYTES: dict[Keep, int] = {
    "none": 0,
    "best": WEIGHT_BYTES,
    "all": KEPT_WHILE_RUNNING * STATE_BYTES,
}  # bytes a parameter
_NAME = re.compile(r"\d{4,}-\d{5,}")
_MARK = re.compile(r"claim-(\d{4,})")


@dataclass(frozen=True)
class Loaded:
    """The newest whole checkpoint.

    Attributes:
        name: Of its folder; None where there is none.
        files: Its contents by name.
        damaged: Names of newer folders that are not whole.
        evaluation: Up to which evaluation checkpoints were begun, damaged ones included; 0 where there is none.
    """

    name: str | None
    files: dict[str, bytes]
    damaged: tuple[str, ...]
    evaluation: int = 0

    @property
    def note(self) -> str | None:
        """What a person should know about the damaged ones, or None."""
        if not self.damaged:
            return None
        went_on = f"went on from {self.name}" if self.name else "began anew"
        return f"damaged checkpoint {', '.join(self.damaged)}: {went_on}"


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
        return cls(url_below(root, f"{study}/{cell}/{attempt}"))

    def begin(self, claim: int) -> None:
        """Mark that this claim works on the cell now; earlier claims write no more.

        Raises:
            LostLease: A later claim does so already.
        """
        fs, root = open_url(self.url)
        self.refuse_late(claim)
        fs.makedirs(root, exist_ok=True)
        fs.pipe_file(f"{root}/claim-{claim:04d}", b"")
        for earlier in self._claims():
            if earlier < claim:
                with suppress(FileNotFoundError):  # whoever comes third may be sweeping too
                    fs.rm_file(f"{root}/claim-{earlier:04d}")

    def refuse_late(self, claim: int) -> None:
        """Let nothing be written for a claim that is no longer the latest.

        Raises:
            LostLease: A later claim works on the cell.
        """
        latest = max(self._claims(), default=claim)
        if latest > claim:
            raise LostLease(f"claim {latest} works on {self.url} by now; claim {claim} writes no more")

    def save(self, claim: int, evaluation: int, files: Mapping[str, bytes]) -> str:
        """Write a checkpoint, then drop all but the last two; returns its name.

        Raises:
            LostLease: A later claim works on the cell.
            OSError: It could not be written; what was written of it is removed, and the one before stays.
        """
        fs, root = open_url(self.url)
        name = f"{claim:04d}-{evaluation:05d}"
        self.refuse_late(claim)
        fs.makedirs(f"{root}/{name}", exist_ok=True)
        try:
            for file, content in files.items():
                fs.pipe_file(f"{root}/{name}/{file}", content)
            fs.pipe_file(f"{root}/{name}/{MANIFEST}", json.dumps(_checksums(files)).encode())
        except OSError:
            with suppress(OSError):
                fs.rm(f"{root}/{name}", recursive=True)
            raise
        for old in self.names()[:-KEPT_WHILE_RUNNING]:
            with suppress(FileNotFoundError):
                fs.rm(f"{root}/{old}", recursive=True)
        return name

    def load_newest(self) -> Loaded:
        """The newest checkpoint that is whole, and which newer ones are not."""
        names, damaged = self.names(), list[str]()
        evaluation = max((int(name.partition("-")[2]) for name in names), default=0)
        for name in reversed(names):
            files = self._load(name)
            if files is not None:
                return Loaded(name, files, tuple(damaged), evaluation)
            damaged.append(name)
        return Loaded(None, {}, tuple(damaged), evaluation)

    def close(self, keep: Keep) -> None:
        """After the cell is done: keep the best weights only, everything, or nothing."""
        fs, root = open_url(self.url)
        names = self.names()
        newest = self.load_newest()
        if keep == "all" or (keep == "best" and newest.name is None):
            return  # where nothing is whole, what is there stays for a person to look at
        if keep == "best" and newest.name is not None:
            self._keep_only(newest.name, newest.files, "best.pt")
        for name in names:
            if keep == "none" or name != newest.name:
                fs.rm(f"{root}/{name}", recursive=True)

    def names(self) -> list[str]:
        """Names of the folders, oldest first; a broken one may be among them."""
        return [name for name in self._listed() if _NAME.fullmatch(name)]

    def _listed(self) -> list[str]:
        fs, root = open_url(self.url)
        if not fs.exists(root):
            return []
        return sorted(str(path).rstrip("/").rsplit("/", 1)[-1] for path in fs.ls(root, detail=False, refresh=True))

    def _claims(self) -> list[int]:
        return [int(mark[1]) for name in self._listed() if (mark := _MARK.fullmatch(name))]

    def _keep_only(self, name: str, files: Mapping[str, bytes], file: str) -> None:
        fs, root = open_url(self.url)
        fs.pipe_file(f"{root}/{name}/{MANIFEST}", json.dumps(_checksums({file: files[file]})).encode())
        for other in files.keys() - {file}:
            fs.rm_file(f"{root}/{name}/{other}")

    def _load(self, name: str) -> dict[str, bytes] | None:
        fs, root = open_url(self.url)
        try:
            manifest = json.loads(fs.cat_file(f"{root}/{name}/{MANIFEST}"))
            files = {file: fs.cat_file(f"{root}/{name}/{file}") for file in manifest}
        except (OSError, ValueError):
            return None
        return files if _checksums(files) == manifest else None


def kept_bytes(plans: Sequence[CellPlan], keep: Keep) -> int:
    """Bytes that stay of all cells when they are done."""
    return KEPT_BYTES[keep] * sum(plan.parameters for plan in plans)


def running_bytes(plans: Sequence[CellPlan], trials: int) -> int:
    """The most bytes that so many cells take while they run: kept checkpoints, and one that is being written."""
    largest = sorted((plan.parameters for plan in plans), reverse=True)[:trials]
    return (KEPT_WHILE_RUNNING + 1) * STATE_BYTES * sum(largest)


def _checksums(files: Mapping[str, bytes]) -> dict[str, str]:
    return {file: hashlib.sha256(content).hexdigest() for file, content in files.items()}
