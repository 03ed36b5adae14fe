"""Checkpoints: whole or not there at all."""

from __future__ import annotations

import errno
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.errors import LostLease
from storage.files.checkpoints import MANIFEST, CheckpointFolder, Loaded

if TYPE_CHECKING:
    from pathlib import Path

FILES = {"state.pt": b"state" * 100, "best.pt": b"best" * 100}


@pytest.fixture
def folder(tmp_path: Path) -> CheckpointFolder:
    """The folder of one attempt; nothing is in it."""
    return CheckpointFolder.of(str(tmp_path), "study", "ratio0.5-depth3-seed0", 1)


def files_of(evaluation: int) -> dict[str, bytes]:
    """The files of an evaluation."""
    return {"state.pt": b"state %d" % evaluation * 50, "best.pt": b"best %d" % evaluation * 50}


def newest(folder: CheckpointFolder) -> tuple[str, dict[str, bytes]] | None:
    """Name and files of the newest whole checkpoint."""
    loaded = folder.load_newest()
    return None if loaded.name is None else (loaded.name, loaded.files)


def test_nothing_is_loaded_from_nothing(folder: CheckpointFolder) -> None:
    """An attempt that has not begun has no checkpoint, and closing it is no error."""
    assert folder.load_newest() == Loaded(None, {}, ())
    assert folder.names() == []
    for keep in ("best", "none", "all"):
        folder.close(keep)


def test_a_round_trip(folder: CheckpointFolder, tmp_path: Path) -> None:
    """What was saved is loaded under the name that was returned, from study/cell/attempt."""
    name = folder.save(1, 3, FILES)
    assert newest(folder) == (name, FILES)
    assert (tmp_path / "study" / "ratio0.5-depth3-seed0" / "1" / name / "state.pt").read_bytes() == FILES["state.pt"]


@given(files=st.dictionaries(st.sampled_from(["state.pt", "best.pt", "x"]), st.binary(max_size=300), min_size=1))
def test_any_bytes_come_back(files: dict[str, bytes]) -> None:
    """Contents are bytes, empty ones too; an URL of another file system will do."""
    folder = CheckpointFolder("memory://round/trip")
    try:
        name = folder.save(1, 1, files)
        assert newest(folder) == (name, files)
    finally:
        folder.close("none")


def test_the_last_two_are_kept(folder: CheckpointFolder) -> None:
    """A running attempt holds two checkpoints, the newest is loaded; evaluation 10 comes after 9."""
    names = [folder.save(1, evaluation, files_of(evaluation)) for evaluation in range(1, 13)]
    assert folder.names() == names[-2:]
    assert newest(folder) == (names[-1], files_of(12))


def test_a_newer_claim_wins(folder: CheckpointFolder) -> None:
    """Whoever took the cell over is newer, though the former driver's late worker is further on."""
    folder.save(1, 8, files_of(8))
    taken_over = folder.save(2, 5, files_of(5))
    folder.save(1, 9, files_of(9))
    assert newest(folder) == (taken_over, files_of(5))


def test_a_late_worker_does_not_touch_its_successors_files(folder: CheckpointFolder) -> None:
    """Two claims that save the same evaluation write to folders of their own."""
    ours = folder.save(2, 9, files_of(9))
    theirs = folder.save(1, 9, files_of(1))
    assert ours != theirs
    assert newest(folder) == (ours, files_of(9))


@pytest.mark.parametrize("file", ["state.pt", "best.pt", MANIFEST])
@pytest.mark.parametrize("damage", ["missing", "truncated", "empty", "changed"])
def test_a_damaged_checkpoint_falls_back_to_the_one_before(
    folder: CheckpointFolder, tmp_path: Path, file: str, damage: str
) -> None:
    """A file that is missing, cut or changed makes its checkpoint none; the one before is loaded."""
    before = folder.save(1, 4, files_of(4))
    name = folder.save(1, 5, files_of(5))
    path = tmp_path / "study" / "ratio0.5-depth3-seed0" / "1" / name / file
    content = path.read_bytes()
    if damage == "missing":
        path.unlink()
    else:
        path.write_bytes({"truncated": content[:-3], "empty": b"", "changed": b"\xff" + content[1:]}[damage])
    assert newest(folder) == (before, files_of(4))


def test_no_part_of_a_manifest_is_taken_for_the_whole(folder: CheckpointFolder, tmp_path: Path) -> None:
    """Wherever the writing of a manifest broke off, the checkpoint is none, and the next save mends it."""
    name = folder.save(1, 1, FILES)
    path = tmp_path / "study" / "ratio0.5-depth3-seed0" / "1" / name / MANIFEST
    manifest = path.read_bytes()
    for length in range(len(manifest)):
        path.write_bytes(manifest[:length])
        assert newest(folder) is None
    folder.save(1, 1, FILES)
    assert newest(folder) == (name, FILES)


