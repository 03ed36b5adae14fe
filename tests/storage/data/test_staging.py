"""A dataset in the making: resumed, locked, published."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from storage.data import staging as module
from storage.data.staging import StagedDataset, file_of, hold_staged, map_cases
from storage.errors import DataError

if TYPE_CHECKING:
    from pathlib import Path

SPAWN = multiprocessing.get_context("spawn")


def arrays(value: int, side: int = 3) -> dict[str, Any]:
    """Two kinds of arrays, of a size of their own."""
    return {
        "images": np.full((2, side), value, np.float16),
        "masks": np.full((side,), value % 2, np.uint8),
    }


def fill(staged: StagedDataset, cases: range) -> None:
    """Add cases of one, two, three, ... columns."""
    for case in cases:
        staged.add(f"case{case}", arrays(case, case + 1), {"case": case})


def leave(folder: Path, error: BaseException, cases: int, *, derive: bool = False) -> None:
    """Add what a staged dataset lacks of so many cases, and fail."""

    def work() -> None:
        with hold_staged(folder) as staged:
            fill(staged, range(len(staged.records), cases))
            if derive:
                staged.derive("images", "doubled", lambda image: 2 * image)
            raise error

    with pytest.raises(type(error)):
        work()


def test_what_was_added_comes_back(tmp_path: Path) -> None:
    """By kind, case by case, each of its own shape; views of one memory map."""
    with hold_staged(tmp_path / "a.draft") as staged:
        fill(staged, range(3))
        staged.publish(tmp_path / "a", {"fingerprint": "f"}, ("images", "masks"))
        images = map_cases(tmp_path / "a", "images", staged.records)
    assert [image.shape for image in images] == [(2, 1), (2, 2), (2, 3)]
    assert [image.dtype for image in images] == [np.float16] * 3
    assert images[2].tolist() == [[2, 2, 2], [2, 2, 2]]
    assert len({id(image.base.base) for image in images}) == 1
    assert sorted(path.name for path in (tmp_path / "a").iterdir()) == ["dataset.json", "images.bin", "masks.bin"]
    assert list(tmp_path.iterdir()) == [tmp_path / "a"]


@pytest.mark.parametrize("spoil", ["nothing", "half a case", "half a line", "a kind"])
def test_a_staged_dataset_goes_on_behind_its_journal(tmp_path: Path, spoil: str) -> None:
    """Whatever a kill left behind the last line is cut off."""
    folder = tmp_path / "a.draft"
    leave(folder, KeyboardInterrupt(), 2)
    if spoil == "half a case":
        with file_of(folder, "images").open("ab") as file:
            file.write(b"xyz")
    if spoil == "half a line":
        with (folder / "journal.jsonl").open("a") as file:
            file.write('{"name": "case2", "arr')
    with hold_staged(folder) as staged:
        assert [record["name"] for record in staged.records] == ["case0", "case1"]
        fill(staged, range(2, 4))
        staged.publish(tmp_path / "a", {}, ("images",) if spoil == "a kind" else ("images", "masks"))
    images = map_cases(tmp_path / "a", "images", staged.records)
    assert [image.tolist() for image in images] == [np.full((2, n + 1), n).tolist() for n in range(4)]
    assert (tmp_path / "a" / "masks.bin").exists() == (spoil != "a kind")


def test_a_bad_dataset_leaves_nothing_staged(tmp_path: Path) -> None:
    """Its cases change when it is mended."""
    leave(tmp_path / "a.draft", DataError("mend it"), 2)
    assert list(tmp_path.iterdir()) == []


def test_a_kind_is_derived_from_another(tmp_path: Path) -> None:
    """Case by case; the first is not published, and one taken up again derives anew."""
    for _ in range(2):
        leave(tmp_path / "a.draft", KeyboardInterrupt(), 3, derive=True)
    with hold_staged(tmp_path / "a.draft") as staged:
        staged.derive("images", "doubled", lambda image: 2 * image)
        staged.publish(tmp_path / "a", {}, ("doubled",))
    assert [array.max() for array in map_cases(tmp_path / "a", "doubled", staged.records)] == [0, 2, 4]
    assert sorted(path.name for path in (tmp_path / "a").iterdir()) == ["dataset.json", "doubled.bin"]


def make(target: Path, log: Path, cases: int, pause: float) -> None:
    """What a driver does: wait for its turn, look whether the work is done, else do what is left of it."""
    module.SECONDS_BETWEEN_NOTES = 0
    with hold_staged(target.with_suffix(".draft")) as staged:
        if (target / "dataset.json").exists():
            return
        for case in range(len(staged.records), cases):
            time.sleep(pause)
            with log.open("a") as file:
                file.write(f"{case}\n")
            fill(staged, range(case, case + 1))
        staged.publish(target, {}, ("images", "masks"))


def test_two_drivers_do_the_work_once(tmp_path: Path) -> None:
    """Four processes at once: every case is made once, and all find the dataset."""
    target, log = tmp_path / "a", tmp_path / "log"
    drivers = [SPAWN.Process(target=make, args=(target, log, 5, 0.02)) for _ in range(4)]
    for driver in drivers:
        driver.start()
    for driver in drivers:
        driver.join()
    assert [driver.exitcode for driver in drivers] == [0] * 4
    assert log.read_text().split() == ["0", "1", "2", "3", "4"]
    assert sorted(tmp_path.iterdir()) == [target, log]


def test_a_killed_driver_s_work_is_taken_over(tmp_path: Path) -> None:
    """SIGKILL in the middle: its lock goes with it, and the next goes on where the journal ends."""
    target, log = tmp_path / "a", tmp_path / "log"
    victim = SPAWN.Process(target=make, args=(target, log, 1000, 0.02))
    victim.start()
    while not log.exists() or len(log.read_text().split()) < 5:
        time.sleep(0.01)
    assert victim.pid is not None
    os.kill(victim.pid, signal.SIGKILL)
    victim.join()
    done = [int(case) for case in log.read_text().split()]
    make(target, log, len(done) + 3, 0)
    made = [int(case) for case in log.read_text().split()][len(done) :]
    assert made[0] in {done[-1], done[-1] + 1}
    with hold_staged(tmp_path / "b.draft") as staged:
        fill(staged, range(len(done) + 3))
        staged.publish(tmp_path / "b", {}, ("images", "masks"))
    for name in ("images.bin", "masks.bin", "dataset.json"):
        assert (target / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_where_there_are_no_locks_staged_datasets_are_private(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two drivers then do the work twice, and the first wins."""

    def refuse(*_: object) -> None:
        raise OSError(37, "No locks available")

    monkeypatch.setattr("fcntl.flock", refuse)
    with hold_staged(tmp_path / "a.draft") as one, hold_staged(tmp_path / "a.draft") as other:
        assert one.folder != other.folder
        for staged in (one, other):
            fill(staged, range(2))
            staged.publish(tmp_path / "a", {}, ("images", "masks"))
    assert len(map_cases(tmp_path / "a", "images", one.records)) == 2
    assert not [path for path in tmp_path.iterdir() if path.name.startswith("a.draft-")]
