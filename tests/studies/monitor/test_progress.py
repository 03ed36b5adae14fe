"""What a person sees of a study that other processes run."""

from __future__ import annotations

import io
import threading
import time
from typing import TYPE_CHECKING

from rich.console import Console

from storage.ledger.ledger import Ledger
from storage.records import CellPlan, Evaluation, PlateauForecast
from studies.monitor.progress import watch

if TYPE_CHECKING:
    from pathlib import Path


def test_watching_ends_with_the_last_cell(tmp_path: Path) -> None:
    """From another connection to the database: each cell is told once, and how it ended; the last ends it."""
    with Ledger.open(f"sqlite:///{tmp_path}/study.db", create=True) as theirs:
        rest = {"fingerprint": "f", "split": {}, "groups": {}, "facts": {}, "running": {}}
        study = theirs.create_study("s", identity={"training": {"evaluations": 2}}, **rest)
        plans = [CellPlan(f"cell{n}", (n + 1) / 2, 2, 0, n + 1, 10) for n in range(2)]
        theirs.layout(study.study_id, plans)
        said = io.StringIO()
        with Ledger.open(f"sqlite:///{tmp_path}/study.db") as ours:
            console = Console(file=said, width=100)
            watcher = threading.Thread(target=watch, args=(ours, study, console))
            watcher.start()
            for plan in plans:
                assert watcher.is_alive()
                claim = theirs.claim(study.study_id, [plan.key], "host/boot/ns/1/1")
                assert claim is not None
                curve = [Evaluation(1, 1.0, 1, 0.5, 1.0, 0.1)]
                theirs.record(claim, curve, checkpoint=None, worker={"device": "cpu"})
                time.sleep(0.2)
                if plan is plans[0]:
                    theirs.fail(claim, "it fell over")
                else:
                    theirs.prune(claim, "cannot matter", PlateauForecast(0.5, 0.4, 0.6, "lstm"))
            watcher.join(timeout=60)
            assert not watcher.is_alive()
    assert said.getvalue().count("[1/2] cell0                      failed: it fell over\n") == 1
    assert said.getvalue().count("[2/2] cell1                      val DSC 0.500  1 CPU s  pruned at 1\n") == 1
