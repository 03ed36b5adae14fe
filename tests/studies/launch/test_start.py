"""Starting a study, and taking it up again."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import sqlalchemy as sa
from PIL import Image

from storage.database.tables import spec_changes
from storage.errors import DataError, InputError, StorageError
from storage.ledger.ledger import Ledger
from studies.launch.identity import changed_identity
from studies.launch.start import prepare_study
from studies.spec import StudySpec, parse_spec

if TYPE_CHECKING:
    from pathlib import Path

    from storage.records import StudyRecord

IDENTITY = {
    "data": {"kind": "phantom", "split": [0.7, 0.1, 0.2]},
    "grid": {"ratio": [0.1, 1.0], "depth": [3], "seed": [0]},
    "training": {"size": 32, "budget": 900},
}


def small(**changes: dict[str, Any] | Any) -> StudySpec:
    """A study of drawn images with four cells; a section is changed key by key."""
    values: dict[str, Any] = {
        "name": "small",
        "data": {"kind": "phantom", "phantom_cases": 20},
        "grid": {"ratio": [0.5, 1.0], "depth": [2, 3]},
        "training": {"size": 16, "budget": 6, "evaluations": 3, "channels": 2},
    }
    for key, value in changes.items():
        values[key] = values.get(key, {}) | value if isinstance(value, dict) else value
    return parse_spec(values, source="test")


def start(spec: StudySpec, storage_url: str) -> tuple[StudyRecord, int, list[str]]:
    """Prepare a study: its record, how many cells were added, and the keys of all."""
    prepared = prepare_study(spec, storage_url, wait_for_others=True)
    with prepared.ledger as ledger:
        study = ledger.find_study(spec.name)
        assert study is not None
        return study, prepared.added, [cell.plan.key for cell in ledger.cells(study.study_id)]


def changes_of(storage_url: str) -> list[dict[str, Any]]:
    """What was recorded as changed, oldest first."""
    with Ledger.open(storage_url) as ledger, ledger.engine.connect() as connection:
        return list(connection.execute(sa.select(spec_changes.c.changes).order_by(spec_changes.c.id)).scalars())


@pytest.mark.parametrize(
    ("section", "field", "now", "line"),
    [
        ("grid", "ratio", [0.1, 0.5, 1.0], None),
        ("grid", "ratio", [1.0, 0.1], None),  # the order does not matter
        ("grid", "seed", [0, 1], None),
        ("grid", "ratio", [0.1], "grid.ratio: was [0.1, 1.0], now [0.1]"),
        ("grid", "ratio", [0.2, 1.0], "grid.ratio: was [0.1, 1.0], now [0.2, 1.0]"),
        ("grid", "depth", [4], "grid.depth: was [3], now [4]"),
        ("training", "size", 64, "training.size: was 32, now 64"),
        ("training", "loss", "dice", "training.loss: was None, now dice"),
        ("data", "kind", "folder", "data.kind: was phantom, now folder"),
        ("data", "split", [0.7, 0.2, 0.1], "data.split: was [0.7, 0.1, 0.2], now [0.7, 0.2, 0.1]"),
    ],
)
def test_changed_identity_lists_what_differs(section: str, field: str, now: object, line: str | None) -> None:
    """Axes may gain values; everything else that changed is a line with old and new."""
    new: Any = copy.deepcopy(IDENTITY)
    new[section][field] = now
    assert changed_identity(IDENTITY, new) == ([] if line is None else [line])


def test_an_axis_may_be_added_and_never_dropped() -> None:
    """The protocol's own variant keeps its cells; the values of an axis that was used must stay."""
    axes = copy.deepcopy(IDENTITY)
    axes["grid"]["loss"] = ["bce", "dice_ce"]
    assert changed_identity(IDENTITY, axes) == []
    assert changed_identity(axes, IDENTITY) == ["grid.loss: was ['bce', 'dice_ce'], now None"]


