"""Where SQLite's locks do not hold."""

from __future__ import annotations

from pathlib import Path

import pytest

from storage.files.filesystems import network_file_system

MOUNTS = r"""22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
30 22 0:40 / /home rw,relatime shared:2 - nfs4 server:/home rw,vers=4.2
31 22 0:41 / /scratch/my\040own rw - lustre mgs@tcp:/fs rw
32 30 8:2 / /home/ana/local rw - xfs /dev/sdb1 rw
33 22 0:42 / /mnt/s3 rw master:3 propagate_from:1 - fuse.s3fs s3fs rw
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
def test_the_nearest_mount_counts(path: str, kind: str | None, tmp_path: Path) -> None:
    """As proc(5) writes them, spaces in names included; a local disk below a network's is a local one."""
    (tmp_path / "mountinfo").write_text(MOUNTS)
    assert network_file_system(Path(path), tmp_path / "mountinfo") == kind


def test_without_a_list_nothing_is_said(tmp_path: Path) -> None:
    """Where the system has no such list, no place is refused."""
    assert network_file_system(tmp_path, tmp_path / "none") is None
