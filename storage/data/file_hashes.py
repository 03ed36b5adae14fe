"""SHA-256 of files, remembered from start to start, since a large dataset takes minutes to read through.

A file is read again unless its size, time of modification and time of change (which no program can set) are those at
which it was hashed, all to the nanosecond. So a change goes unseen only where the file system's clock was set back, or
where the file changed within one tick of it: a file younger than ten seconds is therefore not remembered.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

FILE_NAME = ".digests.json"
SECONDS_UNTIL_SETTLED = 10


class FileHashes:
    """Hashes of files by absolute path; `save` keeps them in a folder for the next start."""

    def __init__(self, folder: Path) -> None:
        """Take up what was remembered in the folder, if anything can be read there."""
        self._path = folder / FILE_NAME
        self._known = _load(self._path)
        self._has_news = False

    def of(self, path: Path) -> bytes:
        """SHA-256 of a file's contents; of nothing where it cannot be read, which decoding will say."""
        try:
            state = _state(path)
            known = self._known.get(str(path.absolute()))
            if known is not None and known[0] == state:
                return bytes.fromhex(known[1])
            with path.open("rb") as file:
                file_hash = hashlib.file_digest(file, "sha256").digest()
        except OSError:
            return hashlib.sha256().digest()
        self._remember(path, state, file_hash)
        return file_hash

    def save(self) -> None:
        """Write them; of two drivers that do so at once, one wins, and the other hashes again."""
        if not self._has_news:
            return
        partial = self._path.with_suffix(f".{os.getpid()}")
        partial.write_text(json.dumps(self._known))
        partial.replace(self._path)
        self._has_news = False

    def _remember(self, path: Path, state: list[int], file_hash: bytes) -> None:
        if state == _state(path) and time.time_ns() - max(state[1:]) > SECONDS_UNTIL_SETTLED * 10**9:
            self._known[str(path.absolute())] = (state, file_hash.hex())
            self._has_news = True


def _state(path: Path) -> list[int]:
    status = path.stat()
    return [status.st_size, status.st_mtime_ns, status.st_ctime_ns]


def _load(path: Path) -> dict[str, tuple[list[int], str]]:
    try:
        return {name: (state, file_hash) for name, (state, file_hash) in json.loads(path.read_text()).items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}  # they are a matter of speed alone
