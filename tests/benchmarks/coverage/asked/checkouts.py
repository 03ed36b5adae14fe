"""Answers of this checkout and of a former commit, each asked in a process that imports its code and no other."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.benchmarks.coverage.scenes.study import Said
from tests.helpers.paths import ROOT

if TYPE_CHECKING:
    from tests.benchmarks.coverage.scenes.study import Study

FORMER = "5a117d4"  # the answer before intervals knew of the spread between runs
ROOMS = ("search", "models", "storage")
WORKER = Path(__file__).with_name("worker.py")
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


class Checkout:
    """The answer of the code in a folder; its process starts with the first question, and ends with ours."""

    def __init__(self, folder: Path) -> None:
        """Take the root of a repository."""
        self.folder = folder
        self._process: subprocess.Popen[str] | None = None
        self._code = ""

    @property
    def code(self) -> str:
        """What tells this version of the answer from another: a hash of all that it imports."""
        self._running()
        return self._code

    def __call__(self, study: Study) -> Said:
        """What it says of a study."""
        return Said.from_json(self.ask(study.to_json()))

    def ask(self, asked: dict[str, Any]) -> Any:
        """Pass plain values, and hear plain values."""
        process = self._running()
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps(asked) + "\n")
        process.stdin.flush()
        return json.loads(process.stdout.readline() or self._ended(process))

    def _running(self) -> subprocess.Popen[str]:
        if self._process is None:
            self._process = self._started()
        return self._process

    def _started(self) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-P", WORKER],
            cwd=self.folder,
            env=os.environ | ONE_THREAD | {"PYTHONPATH": str(self.folder)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        greeting = json.loads(process.stdout.readline() or self._ended(process))
        if Path(greeting["folder"]) != self.folder.resolve():
            sys.exit(f"asked for the answer of {self.folder}, but Python imports that of {greeting['folder']}")
        self._code = greeting["code"]
        return process

    def _ended(self, process: subprocess.Popen[str]) -> str:
        sys.exit(f"the answer of {self.folder} ended with exit code {process.wait()}")


def former_checkout(cache: Path) -> Path | None:
    """The former code, unpacked from the history into a folder of the cache; None where the history lacks it."""
    folder = cache / f"answer-of-{FORMER}"
    if not folder.exists():
        packed = subprocess.run(["git", "archive", FORMER, *ROOMS], cwd=ROOT, capture_output=True, check=False)
        if packed.returncode:
            return None
        part = folder.with_name(f"{folder.name}.{os.getpid()}")
        with tarfile.open(fileobj=io.BytesIO(packed.stdout)) as archive:
            archive.extractall(part, filter="data")
        part.rename(folder)
    return folder
