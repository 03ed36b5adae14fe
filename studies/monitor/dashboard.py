"""Starts Optuna dashboard on a study's page, where note, figures, params, curves, metrics, costs and overlays show."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from storage.dashboard.server import dashboard_server, is_loopback
from storage.database.urls import normalise_url
from storage.errors import StorageError
from storage.files.locations import artifacts_of
from storage.ledger.ledger import Ledger
from studies.monitor.study_page import is_fresh, refresh_page

if TYPE_CHECKING:
    from wsgiref.simple_server import WSGIServer

    from storage.records import StudyRecord


def open_dashboard(storage: str, name: str | None, host: str, port: int) -> WSGIServer:
    """A server of the dashboard, listening; its root is the study's page, or the list of several.

    A page that lacks cells which were finished is brought up to date meanwhile.

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
    running, study_id = ({}, None) if study is None else (study.running, study.study_id)
    server = dashboard_server(url, artifacts_of(running, url), study_id, host, port)
    if study is not None:
        threading.Thread(target=_bring_up_to_date, args=(url, study), daemon=True).start()
    return server


def _bring_up_to_date(url: str, study: StudyRecord) -> None:
    """Apart from the server: a large study's answer takes a minute."""
    with Ledger.open(url) as ledger:
        if not is_fresh(ledger, study):
            refresh_page(ledger, study)


def warning_of(host: str) -> str | None:
    """What to tell a person who opens the dashboard to others, or None."""
    if is_loopback(host):
        return None
    return (
        f"warning: Optuna dashboard has no login; whoever reaches {host} can read, change and delete every study in "
        "this database (--host)"
    )
