"""Places for files: folders, and fsspec URLs. Object stores are reached through pyarrow, which brings clients."""

from __future__ import annotations

import secrets
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from fsspec.core import url_to_fs

from storage.errors import InputError

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

OF_PYARROW = {"s3", "gs", "abfs", "abfss", "hdfs"}
PROBE = "dicecurve-probe-"


def open_place(url: str) -> tuple[Any, str]:
    """The file system of a folder or URL, and the path in it."""
    parts = urlsplit(url)
    if "://" not in url or parts.scheme not in OF_PYARROW:
        return url_to_fs(url)  # type: ignore[no-any-return] # fsspec has no types
    fs, root = _arrow(parts.scheme, parts.netloc, parts.query)
    return fs, f"{root}{parts.path}".rstrip("/")


def place_below(root: str, path: str) -> str:
    """A place below another; the options of a URL, such as ?region=..., stay at its end."""
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
    fs, root = open_place(url)
    fs.makedirs(root, exist_ok=True)
    name = f"{root}/{PROBE}{secrets.token_hex(8)}"
    fs.pipe_file(name, b"can be removed")
    return fs, name


def has_secret(url: str) -> bool:
    """Whether a URL carries a password or key."""
    parts = urlsplit(url)
    return "://" in url and (parts.password is not None or "secret" in parts.query.lower())


@lru_cache(maxsize=16)
def _arrow(scheme: str, netloc: str, query: str) -> tuple[AbstractFileSystem, str]:
    """A client and the path of its bucket; made once, since making one asks the network."""
    from fsspec.implementations.arrow import ArrowFSWrapper
    from pyarrow import fs

    found, root = fs.FileSystem.from_uri(f"{scheme}://{netloc}{f'?{query}' if query else ''}")
    return ArrowFSWrapper(found), root
