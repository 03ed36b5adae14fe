"""Overlays of a cell's attempt as artifacts: one flat folder, as Optuna's own artifact store has it.

A file's name is its artifact's number, made of the attempt, the claim and its place: `optuna-dashboard --artifact-dir`
serves the same folder. Each claim writes files of its own, the list of them with their checksums last; overlays without
a list that fits are none, and those of the latest claim count.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from storage.files.filesystems import open_url
from storage.records import Artifact

if TYPE_CHECKING:
    from collections.abc import Sequence

LIST = 0  # the place of the list; overlays stand at 1, 2, ...


@dataclass(frozen=True)
class Overlay:
    """One case as an image, with the outlines of its truth and of what was predicted.

    Attributes:
        case: Its name.
        caption: What is seen, such as "large foreground, axial slice 45 of 120".
        dsc: Of the whole case.
        png: The picture.
    """

    case: str
    caption: str
    dsc: float
    png: bytes = field(repr=False)


@dataclass(frozen=True)
class ArtifactFolder:
    """The artifacts of one attempt.

    Attributes:
        url: fsspec URL of the folder that holds those of all.
        prefix: What the names of this attempt's files begin with.
    """

    url: str
    prefix: str

    @classmethod
    def of(cls, url: str, study: str, cell: str, attempt: int) -> ArtifactFolder:
        """The artifacts of an attempt under the study's artifact URL."""
        return cls(url.rstrip("/"), str(uuid.uuid5(uuid.NAMESPACE_URL, f"dicecurve:{study}/{cell}/{attempt}")))

    def save(self, claim: int, overlays: Sequence[Overlay]) -> tuple[Artifact, ...]:
        """Write a claim's overlays, then drop those of earlier claims.

        Raises:
            OSError: They could not be written.
        """
        fs, root = open_url(self.url)
        fs.makedirs(root, exist_ok=True)
        names = [self._name(claim, place) for place in range(1, len(overlays) + 1)]
        for name, overlay in zip(names, overlays, strict=True):
            fs.pipe_file(f"{root}/{name}", overlay.png)
        listed = [_entry(name, overlay) for name, overlay in zip(names, overlays, strict=True)]
        fs.pipe_file(f"{root}/{self._name(claim, LIST)}", json.dumps(listed).encode())
        for name in self._names():
            if _claim_of(name) < claim:
                with suppress(FileNotFoundError):
                    fs.rm_file(f"{root}/{name}")
        return tuple(Artifact(name, _filename(overlay)) for name, overlay in zip(names, overlays, strict=True))

    def overlays(self) -> list[Overlay]:
        """The overlays of the latest claim whose list is whole; none where there is no such list."""
        for claim in sorted({_claim_of(name) for name in self._names()}, reverse=True):
            overlays = self._load(claim)
            if overlays is not None:
                return overlays
        return []

    def _load(self, claim: int) -> list[Overlay] | None:
        fs, root = open_url(self.url)
        try:
            listed = json.loads(fs.cat_file(f"{root}/{self._name(claim, LIST)}"))
            pictures = [fs.cat_file(f"{root}/{entry['name']}") for entry in listed]
        except (OSError, ValueError):
            return None
        if any(_checksum(png) != entry["sha256"] for png, entry in zip(pictures, listed, strict=True)):
            return None
        return [
            Overlay(entry["case"], entry["caption"], entry["dsc"], png)
            for png, entry in zip(pictures, listed, strict=True)
        ]

    def _name(self, claim: int, place: int) -> str:
        return f"{self.prefix}-{claim:04x}-{place:02x}"

    def _names(self) -> list[str]:
        fs, root = open_url(self.url)
        if not fs.exists(root):
            return []
        names = (str(path).rstrip("/").rsplit("/", 1)[-1] for path in fs.ls(root, detail=False, refresh=True))
        return [name for name in names if name.startswith(f"{self.prefix}-")]


def _claim_of(name: str) -> int:
    return int(name.split("-")[-2], 16)


def _entry(name: str, overlay: Overlay) -> dict[str, Any]:
    shown = {"case": overlay.case, "caption": overlay.caption, "dsc": overlay.dsc}
    return shown | {"name": name, "sha256": _checksum(overlay.png)}


def _filename(overlay: Overlay) -> str:
    """Optuna dashboard sorts by it: the caption first gives every trial the same order."""
    return f"{overlay.caption}, {overlay.case}, DSC {overlay.dsc:.3f}.png"


def _checksum(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
