"""Where SQLite's locks do not hold."""

from __future__ import annotations

import sys
from pathlib import Path

import psutil
import pytest

from storage.files.filesystems import network_file_system

MOUNTS = r"""/dev/sda1 / ext4 rw,relatime 0 0
server:/home /home nfs4 rw,relatime,vers=4.2 0 0
mgs@tcp:/fs /scratch/my\040own lustre rw 0 0
/dev/sdb1 /home/ana/local xfs rw 0 0
s3fs /mnt/s3 fuse.s3fs rw 0 0
"""


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/var/study.db", None),
        ("/home/ana/study.db", "nfs4"),
        ("/home/ana/local/study.db", None),
        ("/homely/study.db", None),
        ("/scratch/my own/study.db", "lustre"),
        ("/mnt/s3/study.db", "fuse.s3fs"),
    ],
)
@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc to list what is mounted")
def test_the_nearest_mount_counts(path: str, kind: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As proc(5) writes them, spaces in names included; a local disk below a network's is a local one."""
    (tmp_path / "self").mkdir()
    (tmp_path / "self" / "mounts").write_text(MOUNTS)
    monkeypatch.setattr(psutil, "PROCFS_PATH", str(tmp_path))
    assert network_file_system(Path(path)) == kind


@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc to list what is mounted")
def test_without_a_list_nothing_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the system has no such list, no place is refused."""
    monkeypatch.setattr(psutil, "PROCFS_PATH", str(tmp_path / "none"))
    assert network_file_system(tmp_path) is None
