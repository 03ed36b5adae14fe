"""What was said so far: a line an answer, so that a run that was broken off goes on."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.benchmarks.coverage.scenes.study import Said

if TYPE_CHECKING:
    from pathlib import Path

    from tests.benchmarks.coverage.scenes.scenarios import Answers


@dataclass(frozen=True)
class Key:
    """Which answers: of a study of a scenario, by a contender; versions of both."""

    scenario: str
    index: int
    contender: str
    scene: str
    code: str


class Results:
    """Kept in a folder, a file a scenario."""

    def __init__(self, folder: Path) -> None:
        """Read what is there."""
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._answers: dict[Key, Answers] = {}
        for path in sorted(folder.glob("*.jsonl")):
            for line in path.read_text(encoding="utf-8").splitlines():
                self._read(line)

    def _read(self, line: str) -> None:
        try:
            kept = json.loads(line)
        except json.JSONDecodeError:
            return  # a run was broken off within it
        self._answers[Key(**kept["key"])] = {stage: Said.from_json(said) for stage, said in kept["answers"].items()}

    def __contains__(self, key: Key) -> bool:
        """Whether these answers are there."""
        return key in self._answers

    def __getitem__(self, key: Key) -> Answers:
        """Answers that are there, by stage."""
        return self._answers[key]

    def add(self, key: Key, answers: Answers) -> None:
        """Keep answers, on disk too."""
        self._answers[key] = answers
        line = {"key": vars(key), "answers": {stage: said.to_json() for stage, said in answers.items()}}
        with (self.folder / f"{key.scenario.replace(' ', '-')}.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
