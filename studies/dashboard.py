"""Starts Optuna dashboard on the study's database, where params, curves, metrics and costs of every trial show."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from storage.engine import normalise_url
from storage.ledger import Ledger

LOOPBACK = "127.0.0.1"


def start_dashboard(storage: str, port: int) -> int:
    """Run the dashboard on the loopback address, since it has no login, until it ends; returns its exit code.

    Raises:
        StorageError: There is no study to show.
    """
    url = normalise_url(storage)
    Ledger.open(url).close()
    program = Path(sys.executable).with_name("optuna-dashboard")
    command = [str(program), url, "--host", LOOPBACK, "--port", str(port)]
    with subprocess.Popen(command, env=os.environ | {"PYTHONWARNINGS": "ignore"}) as process:
        try:
            return process.wait()
        except KeyboardInterrupt:
            process.terminate()
            return 0
