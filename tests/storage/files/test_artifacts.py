"""Overlays as artifacts: whole or not there, those of the latest claim, under names that Optuna's own store reads."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from optuna.artifacts import FileSystemArtifactStore

from storage.files.artifacts import ArtifactFolder, Overlay

if TYPE_CHECKING:
    from pathlib import Path

SMALL = Overlay("<script>alert(1)</script>", "small foreground", 0.912, b"small picture")
LARGE = Overlay("case/2 ü", "large foreground", 0.5, b"large picture")
ID_OF_THE_DASHBOARD = re.compile(r"[0-9a-fA-F-]+")  # in the routes of Optuna dashboard


@pytest.fixture
def folder(tmp_path: Path) -> ArtifactFolder:
    """That of one attempt."""
    return ArtifactFolder.of(str(tmp_path / "artifacts"), "study", "ratio0.5-depth3-seed0", 1)


def test_overlays_come_back_as_they_were_saved(folder: ArtifactFolder) -> None:
    """Case, caption, DSC and picture, in their order; before anything is saved there are none."""
    assert folder.overlays() == []
    folder.save(1, [SMALL, LARGE])
    assert folder.overlays() == [SMALL, LARGE]


def test_attempts_and_cells_do_not_mix(folder: ArtifactFolder) -> None:
    """All lie in one folder, and each attempt sees its own alone."""
    other = ArtifactFolder.of(folder.url, "study", "ratio0.5-depth3-seed0", 2)
    folder.save(1, [SMALL])
    other.save(1, [LARGE])
    assert (folder.overlays(), other.overlays()) == ([SMALL], [LARGE])


def test_optuna_s_own_store_reads_them(folder: ArtifactFolder) -> None:
    """An artifact's number fits the dashboard's routes and is the file's name; its file name tells case and DSC."""
    small, _ = folder.save(7, [SMALL, LARGE])
    assert ID_OF_THE_DASHBOARD.fullmatch(small.artifact_id)
    with FileSystemArtifactStore(folder.url).open_reader(small.artifact_id) as file:
        assert file.read() == SMALL.png
    assert small.filename == "small foreground, <script>alert(1)</script>, DSC 0.912.png"


def test_the_latest_claim_counts(folder: ArtifactFolder, tmp_path: Path) -> None:
    """A later claim replaces the files of an earlier one, and a late worker of the earlier one changes nothing seen."""
    folder.save(2, [SMALL])
    kept = folder.save(3, [LARGE])
    assert {path.name for path in (tmp_path / "artifacts").iterdir()} == {
        kept[0].artifact_id,
        f"{folder.prefix}-0003-00",
    }
    folder.save(2, [SMALL])
    assert folder.overlays() == [LARGE]


@pytest.mark.parametrize("place", [0, 1])
def test_what_is_not_whole_is_not_there(folder: ArtifactFolder, tmp_path: Path, place: int) -> None:
    """A torn list or a torn picture of a later claim leaves those of the one before, or none."""
    folder.save(4, [LARGE])
    (tmp_path / "artifacts" / f"{folder.prefix}-0004-{place:02x}").write_bytes(b"torn")
    assert folder.overlays() == []
    folder.save(3, [SMALL])
    assert folder.overlays() == [SMALL]
