"""Starts commands of dicecurve quickly: imports what they all import from elsewhere, then forks for each of them.

Reads a line of JSON a command, and answers with its exit code. The child is what `python -m studies` would be: nothing
of dicecurve's own is imported before it begins.
"""

from __future__ import annotations

import atexit
import gc
import importlib
import json
import os
import runpy
import sys
import time
import traceback
from typing import Any

EARLY = (
    *("numpy", "pandas", "scipy.linalg", "scipy.ndimage", "scipy.optimize", "scipy.special", "scipy.stats"),
    *("pydantic", "sqlalchemy", "optuna", "optuna.storages", "torch", "monai.networks.nets", "safetensors.torch"),
    *("jinja2", "plotly.graph_objects", "plotly.offline", "pyarrow.parquet", "nibabel", "PIL.Image", "rich.progress"),
    *("rich.table", "threadpoolctl", "fsspec"),
)
CLOCKS = ("perf_counter", "monotonic", "thread_time", "process_time")


def serve() -> dict[str, Any] | None:
    """Fork for each command; returns the command in its child, and None at the end."""
    for name in EARLY:
        importlib.import_module(name)
    gc.freeze()
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            return dict(json.loads(line))
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)
    return None


def prepare(asked: dict[str, Any]) -> None:
    """Make this process what the command needs."""
    os.chdir(asked["folder"])
    for stream, name in ((1, "out"), (2, "err")):
        file = os.open(asked[name], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        os.dup2(file, stream)
        os.close(file)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    sys.argv = ["studies", *asked["arguments"]]
    sys.path[0] = asked["folder"]
    if asked["still"]:
        stop_clocks()


def stop_clocks() -> None:
    """Make clocks stand still: what a replay measures of its own driver is nothing, and simulated time the recorded."""
    for name in CLOCKS:
        setattr(time, name, lambda: 0.0)
        setattr(time, f"{name}_ns", lambda: 0)


def execute() -> int:
    """Run the command line to its end; returns its exit code."""
    try:
        runpy.run_module("studies", run_name="__main__", alter_sys=True)
    except SystemExit as end:
        if isinstance(end.code, str):
            print(end.code, file=sys.stderr)
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:  # noqa: BLE001 - a defect is shown, and compared
        traceback.print_exc()
        return 1
    return 0


if __name__ == "__main__":
    command = serve()
    if command is not None:
        prepare(command)
        exit_code = execute()
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(exit_code)  # freeing all that was imported takes a second
