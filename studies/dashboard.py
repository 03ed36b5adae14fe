"""Starts Optuna dashboard on a study's page, where note, figures, params, curves, metrics, costs and overlays show."""

from __future__ import annotations

from typing import TYPE_CHECKING

from storage.dashboard_server import dashboard_server, is_loopback
from storage.engine import normalise_url
from storage.errors import StorageError
from storage.files import artifacts_of
from storage.ledger import Ledger
from studies.study_page import refresh_page

if TYPE_CHECKING:
    from wsgiref.simple_server import WSGIServer


def open_dashboard(storage: str, name: str | None, host: str, port: int) -> WSGIServer:
    """A server of the dashboard, listening; its root is the study's page, refreshed, or the list of several studies.

    Raises:
        StorageError: There is no study to show, or none of that name.
        InputError: The address cannot be had.
    """
    url = normalise_url(storage)
    with Ledger.open(url) as ledger:
        names = ledger.study_names()
        if name is not None and name not in names:
            raise StorageError(f"no study {name!r} in this storage; there are: {', '.join(names) or 'none'} (--name)")
        wanted = name or (names[0] if len(names) == 1 else None)
        study = None if wanted is None else ledger.find_study(wanted)
        if study is not None:
            refresh_page(ledger, study)
    running = {} if study is None else study.running
    return dashboard_server(url, artifacts_of(running, url), None if study is None else study.study_id, host, port)


def warning_of(host: str) -> str | None:
    """What to tell a person who opens the dashboard to others, or None."""
    if is_loopback(host):
        return None
    return (
        f"warning: Optuna dashboard has no login; whoever reaches {host} can read, change and delete every study in "
        "this database (--host)"
    )
