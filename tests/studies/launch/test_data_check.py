"""What `dicecurve prepare` tells about data before any training."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image

from storage.errors import InputError, StorageError
from studies.__main__ import main
from studies.commands.arguments import BAD_INPUT, OK
from studies.launch.data import prepare_data
from studies.launch.data_check import data_overview, data_warning, near_duplicate_warning
from studies.launch.start import prepare_study
from studies.report.text.data_check import render_overview
from studies.spec import StudySpec, parse_spec
from tests.helpers.volume_makers import save, scan, write_brats, write_pairs

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray


def picture(seed: int, height: int, width: int) -> NDArray[np.uint8]:
    """A smooth picture, another one for every seed."""
    coarse = np.random.default_rng(seed).integers(0, 256, (4, 4, 3), dtype=np.uint8)
    return np.asarray(Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Twenty cases of ten patients; one mask is empty, one has a single pixel, and p0_a and p9_a are one picture."""
    root = tmp_path / "data"
    for kind in ("images", "masks"):
        (root / kind).mkdir(parents=True)
    for index in range(20):
        height, width = (64, 48) if index < 15 else (32, 80)
        name = f"p{index % 10}_{'ab'[index // 10]}"
        mask = np.zeros((height, width), dtype=np.uint8)
        mask[: height // 4] = 255
        if index in {3, 4}:
            mask[:] = 0
        if index == 4:
            mask[20, 20] = 255
        image = picture(0 if index == 9 else index, height, width)
        Image.fromarray(image).save(root / "images" / f"{name}.png")
        Image.fromarray(mask).save(root / "masks" / f"{name}.png")
    return root


@pytest.fixture(autouse=True)
def at_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty current folder, and no database from the environment."""
    (tmp_path / "home").mkdir()
    monkeypatch.chdir(tmp_path / "home")
    monkeypatch.delenv("DICECURVE_STORAGE", raising=False)


def spec_of(folder: Path, **data: Any) -> StudySpec:
    """A small study of a folder."""
    return parse_spec(
        {
            "name": "small",
            "data": {"path": str(folder), **data},
            "grid": {"ratio": [1.0], "depth": [2]},
            "training": {"size": 16, "budget": 6, "evaluations": 3, "channels": 2},
        },
        source="test",
    )


def parted(folder: Path, storage_url: str) -> StudySpec:
    """A study whose split parts the two copies."""
    for seed in range(100):
        spec = spec_of(folder, split_seed=seed)
        split = prepare_data(spec, storage_url).split
        if sum({"p0_a", "p9_a"} <= set(names) for names in split.values()) == 0:
            return spec
    raise AssertionError


def test_everything_worth_knowing_is_told(folder: Path, storage_url: str) -> None:
    """Cases, groups, split, foreground, sizes, empty masks, those lost by resizing, near-duplicates, and the cache."""
    prepared = prepare_data(spec_of(folder, group_pattern=r"^(p\d+)_"), storage_url)
    seen = data_overview(prepared)
    assert (seen["cases"], seen["groups"], seen["groups_of_several"], seen["largest_group"]) == (20, 10, 10, 2)
    assert seen["split"] == {"train": 14, "validation": 2, "test": 4}
    share = (18 * 0.25 + 1 / (64 * 48)) / 20
    assert seen["foreground"] == pytest.approx({"mean": share, "min": 0, "max": 0.25})
    assert seen["image_sizes"] == [{"shape": [64, 48], "cases": 15}, {"shape": [32, 80], "cases": 5}]
    assert (seen["empty_masks"], seen["masks_lost_by_resizing"]) == (["p3_a"], ["p4_a"])
    (pair,) = seen["near_duplicates"]
    assert (pair["first"], pair["second"], pair["similarity"], pair["one_group"]) == ("p0_a", "p9_a", 1.0, False)
    files = list(prepared.dataset.folder.iterdir())
    assert seen["cache"] == {"folder": str(prepared.dataset.folder), "bytes": sum(f.stat().st_size for f in files)}
    assert seen["cache"]["bytes"] > 20 * 4 * 16 * 16


def test_the_warning_names_pairs_and_remedy(folder: Path, storage_url: str) -> None:
    """The remedy, copied into [data], ends the warning."""
    spec = parted(folder, storage_url)
    warning = near_duplicate_warning(prepare_data(spec, storage_url))
    assert warning is not None
    assert "p0_a and p9_a (similarity 1.000)" in warning
    assert '  together = [\n    ["p0_a", "p9_a"],\n  ]' in warning
    assert max(map(len, warning.splitlines())) <= 80
    mended = spec_of(folder, split_seed=spec.data.split_seed, together=[["p0_a", "p9_a"]])
    assert near_duplicate_warning(prepare_data(mended, storage_url)) is None


def test_pairs_that_share_a_case_become_one_entry(folder: Path, storage_url: str) -> None:
    """Twelve copies are one entry of twelve; many pairs are cut short, with the way to all of them."""
    for name in [f"p{index}_b" for index in range(10)]:
        (folder / "images" / f"{name}.png").write_bytes((folder / "images" / "p0_a.png").read_bytes())
        (folder / "masks" / f"{name}.png").write_bytes((folder / "masks" / "p0_a.png").read_bytes())
    warning = near_duplicate_warning(prepare_data(spec_of(folder), storage_url))
    assert warning is not None
    copies = ["p0_a", *(f"p{index}_b" for index in range(9)), "p9_a", "p9_b"]
    assert f"  together = [\n    {json.dumps(copies)},\n  ]" in warning
    assert warning.count("similarity") == 10
    assert "more (`dicecurve prepare --json` has all)" in warning


def test_prepare_shows_it_and_makes_no_database(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Text for a person within 80 columns but for paths, JSON for a program; the cache is where `run` looks for it."""
    arguments = ["prepare", "--data", str(folder), "--set", "training.size=16", "--set", "grid.depth=[2]"]
    assert main(arguments) == OK
    out, err = capsys.readouterr()
    assert err == ""
    assert "20, each of one case" in out
    assert "14 train, 2 validation, 4 test" in out
    assert "2 from 80x32 to 48x64; all resized to 16x16" in out
    assert "empty masks      1: p3_a" in out
    assert "lost at 16x16    1: p4_a" in out
    assert all(len(line) <= 80 for line in out.splitlines() if str(tmp_path) not in line)

    assert main([*arguments, "--json"]) == OK
    seen = json.loads(capsys.readouterr().out)
    assert seen["cache"]["folder"].startswith(str(tmp_path / "home" / "dicecurve-files" / "cache"))
    assert [path.name for path in (tmp_path / "home").iterdir()] == ["dicecurve-files"]


def test_prepare_goes_where_the_storage_is(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`run` with the same storage finds the cache, and makes no other."""
    (tmp_path / "elsewhere").mkdir()
    storage = f"sqlite:///{tmp_path / 'elsewhere' / 'study.db'}"
    arguments = ["--data", str(folder), "--set", "training.size=16", "--set", "grid.depth=[2]", "--storage", storage]
    assert main(["prepare", *arguments, "--json"]) == OK
    made = json.loads(capsys.readouterr().out)["cache"]["folder"]
    prepared = prepare_study(spec_of(folder), storage, wait_for_others=True)
    prepared.ledger.close()
    assert prepared.job.assignment.dataset_folder == made
    assert len(list((tmp_path / "elsewhere" / "dicecurve-files" / "cache").iterdir())) == 1


def test_all_that_is_wrong_is_found_in_one_pass(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Three bad files are three lines of one message."""
    (folder / "images" / "p1_a.png").write_bytes(b"")
    (folder / "masks" / "p2_a.png").unlink()
    (folder / "masks" / "p5_a.png").write_text("no image")
    assert main(["prepare", "--data", str(folder)]) == BAD_INPUT
    out, err = capsys.readouterr()
    assert out == ""
    assert "3 file(s)" in err
    assert all(name in err for name in ("p1_a.png", "p2_a.png", "p5_a.png"))


def test_a_new_study_is_warned_of_once(folder: Path, storage_url: str) -> None:
    """The first start tells of near-duplicates, a later one does not."""
    spec = parted(folder, storage_url)
    warnings = []
    for _ in range(2):
        prepared = prepare_study(spec, storage_url, wait_for_others=True)
        prepared.ledger.close()
        warnings.append(prepared.warning)
    assert warnings[0] is not None
    assert "p0_a and p9_a" in warnings[0]
    assert warnings[1] is None


def test_empty_masks_are_told_of(folder: Path, storage_url: str) -> None:
    """What they do to a score, and their names; a study without any is told nothing."""
    prepared = prepare_data(spec_of(folder), storage_url)
    warning = data_warning(prepared)
    assert warning is not None
    assert "1 case has no foreground" in warning
    assert warning.endswith("\n  p3_a")
    assert max(map(len, warning.splitlines())) <= 80
    for name in ("p0_a", "p3_a"):
        for kind in ("images", "masks"):
            (folder / kind / f"{name}.png").unlink()
    assert data_warning(prepare_data(spec_of(folder), storage_url)) is None


@pytest.mark.parametrize("change", ["regroup", "forget"])
def test_changed_groups_are_refused(folder: Path, storage_url: str, change: str) -> None:
    """A groups file that says something else names one case; the study stays as it was, and the old file works."""
    names = sorted(path.stem for path in (folder / "images").iterdir())
    lines = {name: name.partition("_")[0] for name in names}

    def write(groups: dict[str, str]) -> None:
        rows = [f"{case},{group}" for case, group in groups.items()]
        (folder / "groups.csv").write_text("\n".join(["case,group", *rows]) + "\n")

    def start() -> None:
        prepare_study(spec_of(folder, groups="groups.csv"), storage_url, wait_for_others=True).ledger.close()

    write(lines)
    start()
    if change == "regroup":
        write(lines | {"p1_b": "p2"})
        message = "'p1_b' stood with p1_a, and now with p2_a, p2_b; bring the old groups back"
    else:
        write({case: group for case, group in lines.items() if case != "p1_b"})
        message = "p1_b: no line"
    with pytest.raises(InputError, match=message):
        start()
    write({case: f"renamed-{group}" for case, group in reversed(lines.items())})
    start()


def test_another_split_of_the_same_cases_is_refused(
    folder: Path, storage_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A version that draws splits otherwise does not mix its split with that of the study."""
    prepare_study(spec_of(folder), storage_url, wait_for_others=True).ledger.close()
    names = sorted(path.stem for path in (folder / "images").iterdir())
    other = {"train": names[:14], "validation": names[14:16], "test": names[16:]}
    monkeypatch.setattr("studies.launch.data.split_cases", lambda *_: other)
    with pytest.raises(StorageError, match=r"the split differs .* case 'p\d_.' was in \w+, and now is in \w+"):
        prepare_study(spec_of(folder), storage_url, wait_for_others=True)


def volumes_spec(folder: Path, **data: Any) -> StudySpec:
    """A small study of volumes."""
    return parse_spec(
        {
            "name": "small",
            "data": {"kind": "volumes", "path": str(folder), "split": [0.5, 0.25, 0.25], **data},
            "grid": {"ratio": [1.0], "depth": [2]},
            "training": {"patch": [16, 16, 16], "budget": 6, "evaluations": 3, "channels": 2},
        },
        source="test",
    )


def test_volumes_are_looked_over_too(tmp_path: Path, storage_url: str) -> None:
    """Sizes in voxels and mm, empty masks, what resampling lost, and near-duplicates."""
    folder = write_pairs(tmp_path / "volumes", 8)
    save(folder / "masks" / "case3.nii.gz", np.zeros((24, 20, 16), np.uint8))
    dot = np.zeros((24, 20, 16), np.uint8)
    dot[10, 10, 10] = 1
    save(folder / "masks" / "case4.nii.gz", dot)
    save(folder / "images" / "case7.nii.gz", scan(1))
    mirrored = np.diag([-1.0, 1.0, 1.0, 1.0])
    mirrored[0, 3] = 23
    save(folder / "images" / "case5.nii.gz", scan(5)[::-1], mirrored)
    seen = data_overview(prepare_data(volumes_spec(folder, spacing=[2, 2, 2]), storage_url))
    assert (seen["dimensions"], seen["channels"]) == (3, 1)
    assert seen["image_sizes"] == [{"shape": [24, 20, 16], "cases": 8}]
    assert seen["spacings"] == [{"mm": [1.0, 1.0, 1.0], "cases": 8}]
    assert seen["orientations"] == [{"axes": "RAS", "cases": 7}, {"axes": "LAS", "cases": 1}]
    assert seen["prepared_sizes"] == [{"shape": [9, 8, 6], "cases": 8}]
    assert (seen["empty_masks"], seen["masks_lost_by_resizing"]) == (["case3"], ["case4"])
    assert [(pair["first"], pair["second"]) for pair in seen["near_duplicates"]] == [("case1", "case7")]
    text = render_overview("small", seen)
    assert "volume sizes     24x20x16 voxels" in text
    assert "voxel sizes      1 x 1 x 1 mm" in text
    assert "orientation      RAS (7), LAS (1); scored and kept in RAS" in text
    assert "kept             9x8x6 voxels" in text
    assert "masks lost       1: case4" in text
    json.dumps(seen)


def test_a_preset_reads_its_layout(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`prepare brats2020` on a folder in BraTS 2020's layout; what is missing is told with exit code 2."""
    folder = write_brats(tmp_path / "brats", 10)
    assert main(["prepare", "brats2020", "--data", str(folder)]) == OK
    out = capsys.readouterr().out
    assert "split            7 train, 1 validation, 2 test" in out
    assert "modalities       4" in out
    assert "volume sizes     24x20x16 voxels" in out
    assert "kept             18x16x13 voxels" in out
    assert all(len(line) <= 80 for line in out.splitlines() if str(tmp_path) not in line)
    (folder / "BraTS20_Training_004" / "BraTS20_Training_004_flair.nii.gz").unlink()
    assert main(["prepare", "brats2020", "--data", str(folder)]) == BAD_INPUT
    assert "BraTS20_Training_004_flair.nii[.gz]: missing modality flair" in capsys.readouterr().err
