"""Checkpoints at a URL: a real client of pyarrow against an S3-compatible server, and folders as before."""

from __future__ import annotations

import logging
import urllib.request
from typing import TYPE_CHECKING

import pytest

from storage.errors import InputError, LostLease
from storage.files.checkpoints import CheckpointFolder
from storage.files.filesystems import check_writable, has_secret, open_url, url_below

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def bucket() -> Iterator[str]:
    """URL of a folder in a bucket of a server of our own."""
    server_module = pytest.importorskip("moto.server", reason="needs moto's S3 server: pip install 'moto[s3]' flask")
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = server_module.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    _, port = server.get_host_and_port()
    make = urllib.request.Request(f"http://127.0.0.1:{port}/bucket", method="PUT")
    urllib.request.urlopen(make).close()  # noqa: S310 - our own loopback
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("AWS_ACCESS_KEY_ID", "test")
        environment.setenv("AWS_SECRET_ACCESS_KEY", "test")
        yield f"s3://bucket/some/place?scheme=http&region=us-east-1&endpoint_override=127.0.0.1:{port}"
    server.stop()


def test_checkpoints_live_in_a_bucket(bucket: str) -> None:
    """Written, found again, refused to a late claim, thinned out to two, and closed down to the best weights."""
    check_writable(bucket)
    folder = CheckpointFolder.of(bucket, "study", "cell", 1)
    assert folder.url.startswith("s3://bucket/some/place/study/cell/1?")
    folder.begin(1)
    for evaluation in (1, 2, 3):
        folder.save(1, evaluation, {"state.pt": b"state", "best.pt": f"best {evaluation}".encode()})
    assert folder.names() == ["0001-00002", "0001-00003"]
    folder.begin(2)
    with pytest.raises(LostLease):
        folder.save(1, 4, {"state.pt": b"late"})
    loaded = folder.load_newest()
    assert (loaded.name, loaded.files["best.pt"], loaded.damaged) == ("0001-00003", b"best 3", ())
    fs, root = open_url(folder.url)
    fs.pipe_file(f"{root}/0001-00003/state.pt", b"cut")
    assert folder.load_newest().name == "0001-00002"
    folder.close("best")
    assert folder.names() == ["0001-00002"]
    assert folder.load_newest().files == {"best.pt": b"best 2"}
    folder.close("none")
    assert folder.names() == []


def test_a_bucket_that_is_not_there_is_told_at_once(bucket: str) -> None:
    """Before anything is trained, with the place and the remedy."""
    with pytest.raises(InputError, match=r"cannot write checkpoints to s3://nowhere/some/place.*\[files\] checkpoints"):
        check_writable(bucket.replace("bucket", "nowhere"))


def test_a_folder_that_cannot_be_made_is_told_at_once(tmp_path: Path) -> None:
    """A file stands where the folder should be."""
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match=r"cannot write checkpoints to .*file/below"):
        check_writable(str(tmp_path / "file/below"))


@pytest.mark.parametrize(
    ("root", "url"),
    [("/a/b/", "/a/b/c"), ("/a?b", "/a?b/c"), ("s3://b/p", "s3://b/p/c"), ("s3://b/p/?x=1", "s3://b/p/c?x=1")],
)
def test_options_of_a_url_stay_at_its_end(root: str, url: str) -> None:
    """A question mark in the name of a folder is part of it."""
    assert url_below(root, "c") == url


@pytest.mark.parametrize(
    ("url", "carries"),
    [("s3://key:hidden@b/p", True), ("s3://b/p?secret_key=x", True), ("s3://b/p?region=eu", False), ("/a:b@c", False)],
)
def test_a_secret_in_a_url_is_seen(url: str, carries: bool) -> None:  # noqa: FBT001 - a table's column
    """It would stand in the database and in Ray's files."""
    assert has_secret(url) is carries
