"""Volumes prepared as a whole: every kind through one door, in little memory, each problem named."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from storage.data.dataset import Dataset
from storage.data.groups import groups_of
from storage.data.near_duplicates import near_duplicates
from storage.data.prepare import channels_of, prepare
from storage.data.preprocessing.intensities import ct, ct_scale
from storage.data.spec import DataSpec
from storage.data.splits import split_cases
from storage.errors import DataError
from tests.helpers.volume_makers import lesion, save, scan, write_brats, write_pairs

if TYPE_CHECKING:
    from pathlib import Path

MM = np.diag([1.0, 1.0, 2.0, 1.0])


def spec_of(folder: Path, **changes: Any) -> DataSpec:
    """A spec of paired volumes."""
    return DataSpec.model_validate({"kind": "volumes", "path": str(folder)} | changes)


def test_every_case_keeps_its_shape(tmp_path: Path) -> None:
    """Lists of views of one map a kind, in the order of the names; facts tell what was before the crop."""
    folder = write_pairs(tmp_path / "data", 3)
    save(folder / "images" / "case1.nii.gz", scan(1, (30, 20, 18)))
    save(folder / "masks" / "case1.nii.gz", lesion((30, 20, 18)))
    made = prepare(spec_of(folder), None, tmp_path / "cache")
    dataset = Dataset.open(made.folder)
    assert (dataset, dataset.dimensions, dataset.channels) == (made, 3, channels_of(spec_of(folder)))
    assert [image.shape for image in dataset.images()] == [(1, 18, 16, 13), (1, 24, 16, 15), (1, 18, 16, 13)]
    assert [mask.shape for mask in dataset.masks()] == [(1, 18, 16, 13), (1, 24, 16, 15), (1, 18, 16, 13)]
    assert [fact.shape for fact in dataset.case_facts()] == [(24, 20, 16), (30, 20, 18), (24, 20, 16)]
    assert dataset.case_facts()[0].spacing == (1, 1, 1)
    assert dataset.case_facts()[0].foreground == pytest.approx(72 / (24 * 20 * 16))
    for mask, positions in zip(dataset.masks(), dataset.foreground(), strict=True):
        assert np.array_equal(positions, np.argwhere(mask[0]))
    assert not dataset.images()[0].flags.writeable


def test_a_ct_is_scaled_by_all_cases(tmp_path: Path) -> None:
    """Clipped at the 0.5 and 99.5 percentile of all foreground, less its mean, by its SD."""
    folder = write_pairs(tmp_path / "data", 3)
    dataset = prepare(spec_of(folder, modalities={"CT": ""}), None, tmp_path / "cache")
    inside = np.concatenate([scan(index)[lesion() == 1] for index in range(3)]).astype(np.float32)
    for index, image in enumerate(dataset.images()):
        expected = ct(scan(index)[3:-3, 2:-2, 2:-1].astype(np.float32), ct_scale(inside))
        assert image[0] == pytest.approx(expected, abs=2e-3)
        assert image.dtype == np.float16
    kept = {"images.bin", "masks.bin", "foreground.bin", "thumbnails.bin", "dataset.json"}
    assert {path.name for path in dataset.folder.iterdir()} == kept


def test_spacings_must_agree_or_be_asked_for(tmp_path: Path) -> None:
    """The message names the case, both spacings and the remedy, which works."""
    folder = write_pairs(tmp_path / "data", 4)
    save(folder / "images" / "case2.nii.gz", scan(2), MM)
    save(folder / "masks" / "case2.nii.gz", lesion(), MM)
    with pytest.raises(DataError) as caught:
        prepare(spec_of(folder), None, tmp_path / "cache")
    assert "\n  case2: voxels of 1 x 1 x 2 mm, others have 1 x 1 x 1 mm; set spacing = [1, 1, 1]" in str(caught.value)
    dataset = prepare(spec_of(folder, spacing=(1, 1, 1)), None, tmp_path / "cache")
    assert [image.shape[1:] for image in dataset.images()] == [(18, 16, 13)] * 2 + [(18, 16, 26)] + [(18, 16, 13)]
    assert 2 * dataset.masks()[0].sum() == dataset.masks()[2].sum()
    assert dataset.case_facts()[2].spacing == (1, 1, 2)


@pytest.mark.parametrize(
    "changes",
    [{"spacing": (2, 2, 2)}, {"intensities": "zscore_nonzero"}, {"foreground": (1, 2)}, {"modalities": {"ct": ""}}],
)
def test_what_changes_the_arrays_changes_their_place(tmp_path: Path, changes: dict[str, Any]) -> None:
    """Two specs never share arrays that differ; what does not matter is shared."""
    folder = write_pairs(tmp_path / "data")
    plain = prepare(spec_of(folder), None, tmp_path / "cache").folder
    assert prepare(spec_of(folder, **changes), None, tmp_path / "cache").folder != plain
    assert prepare(spec_of(folder, split_seed=3, background=(5,)), None, tmp_path / "cache").folder == plain


def test_empty_masks_are_kept_or_refused(tmp_path: Path) -> None:
    """Kept by default, refused on demand, and refused where there are no others."""
    folder = write_pairs(tmp_path / "data", 3)
    save(folder / "masks" / "case1.nii.gz", np.zeros((24, 20, 16), np.uint8))
    assert prepare(spec_of(folder), None, tmp_path / "cache").case_facts()[1].foreground == 0
    with pytest.raises(DataError, match=r"(?s)1 file\(s\).*case1: no foreground in its mask"):
        prepare(spec_of(folder, empty_masks="error"), None, tmp_path / "other")
    with pytest.raises(DataError, match=r"no case of .*data has foreground"):
        prepare(spec_of(folder, foreground=(2,), background=(1,)), None, tmp_path / "cache")


def test_all_that_is_wrong_is_found_in_one_pass(tmp_path: Path) -> None:
    """Every rule at once: a person mends a folder once. Nothing is left behind."""
    folder = write_pairs(tmp_path / "data", 10)
    images, masks = folder / "images", folder / "masks"
    (images / "case0.nii.gz").write_bytes((images / "case0.nii.gz").read_bytes()[:300])
    save(images / "case1.nii.gz", np.stack([scan(), scan()], axis=-1))
    save(images / "case2.nii.gz", np.where(scan() > 220, np.nan, scan()))
    save(masks / "case3.nii.gz", lesion((24, 20, 12)))
    save(masks / "case4.nii.gz", lesion(), np.diag([1.0, 1.0, 1.5, 1.0]))
    save(masks / "case5.nii.gz", lesion(labels=(1, 8)))
    save(masks / "case6.nii.gz", np.zeros((24, 20, 16), np.uint8))
    (masks / "case7.nii.gz").unlink()
    save(images / "case8.nii", scan())
    for kind, values in (("images", scan(9)), ("masks", lesion())):
        save(folder / kind / "case9.nii.gz", values, MM)
    with pytest.raises(DataError) as caught:
        prepare(spec_of(folder, empty_masks="error"), None, tmp_path / "cache")
    message = str(caught.value)
    assert message.startswith(f"10 file(s) in {folder} need mending or removing:\n")
    for line in (
        "images/case0.nii.gz: unreadable volume",
        "images/case1.nii.gz: 4D (24x20x16x2) where 3D is due",
        "voxels are NaN or infinite",
        "masks/case3.nii.gz: its shape is 24x20x12",
        "masks/case4.nii.gz: its affine puts a corner 8 mm",
        "masks/case5.nii.gz: label 8 is unknown",
        "case6: no foreground",
        "images/case7.nii.gz: image without mask",
        "images/case8.nii: another file in images/ has the same name",
        "case9: voxels of 1 x 1 x 2 mm",
    ):
        assert line in message
    assert not [path for path in (tmp_path / "cache").iterdir() if path.is_dir()]


def test_a_killed_preparation_goes_on(tmp_path: Path) -> None:
    """Ctrl-C after the second of four cases: the third is next, and the result is that of an undisturbed one."""
    folder = write_pairs(tmp_path / "data")
    spec, calls = spec_of(folder, modalities={"ct": ""}), []

    def interrupt(done: int, _: int) -> None:
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        prepare(spec, None, tmp_path / "cache", interrupt)
    resumed = prepare(spec, None, tmp_path / "cache", lambda done, total: calls.append((done, total)))
    assert calls == [(3, 4), (4, 4)]
    whole = prepare(spec, None, tmp_path / "other")
    for path in whole.folder.iterdir():
        assert path.read_bytes() == (resumed.folder / path.name).read_bytes()


def test_the_same_scan_twice_is_found(tmp_path: Path) -> None:
    """Also where it was saved in other units; other scans are no pair."""
    folder = write_pairs(tmp_path / "data", 8)
    save(folder / "images" / "case6.nii.gz", np.where(scan(1) > 0, 0.5 * scan(1) + 100, 0))
    (pair,) = near_duplicates(prepare(spec_of(folder), None, tmp_path / "cache"))
    assert (pair.first, pair.second) == ("case1", "case6")


def test_no_group_crosses_the_split(tmp_path: Path) -> None:
    """Two scans of one patient, by the folder's name."""
    folder = write_brats(tmp_path / "data", 20)
    spec = DataSpec(kind="brats", path=str(folder), group_pattern=r"_\d\d(\d)$")
    names = prepare(spec, None, tmp_path / "cache").names
    groups = groups_of(spec, names)
    split = split_cases(names, groups, spec.split, 0)
    parts = {part: {groups[name] for name in cases} for part, cases in split.items()}
    assert len(set(groups.values())) == 10
    assert sum(len(numbers) for numbers in parts.values()) == 10


