"""A prepared dataset in the making: flat files that grow case by case, and a journal of the cases that they hold.

A process that is killed leaves it, and the next one goes on behind the last case in the journal: what lies beyond it
in the files is cut off. A line enters the journal only after its arrays are on the disk. One process at a time holds
it, by a lock that dies with the process; others wait, and then find the work done.
"""

from __future__ import annotations

import fcntl
import json
import math
import os
import shutil
import tempfile
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from storage.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from numpy.typing import NDArray

JOURNAL = "journal.jsonl"
ABOUT = "dataset.json"
LOCK = "lock"
SECONDS_BETWEEN_NOTES = 1.0  # a sync a case would take longer than reading a small picture


class StagedDataset:
    """Arrays by kind ("images", "masks", ...), case after case.

    Attributes:
        folder: Where it grows.
        records: A case each: its name, the dtype and shape of its arrays by kind, and facts.
        is_published: Whether it has become a dataset, and is staged no more.
    """

    def __init__(self, folder: Path) -> None:
        """Take up what the journal holds."""
        self.folder = folder
        self.records = _read_journal(folder / JOURNAL)
        self.is_published = False
        self._noted = len(self.records)
        self._noted_at = time.monotonic()
        self._files: dict[str, IO[bytes]] = {}

    def add(self, name: str, arrays: Mapping[str, NDArray[Any]], facts: Mapping[str, Any]) -> None:
        """Append a case."""
        for kind, array in arrays.items():
            self._file(kind).write(np.ascontiguousarray(array).data)
        described = {kind: [array.dtype.str, array.shape] for kind, array in arrays.items()}
        self.records.append({"name": name, "arrays": described, "facts": dict(facts)})
        if time.monotonic() - self._noted_at > SECONDS_BETWEEN_NOTES:
            self.note()

    def note(self) -> None:
        """Bring everything to the disk, the journal last."""
        for file in self._files.values():
            file.flush()
            os.fsync(file.fileno())
        with (self.folder / JOURNAL).open("a") as journal:
            journal.writelines(json.dumps(record) + "\n" for record in self.records[self._noted :])
            journal.flush()
            os.fsync(journal.fileno())
        self._noted, self._noted_at = len(self.records), time.monotonic()

    def arrays(self, kind: str) -> list[NDArray[Any]]:
        """The arrays of a kind, memory-mapped."""
        self.note()
        return map_cases(self.folder, kind, self.records)

    def derive(self, kind: str, target: str, function: Callable[[NDArray[Any]], NDArray[Any]]) -> None:
        """Make the arrays of a kind from those of another, case by case; whoever takes it up again does so anew."""
        self.note()
        with file_of(self.folder, kind).open("rb") as source, file_of(self.folder, target).open("wb") as file:
            for record in self.records:
                dtype, shape = record["arrays"][kind]
                array = np.fromfile(source, dtype, math.prod(shape)).reshape(shape)  # a map would fill the memory
                made = np.ascontiguousarray(function(array))
                file.write(made.data)
                record["arrays"][target] = [made.dtype.str, made.shape]
            file.flush()
            os.fsync(file.fileno())

    def publish(self, target: Path, about: Mapping[str, Any], kinds: tuple[str, ...]) -> None:
        """Become the dataset at ``target``, of these kinds alone."""
        self.note()
        self.close()
        cases = [{**record, "arrays": {kind: record["arrays"][kind] for kind in kinds}} for record in self.records]
        (self.folder / ABOUT).write_text(json.dumps({**about, "cases": cases}))
        kept = {ABOUT, LOCK, *(file_of(self.folder, kind).name for kind in kinds)}
        for path in [path for path in self.folder.iterdir() if path.name not in kept]:
            path.unlink()
        try:
            self.folder.rename(target)
        except OSError:
            if not (target / ABOUT).exists():  # another driver may have been faster; its arrays are the same
                raise
        else:
            self.is_published = True
            (target / LOCK).unlink(missing_ok=True)  # not before, or another process could lock what is being moved

    def close(self) -> None:
        """Let go of the files."""
        for file in self._files.values():
            file.close()
        self._files.clear()

    def _file(self, kind: str) -> IO[bytes]:
        if kind not in self._files:
            path = file_of(self.folder, kind)
            path.touch()
            os.truncate(path, sum(_size(record, kind) for record in self.records))
            self._files[kind] = path.open("ab")
        return self._files[kind]


def file_of(folder: Path, kind: str) -> Path:
    """The flat file of a kind of arrays."""
    return folder / f"{kind}.bin"


def map_cases(folder: Path, kind: str, records: list[dict[str, Any]]) -> list[NDArray[Any]]:
    """The arrays of a kind, views of one memory map."""
    path = file_of(folder, kind)
    whole: NDArray[np.uint8] = (
        np.memmap(path, np.uint8, "r") if path.stat().st_size else np.empty(0, np.uint8)  # an empty file has no map
    )
    views, at = [], 0
    for record in records:
        dtype, shape = record["arrays"][kind]
        end = at + _size(record, kind)
        views.append(np.asarray(whole[at:end].view(dtype).reshape(shape)))
        at = end
    return views


@contextmanager
def hold_staged(folder: Path) -> Iterator[StagedDataset]:
    """The staged dataset in this folder, once no other process holds it.

    It stays where the block is interrupted, and goes where the block ends well, or with a DataError. Where the file
    system knows no locks it is one of this process alone, which nobody goes on with.
    """
    descriptor = _locked(folder)
    path = folder if descriptor is not None else Path(tempfile.mkdtemp(dir=folder.parent, prefix=f"{folder.name}-"))
    staged = StagedDataset(path)
    try:
        yield staged
    except (DataError, OSError) as error:
        if isinstance(error, DataError):
            shutil.rmtree(path, ignore_errors=True)
        raise
    except BaseException:
        staged.note()
        raise
    else:
        if not staged.is_published:
            shutil.rmtree(path, ignore_errors=True)
    finally:
        staged.close()
        if descriptor is None:
            shutil.rmtree(path, ignore_errors=True)
        else:
            os.close(descriptor)


def _locked(folder: Path) -> int | None:
    """A descriptor that holds the folder's lock, or None where there are no locks."""
    while True:
        with suppress(FileExistsError):  # mkdir(exist_ok=True) raises it of a folder that goes meanwhile
            folder.mkdir()
        try:
            descriptor = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT)
        except FileNotFoundError:  # its holder has just finished
            continue
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        except OSError:
            os.close(descriptor)
            return None
        if _is_still_there(folder / LOCK, descriptor):
            return descriptor
        os.close(descriptor)


def _is_still_there(path: Path, descriptor: int) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False


def _read_journal(path: Path) -> list[dict[str, Any]]:
    if not path.exists():
        return []
    whole, _, cut_short = path.read_bytes().rpartition(b"\n")
    if cut_short:  # by a kill
        os.truncate(path, len(whole) + 1 if whole else 0)
    return [json.loads(line) for line in whole.splitlines()]


def _size(record: Mapping[str, Any], kind: str) -> int:
    if kind not in record["arrays"]:
        return 0
    dtype, shape = record["arrays"][kind]
    return int(np.dtype(dtype).itemsize * math.prod(shape))
