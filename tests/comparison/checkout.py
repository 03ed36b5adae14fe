"""Commands of a checkout: `python -m studies` with the code of that folder, in current folders of our choice."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self
from urllib.request import urlopen

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

MOST_SECONDS = 1800
SETTINGS = {
    "COLUMNS": "80",
    "GIT_DIR": "none",  # else the commit of the checkout is one of the versions that a study notes
    "LC_ALL": "C.UTF-8",
    "NO_COLOR": "1",
    "PYTHONHASHSEED": "0",
    "TZ": "UTC",
}
OURS = ("DICECURVE_STORAGE", "DICECURVE_STORAGE_FILE", "RAY_ADDRESS", "PYTHONSTARTUP", "FORCE_COLOR")
STARTER = Path(__file__).with_name("starter.py")


@dataclass(frozen=True)
class Said:
    """What a command printed, and its exit code."""

    code: int
    out: str
    err: str

    def as_text(self) -> str:
        """All of it, for a file."""
        return f"exit code {self.code}\n--- stdout\n{self.out}\n--- stderr\n{self.err}\n"


class Checkout:
    """The code of a folder, in a `with` block."""

    def __init__(self, folder: Path) -> None:
        """Take the root of a repository."""
        self.folder = folder
        self._starter: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        """End with a message unless it is this checkout that Python imports."""
        code = "import json, pathlib, studies; print(json.dumps(str(pathlib.Path(studies.__file__).resolve())))"
        said = self._alone(["-c", code], self.folder.parent)
        if said.code or not json.loads(said.out).startswith(f"{self.folder.resolve()}{os.sep}"):
            sys.exit(f"{sys.executable} does not import the code of {self.folder}: {said.out}{said.err}")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the starter."""
        if self._starter is not None and self._starter.stdin is not None:
            self._starter.stdin.close()
            self._starter.wait()

    def run_alone(self, arguments: Sequence[str], folder: Path) -> Said:
        """Run a command that trains in a folder, in a process that nothing was done in before."""
        return self._alone(["-m", "studies", *arguments], folder)

    def run(self, arguments: Sequence[str], folder: Path, *, still: bool = False) -> Said:
        """Run any other; `still` stops the clocks that a replay charges to its simulated time."""
        with tempfile.TemporaryDirectory() as heard:
            out, err = Path(heard) / "out", Path(heard) / "err"
            asked = {"arguments": arguments, "folder": str(folder), "still": still, "out": str(out), "err": str(err)}
            code = self._ask(asked)
            return Said(code, out.read_text(encoding="utf-8"), err.read_text(encoding="utf-8"))

    def fetch(self, arguments: Sequence[str], folder: Path, pages: Sequence[str]) -> list[str]:
        """Start a command that serves pages at the address that it prints first, and fetch some of them."""
        command = [sys.executable, "-m", "studies", *arguments]
        with subprocess.Popen(command, cwd=folder, env=self._environment, stdout=subprocess.PIPE, text=True) as server:
            assert server.stdout is not None
            root = server.stdout.readline().split(" ", maxsplit=1)[0]
            try:
                return [urlopen(f"{root}{page}").read().decode() for page in pages]  # noqa: S310 - our own server
            finally:
                server.terminate()

    def _alone(self, arguments: Sequence[str], folder: Path) -> Said:
        """Run Python as a person would."""
        done = subprocess.run(
            [sys.executable, *arguments],
            cwd=folder,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=MOST_SECONDS,
        )
        return Said(done.returncode, done.stdout, done.stderr)

    def _ask(self, asked: dict[str, Any]) -> int:
        """Have the starter run a command; returns the exit code."""
        if self._starter is None:
            self._starter = subprocess.Popen(
                [sys.executable, STARTER],
                env=self._environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
        assert self._starter.stdin is not None
        assert self._starter.stdout is not None
        print(json.dumps(asked), file=self._starter.stdin, flush=True)
        return int(self._starter.stdout.readline())

    @property
    def _environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if name not in OURS}
        return kept | SETTINGS | {"PYTHONPATH": str(self.folder)}
