"""File systems: folders and fsspec URLs, and which folders lie on a network's, where SQLite's locks do not hold.

Object stores are reached through pyarrow, which brings clients.
"""

from __future__ import annotations

import os
import secrets
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import psutil
from fsspec.core import url_to_fs

from storage.errors import InputError

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

OF_PYARROW = {"s3", "gs", "abfs", "abfss", "hdfs"}
NETWORKS = {
    *("afs", "beegfs", "ceph", "cifs", "gpfs", "lustre", "nfs", "nfs4", "panfs", "pvfs2", "smb3", "smbfs", "wekafs"),
    *("fuse.cephfs", "fuse.gcsfuse", "fuse.glusterfs", "fuse.juicefs", "fuse.s3fs", "fuse.sshfs", "fuse.weed"),
}
PROBE = "dicecurve-probe-"


def open_url(url: str) -> tuple[Any, str]:
    """The file system of a folder or URL, and the path in it."""
    parts = urlsplit(url)
    if "://" not in url or parts.scheme not in OF_PYARROW:
        return url_to_fs(url)  # type: ignore[no-any-return] # fsspec has no types
    fs, root = _arrow(parts.scheme, parts.netloc, parts.query)
    return fs, f"{root}{parts.path}".rstrip("/")


def url_below(root: str, path: str) -> str:
    """A folder or file below a URL; the options of a URL, such as ?region=..., stay at its end."""
    if "://" not in root:
        return f"{root.rstrip('/')}/{path}"
    folder, mark, options = root.partition("?")
    return f"{folder.rstrip('/')}/{path}{mark}{options}"


def check_writable(url: str) -> None:
    """Write a file there and take it away again.

    Raises:
        InputError: It cannot be written to, and why.
    """
    try:
        fs, name = leave_probe(url)
        fs.rm_file(name)
    except Exception as error:  # every file system has errors of its own
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputError(
            f"cannot write checkpoints to {url}: {reason}; make the place, or name another ([files] checkpoints)"
        ) from error


def leave_probe(url: str) -> tuple[Any, str]:
    """Write a small file there, for others to find; its file system and path."""
    fs, root = open_url(url)
    fs.makedirs(root, exist_ok=True)
    name = f"{root}/{PROBE}{secrets.token_hex(8)}"
    fs.pipe_file(name, b"can be removed")
    return fs, name


def has_secret(url: str) -> bool:
    """Whether a URL carries a password or key."""
    parts = urlsplit(url)
    return "://" in url and (parts.password is not None or "secret" in parts.query.lower())


def network_file_system(path: Path) -> str | None:
    """The kind of network file system that a path lies on, such as "nfs4"; None on others, and where none can be told.

    Args:
        path: Need not exist yet.
    """
    try:
        mounts = psutil.disk_partitions(all=True)
    except OSError:
        return None
    kinds = {mount.mountpoint: mount.fstype for mount in mounts}  # a later mount hides an earlier one
    real = Path(os.path.realpath(path))
    kind = next((kinds[str(folder)] for folder in [real, *real.parents] if str(folder) in kinds), "")
    return kind if kind in NETWORKS else None


@lru_cache(maxsize=16)
def _arrow(scheme: str, netloc: str, query: str) -> tuple[AbstractFileSystem, str]:
    """A client and the path of its bucket; made once, since making one asks the network."""
    from fsspec.implementations.arrow import ArrowFSWrapper
    from pyarrow import fs

    client, root = fs.FileSystem.from_uri(f"{scheme}://{netloc}{f'?{query}' if query else ''}")
    return ArrowFSWrapper(client), root
