"""Places that lose what is written there are refused before anything is written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from storage.database.urls import normalise_url
from storage.errors import InputError
from storage.files.locations import FilesSpec
from studies.launch import locations
from studies.spec import parse_spec

if TYPE_CHECKING:
    from pathlib import Path

POSTGRES = "postgresql://ana@127.0.0.1:1/d"


@pytest.fixture
def job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder of a Ray job, as Ray names it."""
    folder = tmp_path / "session_1/runtime_resources/working_dir_files/_ray_pkg_0"
    folder.mkdir(parents=True)
    monkeypatch.chdir(folder)
    return folder


def check(url: str, **sections: Any) -> None:
    """Check the places of a spec."""
    values = {"name": "s", "grid": {"ratio": [1.0], "depth": [2]}, **sections}
    locations.check_locations(parse_spec(values, source="test"), normalise_url(url))


@pytest.mark.parametrize(
    ("url", "sections", "message"),
    [
        ("sqlite:///study.db", {}, "the database would lie in .*dicecurve database start DIR"),
        (POSTGRES, {}, r"checkpoints would lie in .*set checkpoints in \[files\]"),
        (
            POSTGRES,
            {"files": {"checkpoints": "s3://b/p", "artifacts": "pictures"}},
            r"overlays would lie in .*set artifacts in \[files\]",
        ),
        (POSTGRES, {"files": {"checkpoints": "s3://b/p"}}, r"prepared data would lie in .*set cache in \[files\]"),
        (
            POSTGRES,
            {"files": {"checkpoints": "s3://b/p", "cache": "/c"}, "data": {"path": "pictures"}},
            r"the data would lie in .*\(--data\)",
        ),
    ],
)
def test_nothing_is_left_in_a_folder_of_rays(job: Path, url: str, sections: dict[str, Any], message: str) -> None:
    """Default and relative places inside a job: each is refused with its own remedy, and nothing is made."""
    with pytest.raises(InputError, match=message):
        check(url, **sections)
    assert list(job.iterdir()) == []


def test_places_outside_are_welcome_in_a_job(job: Path, tmp_path: Path) -> None:
    """Absolute ones serve inside a job as anywhere."""
    check(POSTGRES, files={"checkpoints": str(tmp_path / "c"), "cache": str(tmp_path / "p")})
    assert list(job.iterdir()) == []


def test_a_file_on_a_network_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """SQLite where its locks do not hold: the kind of file system and the remedy are named."""
    monkeypatch.setattr(locations, "network_file_system", lambda _: "nfs4")
    with pytest.raises(InputError, match=r"network file system \(nfs4\).*dicecurve database start DIR"):
        check(f"sqlite:///{tmp_path}/study.db")


def test_a_secret_among_the_checkpoints_is_refused(tmp_path: Path) -> None:
    """The message does not repeat it."""
    with pytest.raises(InputError, match="the URL of the checkpoints holds a password") as caught:
        check(f"sqlite:///{tmp_path}/study.db", files={"checkpoints": "s3://key:hidden@bucket/p"})
    assert "hidden" not in str(caught.value)


def test_overlays_go_where_checkpoints_go() -> None:
    """Every node reaches that place; the options of its URL stay at the end."""
    files = FilesSpec(checkpoints="s3://bucket/folder?region=us-east-1").resolved("sqlite:////d/s.db")
    assert files.artifacts == "s3://bucket/folder/_artifacts?region=us-east-1"
    assert FilesSpec().resolved("sqlite:////d/s.db").artifacts == "/d/dicecurve-files/artifacts"
