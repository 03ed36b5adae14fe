"""BraTS: a folder a case."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from storage.data.groups import groups_of
from storage.data.prepare import channels_of, prepare
from storage.data.readers.brats import list_brats
from storage.data.spec import DataSpec
from storage.data.splits import split_cases
from storage.errors import DataError
from tests.helpers.volume_makers import MODALITIES, lesion, save, scan, write_brats

if TYPE_CHECKING:
    from pathlib import Path

SPEC = DataSpec(kind="brats")


@pytest.mark.parametrize("ending", [".nii", ".nii.gz"])
def test_the_layout_of_2020_is_read(tmp_path: Path, ending: str) -> None:
    """Four modalities, the whole tumour, zeros cropped away and otherwise left 0."""
    folder = write_brats(tmp_path / "data", ending=ending)
    dataset = prepare(DataSpec(kind="brats", path=str(folder)), None, tmp_path / "cache")
    assert dataset.names == ("BraTS20_Training_001", "BraTS20_Training_002", "BraTS20_Training_003")
    assert (dataset.dimensions, dataset.channels) == (3, 4) == (3, channels_of(SPEC))
    image, mask = dataset.images()[0], dataset.masks()[0]
    assert (image.shape, image.dtype) == ((4, 18, 16, 13), np.float16)
    assert np.array_equal(mask[0], lesion(labels=(1, 2, 4))[3:-3, 2:-2, 2:-1] > 0)
    expected = scan(11)[3:-3, 2:-2, 2:-1].astype(float)
    assert image[1] == pytest.approx((expected - expected.mean()) / expected.std(), abs=2e-3)


def test_a_region_is_foreground(tmp_path: Path) -> None:
    """The tumour core: 1 and 4; label 2 stays known."""
    folder = write_brats(tmp_path / "data")
    dataset = prepare(DataSpec(kind="brats", path=str(folder), foreground=(1, 4)), None, tmp_path / "cache")
    whole = prepare(DataSpec(kind="brats", path=str(folder)), None, tmp_path / "cache")
    assert 3 * dataset.masks()[0].sum() == 2 * whole.masks()[0].sum()


def test_the_paper_s_split_comes_out() -> None:
    """369 cases are 258, 37 and 74 at 70, 10 and 20 %, as in the paper."""
    names = [f"BraTS20_Training_{index:03d}" for index in range(1, 370)]
    split = split_cases(names, groups_of(SPEC, names), SPEC.split, SPEC.split_seed)
    assert [len(split[part]) for part in ("train", "validation", "test")] == [258, 37, 74]


def test_missing_files_are_named(tmp_path: Path) -> None:
    """A modality, a mask under another name (as in case 355 of BraTS 2020), and two files of one modality."""
    folder = write_brats(tmp_path, 4)
    first, second, third = (folder / f"BraTS20_Training_{index:03d}" for index in (1, 2, 3))
    (first / f"{first.name}_t2.nii.gz").unlink()
    (second / f"{second.name}_seg.nii.gz").rename(second / "W39_1998.09.19_Segm.nii.gz")
    save(third / f"{third.name}_t1.nii", scan())
    elsewhere = " (there is W39_1998.09.19_Segm.nii.gz; rename it if it is meant)"
    listing = list_brats(SPEC, folder)
    assert [case.name for case in listing.cases] == [third.name, "BraTS20_Training_004"]
    assert listing.problems == (
        f"{first.name}/{first.name}_t2.nii[.gz]: missing modality t2; modalities ([data]) says which are due",
        f"{second.name}/{second.name}_seg.nii[.gz]: missing mask{elsewhere}",
        f"BraTS20_Training_003/{third.name}_t1.nii: another file in BraTS20_Training_003/ has the same name",
    )


def test_a_folder_without_cases_is_refused(tmp_path: Path) -> None:
    """The message says what belongs there."""
    with pytest.raises(DataError, match=r"no cases in .*expected folders NAME with files such as NAME_seg\.nii\.gz"):
        list_brats(SPEC, tmp_path)
    with pytest.raises(DataError, match=r"no folder .*nowhere \(--data"):
        list_brats(SPEC, tmp_path / "nowhere")


def test_the_modalities_have_the_order_of_the_spec(tmp_path: Path) -> None:
    """Another order is another dataset, in the cache too."""
    folder = write_brats(tmp_path / "data")
    one, other = (
        prepare(
            DataSpec(kind="brats", path=str(folder), modalities={name: f"_{name}" for name in names}),
            None,
            tmp_path / "cache",
        )
        for names in (MODALITIES[:2], MODALITIES[1::-1])
    )
    assert one.folder != other.folder
    assert np.array_equal(one.images()[0], other.images()[0][::-1])


def test_brats_2013_is_read_with_a_mapping(real_data: Path, tmp_path: Path) -> None:
    """Two modalities, labels 0 to 4: the reader is not tied to one year."""
    spec = DataSpec(
        kind="brats",
        path=str(real_data / "brats2013"),
        modalities={"flair": "_flair", "t1ce": "_t1ce"},
        foreground=(1, 2, 3, 4),
    )
    dataset = prepare(spec, None, tmp_path)
    assert dataset.names == tuple(f"brats_2013_pat000{index}_1" for index in range(1, 5))
    assert dataset.channels == 2
    assert [fact.shape for fact in dataset.case_facts()] == [(240, 240, 155)] * 4
    assert dataset.masks()[0].mean() == pytest.approx(0.0125, abs=1e-4)
    assert all(len(positions) == 4096 for positions in dataset.foreground())
