"""Starts Optuna dashboard on the study's database, where params, curves, metrics and costs of every trial show."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import NoReturn

from storage.engine import normalise_url
from storage.ledger import Ledger

LOOPBACK = "127.0.0.1"


def start_dashboard(storage: str, port: int) -> NoReturn:
    """Become the dashboard, on the loopback address, since it has no login.

    Raises:
        StorageError: There is no study to show.
    """
    url = normalise_url(storage)
    Ledger.open(url).close()
    program = Path(sys.executable).with_name("optuna-dashboard")
    os.execv(program, [str(program), url, "--host", LOOPBACK, "--port", str(port)])