def test_an_unchanged_identity_has_no_changes() -> None:
    """Nor has one that lost a field, unnoticed."""
    assert changed_identity(IDENTITY, copy.deepcopy(IDENTITY)) == []
    lost: Any = copy.deepcopy(IDENTITY)
    del lost["training"]["budget"]
    assert changed_identity(IDENTITY, lost) == ["training.budget: was 900, now None"]


def test_a_first_start_lays_out_the_grid(storage_url: str) -> None:
    """The ledger holds the spec, the split by name, D0, and every cell from cheap to dear."""
    spec = small()
    study, added, keys = start(spec, storage_url)
    assert added == 4
    assert keys == [f"ratio{ratio}-depth{depth}-seed0" for ratio in ("0.5", "1") for depth in (2, 3)]
    assert (study.identity, study.running) == (spec.identity(), spec.running())
    assert {part: len(names) for part, names in study.split.items()} == {"train": 14, "validation": 2, "test": 4}
    assert 0 < study.facts["d0"] < 1
    assert study.facts["channels"] == 1
    assert changes_of(storage_url) == []


def test_the_same_start_changes_nothing(storage_url: str) -> None:
    """A resume is the same call."""
    first = start(small(), storage_url)
    study, added, keys = start(small(), storage_url)
    assert added == 0
    assert (study, keys) == (first[0], first[2])
    assert changes_of(storage_url) == []


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"training": {"learning_rate": 0.5}}, "training.learning_rate: was 0.001, now 0.5"),
        ({"training": {"budget": 9}}, "training.budget: was 6, now 9"),
        ({"data": {"split_seed": 1}}, "data.split_seed: was 0, now 1"),
        ({"data": {"phantom_cases": 30}}, "data.phantom_cases: was 20, now 30"),
        ({"grid": {"ratio": [1.0]}}, r"grid.ratio: was \[0.5, 1.0\], now \[1.0\]"),
        ({"grid": {"depth": [3]}}, r"grid.depth: was \[2, 3\], now \[3\]"),
    ],
)
def test_a_changed_identity_is_refused(storage_url: str, changes: dict[str, Any], message: str) -> None:
    """Old and new are shown with the remedy, and the study stays as it was."""
    before = start(small(), storage_url)
    with pytest.raises(StorageError, match=rf"(?s)study 'small' exists.*{message}.*start another study with --name"):
        prepare_study(small(**changes), storage_url, wait_for_others=True)
    assert start(small(), storage_url) == (before[0], 0, before[2])
    assert changes_of(storage_url) == []


@pytest.mark.parametrize(
    ("changes", "recorded"),
    [
        ({"tolerance": 0.05}, {"tolerance": {"was": 0.01, "now": 0.05}}),
        ({"policy": "forecast"}, {"policy": {"was": "grid", "now": "forecast"}}),
        ({"prices": {"case": 9.0}}, {"prices"}),
        ({"resources": {"cpus_per_trial": 2}}, {"resources"}),
        ({"stop": {"risk": 0.2}, "gpu_hours": 3.0}, {"stop", "gpu_hours"}),
    ],
)
def test_how_a_study_is_run_may_change(storage_url: str, changes: dict[str, Any], recorded: Any) -> None:
    """The change is recorded with old and new, once, and holds from now on."""
    start(small(), storage_url)
    for _ in range(2):
        study, added, _ = start(small(**changes), storage_url)
    assert added == 0
    assert study.running == small(**changes).running()
    (noted,) = changes_of(storage_url)
    assert noted.keys() == set(recorded)
    assert all(change["was"] != change["now"] for change in noted.values())
    if isinstance(recorded, dict):
        assert noted == recorded