MEASURED = """
import resource, sys
from pathlib import Path
from storage.data.spec import DataSpec
from storage.data.prepare import prepare
def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
small, large = (DataSpec(kind="volumes", path=path, intensities=sys.argv[4]) for path in sys.argv[1:3])
small = prepare(small, None, Path(sys.argv[3]))
before = peak()
large = prepare(large, None, Path(sys.argv[3]))
print(len(small.names), sum(image.nbytes for image in large.images()), peak() - before)
"""


@pytest.mark.parametrize("intensities", ["zscore", "ct"])
def test_memory_holds_one_case_at_a_time(tmp_path: Path, intensities: str) -> None:
    """Twenty-four volumes need no more memory than two, though all of them are 50 MB."""
    shape = (110, 100, 95)
    for name, cases in (("small", 2), ("large", 24)):
        for index in range(cases):
            values = np.random.default_rng(index).integers(1, 999, shape, dtype=np.int16)
            save(tmp_path / name / "images" / f"{index}.nii", values)
            save(tmp_path / name / "masks" / f"{index}.nii", lesion(shape))
    arguments = [*(str(tmp_path / name) for name in ("small", "large", "cache")), intensities]
    measured = subprocess.run([sys.executable, "-c", MEASURED, *arguments], capture_output=True, text=True, check=True)
    cases, size, more = (int(word) for word in measured.stdout.split())
    assert cases == 2
    assert size > 50e6
    assert more < 10e6
