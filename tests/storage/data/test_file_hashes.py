"""Hashes of files: right, and not computed twice."""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING

import pytest

from storage.data import file_hashes as module
from storage.data.file_hashes import FILE_NAME, FileHashes

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file that counts as settled."""
    monkeypatch.setattr(module, "SECONDS_UNTIL_SETTLED", -3600)
    file = tmp_path / "data" / "file"
    file.parent.mkdir()
    file.write_bytes(b"one")
    return file


@pytest.fixture
def hashed(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """What is hashed from now on."""
    calls: list[object] = []
    real = hashlib.file_digest
    monkeypatch.setattr(hashlib, "file_digest", lambda *args: calls.append(args) or real(*args))
    return calls


def hash_of(path: Path, cache: Path) -> bytes:
    """As a start does it."""
    file_hashes = FileHashes(cache)
    file_hash = file_hashes.of(path)
    file_hashes.save()
    return file_hash


def test_a_file_is_hashed_once(path: Path, tmp_path: Path, hashed: list[object]) -> None:
    """A second start remembers."""
    for _ in range(2):
        assert hash_of(path, tmp_path) == hashlib.sha256(b"one").digest()
    assert len(hashed) == 1


def test_a_change_is_seen_though_size_and_time_are_kept(path: Path, tmp_path: Path, hashed: list[object]) -> None:
    """As by `cp --preserve` or `touch --reference`: the time of change gives it away."""
    hash_of(path, tmp_path)
    before = path.stat()
    path.write_bytes(b"two")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert path.stat().st_mtime_ns == before.st_mtime_ns
    assert hash_of(path, tmp_path) == hashlib.sha256(b"two").digest()
    assert len(hashed) == 2


def test_a_young_file_is_not_remembered(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It may change again within one tick of the file system's clock."""
    monkeypatch.setattr(module, "SECONDS_UNTIL_SETTLED", 10)
    hash_of(path, tmp_path)
    assert not (tmp_path / FILE_NAME).exists()


@pytest.mark.parametrize("content", ["", "{", "[]", '{"a": 1}', "null"])
def test_a_spoilt_memory_is_no_matter(path: Path, tmp_path: Path, content: str) -> None:
    """It is begun anew."""
    (tmp_path / FILE_NAME).write_text(content)
    assert hash_of(path, tmp_path) == hashlib.sha256(b"one").digest()


def test_a_missing_file_counts_as_empty(tmp_path: Path) -> None:
    """Reading it will say what is wrong."""
    assert hash_of(tmp_path / "nothing", tmp_path) == hashlib.sha256().digest()