def test_the_same_evaluation_may_be_saved_again(folder: CheckpointFolder) -> None:
    """A repeated save replaces the files."""
    folder.save(1, 1, files_of(1))
    name = folder.save(1, 1, files_of(2))
    assert newest(folder) == (name, files_of(2))


def test_closing_keeps_the_best_weights_only(folder: CheckpointFolder, tmp_path: Path) -> None:
    """Of a closed cell the best weights stay, under a manifest that fits."""
    for evaluation in (1, 2, 3):
        name = folder.save(1, evaluation, files_of(evaluation))
    folder.close("best")
    assert newest(folder) == (name, {"best.pt": files_of(3)["best.pt"]})
    left = {path.name for path in tmp_path.rglob("*") if path.is_file()}
    assert left == {"best.pt", MANIFEST}
    folder.close("best")
    assert newest(folder) == (name, {"best.pt": files_of(3)["best.pt"]})


def test_closing_keeps_the_best_weights_of_the_newest_whole_checkpoint(
    folder: CheckpointFolder, tmp_path: Path
) -> None:
    """A broken newest checkpoint is not kept in place of the whole one before it, which was the one tested."""
    before = folder.save(1, 4, files_of(4))
    broken = folder.save(1, 5, files_of(5))
    (tmp_path / "study" / "ratio0.5-depth3-seed0" / "1" / broken / MANIFEST).unlink()
    folder.close("best")
    assert newest(folder) == (before, {"best.pt": files_of(4)["best.pt"]})


def test_closing_may_keep_nothing_or_all(folder: CheckpointFolder) -> None:
    """`all` leaves the last two as they are; `none` leaves no file."""
    names = [folder.save(1, evaluation, files_of(evaluation)) for evaluation in (1, 2)]
    folder.close("all")
    assert folder.names() == names
    folder.close("none")
    assert folder.names() == []
    assert newest(folder) is None


def test_attempts_and_cells_do_not_share_a_folder(tmp_path: Path) -> None:
    """A retry starts without the checkpoints of the attempt before."""
    root = f"{tmp_path}/"
    CheckpointFolder.of(root, "study", "cell", 1).save(1, 1, FILES)
    assert CheckpointFolder.of(root, "study", "cell", 2).load_newest().name is None
    assert CheckpointFolder.of(root, "study", "cel", 1).load_newest().name is None
    assert CheckpointFolder.of(root, "study", "cell", 1).load_newest().name is not None


def test_a_late_worker_writes_no_file(folder: CheckpointFolder, tmp_path: Path) -> None:
    """Once a later claim works on the cell, an earlier one neither saves nor begins, after closing neither."""
    folder.begin(1)
    folder.save(1, 1, files_of(1))
    folder.begin(2)
    folder.save(2, 2, files_of(2))
    for keep in ("all", "best", "none"):
        folder.close(keep)
        before = sorted(path for path in tmp_path.rglob("*") if path.is_file())
        with pytest.raises(LostLease, match=r"claim 2 works on .* by now; claim 1 writes no more"):
            folder.save(1, 3, files_of(3))
        with pytest.raises(LostLease):
            folder.begin(1)
        assert sorted(path for path in tmp_path.rglob("*") if path.is_file()) == before
    assert folder.names() == []


def test_a_claim_may_begin_again(folder: CheckpointFolder) -> None:
    """A worker that starts anew under the same claim goes on; one mark is left."""
    for claim in (1, 2, 2):
        folder.begin(claim)
    assert folder._claims() == [2]


def test_a_damaged_checkpoint_is_told(folder: CheckpointFolder, tmp_path: Path) -> None:
    """The note names what is damaged and what was taken instead; without damage there is none."""
    before = folder.save(1, 4, files_of(4))
    assert folder.load_newest().note is None
    newest = folder.save(1, 5, files_of(5))
    (tmp_path / "study" / "ratio0.5-depth3-seed0" / "1" / newest / "state.pt").write_bytes(b"")
    loaded = folder.load_newest()
    assert (loaded.note, loaded.evaluation) == (f"damaged checkpoint {newest}: went on from {before}", 5)
    (tmp_path / "study" / "ratio0.5-depth3-seed0" / "1" / before / "state.pt").write_bytes(b"")
    assert folder.load_newest().note == f"damaged checkpoint {newest}, {before}: began anew"


FULL_DISK = """
import resource, sys
from storage.files.checkpoints import CheckpointFolder
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
try:
    CheckpointFolder(sys.argv[1]).save(1, 2, {"state.pt": b"x" * 500, "best.pt": b"x" * 5000})
except OSError as error:
    print(error.errno)
"""


def test_a_full_disk_leaves_the_checkpoint_before(folder: CheckpointFolder) -> None:
    """The system refuses to write on: the error is passed on, nothing of the new one stays, the old one is whole."""
    before = folder.save(1, 1, files_of(1))
    done = subprocess.run([sys.executable, "-c", FULL_DISK, folder.url], capture_output=True, text=True, check=True)
    assert int(done.stdout) == errno.EFBIG
    assert folder.names() == [before]
    assert newest(folder) == (before, files_of(1))
