"""Which file systems are networks', where SQLite's locks do not hold."""

from __future__ import annotations

import os
import re
from pathlib import Path

NETWORKS = {
    *("afs", "beegfs", "ceph", "cifs", "gpfs", "lustre", "nfs", "nfs4", "panfs", "pvfs2", "smb3", "smbfs", "wekafs"),
    *("fuse.cephfs", "fuse.gcsfuse", "fuse.glusterfs", "fuse.juicefs", "fuse.s3fs", "fuse.sshfs", "fuse.weed"),
}
MOUNTS = Path("/proc/self/mountinfo")


def network_file_system(path: Path, mounts: Path = MOUNTS) -> str | None:
    """The kind of network file system that a path lies on, such as "nfs4"; None on others, and where none can be told.

    Args:
        path: Need not exist yet.
        mounts: As /proc/self/mountinfo lists them (proc(5)).
    """
    if not mounts.exists():
        return None
    kinds = dict(_mounted(line) for line in mounts.read_text().splitlines())  # a later mount hides an earlier one
    real = Path(os.path.realpath(path))
    kind = next((kinds[str(place)] for place in [real, *real.parents] if str(place) in kinds), "")
    return kind if kind in NETWORKS else None


def _mounted(line: str) -> tuple[str, str]:
    """Mount point and kind."""
    before, _, after = line.partition(" - ")
    point = re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8)), before.split(" ")[4])
    return point, after.split(" ")[0]
