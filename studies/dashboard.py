"""Starts Optuna dashboard on the study's database, where params, curves, metrics and costs of every trial show."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import NoReturn

from storage.engine import normalise_url, without_password
from storage.ledger import Ledger

LOOPBACK = "127.0.0.1"


def start_dashboard(storage: str, port: int) -> NoReturn:
    """Become the dashboard, on the loopback address, since it has no login.

    Raises:
        StorageError: There is no study to show.
    """
    url, environment = without_password(normalise_url(storage))
    Ledger.open(normalise_url(storage)).close()
    program = Path(sys.executable).with_name("optuna-dashboard")
    command = [str(program), url, "--host", LOOPBACK, "--port", str(port)]
    os.execve(program, command, os.environ | environment)