def test_a_grown_grid_adds_its_cells(storage_url: str) -> None:
    """New values of any axis add cells; those that are there stay, and the growth is recorded."""
    _, _, keys = start(small(), storage_url)
    study, added, grown = start(small(grid={"ratio": [0.25, 0.5, 1.0], "seed": [0, 1]}), storage_url)
    assert added == 8
    assert grown[:4] == keys
    assert len(set(grown)) == 12
    assert study.identity["grid"] == {"ratio": [0.25, 0.5, 1.0], "depth": [2, 3], "seed": [0, 1]}
    (noted,) = changes_of(storage_url)
    assert noted.keys() == {"grid"}
    with pytest.raises(StorageError, match=r"grid.ratio: was \[0.25, 0.5, 1.0\], now \[0.5, 1.0\]"):
        prepare_study(small(), storage_url, wait_for_others=True)


def write_folder(folder: Path, cases: int = 12) -> None:
    """Cases of one bright pixel row each."""
    for kind in ("images", "masks"):
        (folder / kind).mkdir(parents=True)
    for index in range(cases):
        mask = np.zeros((16, 16), dtype=np.uint8)
        mask[index] = 255
        Image.fromarray(np.full((16, 16, 3), index, dtype=np.uint8)).save(folder / "images" / f"{index:02d}.png")
        Image.fromarray(mask).save(folder / "masks" / f"{index:02d}.png")


def test_data_may_move_but_not_change(storage_url: str, tmp_path: Path) -> None:
    """The folder's path is no matter; one other pixel is another study, and nothing is recorded of the attempt."""
    write_folder(tmp_path / "one")
    spec = small(data={"kind": "folder", "path": str(tmp_path / "one")})
    start(spec, storage_url)
    (tmp_path / "one").rename(tmp_path / "two")
    moved = small(data={"kind": "folder", "path": str(tmp_path / "two")})
    before, added, _ = start(moved, storage_url)
    assert added == 0
    assert [noted.keys() for noted in changes_of(storage_url)] == [{"data_path"}]

    Image.fromarray(np.full((16, 16, 3), 99, dtype=np.uint8)).save(tmp_path / "two" / "images" / "03.png")
    with pytest.raises(StorageError, match="the data differ from those that study 'small' began with"):
        prepare_study(moved, storage_url, wait_for_others=True)
    with Ledger.open(storage_url) as ledger:
        assert ledger.find_study("small") == before


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"grid": {"ratio": [0.5, 0.51]}}, InputError, "ratios 0.5 and 0.51 of 14 training cases are both 7 cases"),
        ({"grid": {"ratio": [0.01]}}, InputError, "ratio 0.01 of 14 training cases is no case"),
        ({"data": {"together": [["phantom-0001", "nobody"]]}}, DataError, "together names 'nobody'"),
        ({"data": {"kind": "folder", "path": "/no/such/folder"}}, DataError, "no folder images/ in /no/such/folder"),
        ({"data": {"split": [0.96, 0.02, 0.02]}}, DataError, "leave test empty"),
    ],
)
def test_what_cannot_work_is_refused_before_a_study_is_made(
    storage_url: str, tmp_path: Path, changes: dict[str, Any], error: type[InputError], message: str
) -> None:
    """No database appears for a spec that does not fit its data."""
    with pytest.raises(error, match=message):
        prepare_study(small(**changes), storage_url, wait_for_others=True)
    assert list(tmp_path.glob("*.db*")) == []


def test_a_full_disk_is_seen_before(storage_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Checkpoints that will not fit are refused with both numbers."""

    class Full:
        free = 10

    monkeypatch.setattr("shutil.disk_usage", lambda _place: Full())
    with pytest.raises(InputError, match=r"checkpoints will need .* GB in .*, where 0\.0 GB are free"):
        prepare_study(small(), storage_url, wait_for_others=True)
    assert list(tmp_path.glob("*.db*")) == []


def test_two_studies_share_a_database_and_its_prepared_data(storage_url: str, tmp_path: Path) -> None:
    """Another name is another study; the arrays are not made twice."""
    start(small(), storage_url)
    _, added, _ = start(small(name="other", training={"budget": 9}), storage_url)
    assert added == 4
    with Ledger.open(storage_url) as ledger:
        assert ledger.study_names() == ["small", "other"]
    assert len(list((tmp_path / "dicecurve-files" / "cache").iterdir())) == 1
