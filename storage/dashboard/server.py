"""Optuna dashboard in this process: its own program knows local folders alone, and lets any page read artifacts."""

from __future__ import annotations

import ipaddress
from contextlib import suppress
from socketserver import ThreadingMixIn
from typing import TYPE_CHECKING, Any, BinaryIO
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import optuna_dashboard
from optuna.artifacts.exceptions import ArtifactNotFound

from storage.errors import InputError
from storage.files.filesystems import open_url

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


class ArtifactFiles:
    """Optuna's artifact store over any fsspec URL."""

    def __init__(self, url: str) -> None:
        """Nothing is read yet."""
        self._fs, self._root = open_url(url)

    def open_reader(self, artifact_id: str) -> BinaryIO:
        """The file of an artifact.

        Raises:
            ArtifactNotFound: There is none.
        """
        try:
            file: BinaryIO = self._fs.open(f"{self._root}/{artifact_id}", "rb")
        except FileNotFoundError as error:
            raise ArtifactNotFound("not found") from error
        return file

    def write(self, artifact_id: str, content_body: BinaryIO) -> None:
        """Keep what a person uploads on the dashboard."""
        self._fs.makedirs(self._root, exist_ok=True)
        self._fs.pipe_file(f"{self._root}/{artifact_id}", content_body.read())

    def remove(self, artifact_id: str) -> None:
        """Remove what a person deletes on the dashboard; what is gone is gone."""
        with suppress(FileNotFoundError):
            self._fs.rm_file(f"{self._root}/{artifact_id}")


def is_loopback(host: str) -> bool:
    """Whether this machine alone reaches the host's address."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


def dashboard_server(url: str, artifacts: str, study_id: int | None, host: str, port: int) -> WSGIServer:
    """A server of the dashboard, listening; `serve_forever` answers.

    Args:
        url: Of the database.
        artifacts: fsspec URL of the artifacts.
        study_id: The study whose page the server's root shows; None: the list of studies.
        host: Address to listen on.
        port: Likewise; 0: one that is free.

    Raises:
        InputError: The address cannot be had.
    """
    app = optuna_dashboard.wsgi(url, artifact_store=ArtifactFiles(artifacts))
    page = "/dashboard" if study_id is None else f"/dashboard/studies/{study_id}"
    guarded = _Guard(app, page, local=is_loopback(host))
    try:
        return make_server(host, port, guarded, _ThreadedServer, _QuietHandler)
    except (OSError, OverflowError) as error:
        raise InputError(f"cannot listen on {host}, port {port}: {error}; choose others (--host, --port)") from None


class _ThreadedServer(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _QuietHandler(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class names it
        """Say nothing: every page asks several times a minute."""


class _Guard:
    """Leads the root to the study's page, and keeps pages from elsewhere away from what is shown here."""

    def __init__(self, app: Callable[..., Iterable[bytes]], page: str, *, local: bool) -> None:
        self._app, self._page, self._local = app, page, local

    def __call__(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        if self._local and not is_loopback(_without_port(environ.get("HTTP_HOST", ""))):
            # A page elsewhere could let its own name point here, and then read and delete as if it were ours.
            start("403 Forbidden", [("Content-Type", "text/plain")])
            return [b"this dashboard answers under the loopback address alone\n"]
        if environ["PATH_INFO"] in {"", "/"}:
            start("302 Found", [("Location", self._page)])
            return [b""]

        # Optuna dashboard sends a policy of its own with its page, and lets the pages of others read its artifacts.
        def with_headers(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
            kept = [header for header in headers if header[0].lower() != "access-control-allow-origin"]
            return start(status, [*kept, ("X-Content-Type-Options", "nosniff")], *rest)

        return self._app(environ, with_headers)


def _without_port(host: str) -> str:
    name, colon, port = host.rpartition(":")
    return name if colon and port.isdigit() else host
