"""A small finished study in a real ledger, with overlays, whose names and reasons try to break out of a page."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from search.worker.overlay_image import overlay_png
from storage.files.artifacts import ArtifactFolder, Overlay
from storage.files.locations import artifacts_of
from storage.ledger.ledger import Ledger
from storage.records import CellPlan, CellState, Evaluation, Scores

if TYPE_CHECKING:
    from storage.records import StudyRecord

HOSTILE = "<script>alert(1)</script>"
NUM_TRAIN, RATIOS, DEPTHS = 80, (0.25, 0.5, 1.0), (2, 3)
TEST = ["polyp-1", HOSTILE, "polyp-3", "polyp-4"]
OWNER = "a/b/1/2"


def make_shown_study(url: str, name: str = "shown") -> StudyRecord:
    """Six cells done, each with two overlays, one failed, one waiting."""
    train = [f"case{number}" for number in range(NUM_TRAIN)]
    split = {"train": train, "validation": ["a", "b", "c"], "test": TEST}
    running = {
        "policy": "grid",
        "tolerance": 0.01,
        "target_dsc": None,
        "prices": {"currency": "*EUR*<b>"},
        "files": {"overlays": True},
    }
    groups = {case: number for number, case in enumerate([*train, "a", "b", "c", *TEST])}
    with Ledger.open(url, create=True) as ledger:
        study = ledger.create_study(
            name,
            identity={"data": {"kind": "folder"}, "grid": {"ratio": list(RATIOS), "depth": list(DEPTHS)}},
            running=running,
            fingerprint="f" * 64,
            split=split,
            groups=groups,
            facts={"d0": 0.2, "channels": 3},
        )
        plans = [_plan(ratio, depth) for depth in DEPTHS for ratio in RATIOS]
        ledger.layout(study.study_id, [*plans, _plan(0.1, 2), _plan(0.1, 3)])
        for plan in plans:
            _finish(ledger, study, plan)
        claim = ledger.claim(study.study_id, [_plan(0.1, 2).key], OWNER)
        assert claim is not None
        ledger.fail(claim, f"the loss is nan {HOSTILE}")
    return study


def _plan(ratio: float, depth: int) -> CellPlan:
    return CellPlan(f"ratio{ratio:g}-depth{depth}-seed0", ratio, depth, 0, round(NUM_TRAIN * ratio), 1000 * 4**depth)


def _finish(ledger: Ledger, study: StudyRecord, plan: CellPlan) -> None:
    """Train, test and show a cell whose DSC rises with its cases and its depth."""
    dsc = 0.75 + 0.04 * plan.depth - 1.1 * plan.num_cases**-0.6
    claim = ledger.claim(study.study_id, [plan.key], OWNER)
    assert claim is not None
    curve = [Evaluation(e, float(e), 20 * e, dsc * (1 - 0.5**e), 3.0 * plan.depth, 0.2) for e in range(1, 7)]
    worker = {"device": "gpu", "device_name": f"A GPU {HOSTILE}", "planned_steps": 120}
    ledger.record(claim, curve, checkpoint=None, worker=worker)
    values = dsc + np.random.default_rng([plan.depth, plan.num_cases]).normal(0, 0.03, 3 + len(TEST))
    counts = [(round(1000 * value), *(2 * [round(1000 * (1 - value))])) for value in np.clip(values, 0, 1)]
    scores = Scores(6, tuple(counts[:3]), tuple(counts[3:]), 0.5)
    folder = ArtifactFolder.of(artifacts_of(study.running, ledger.url), study.name, plan.key, 1)
    overlays = [Overlay(case, "small foreground (2 %)", dsc, _picture(dsc)) for case in TEST[:2]]
    facts = {"test_dsc": round(dsc, 4), "gpu_seconds": 55.2, "device_name": worker["device_name"]}
    artifacts = folder.save(claim.number, overlays)
    value = max(point.val_dsc for point in curve)
    ledger.finish(claim, CellState.DONE, value=value, scores=scores, facts=facts, artifacts=artifacts)


def _picture(dsc: float) -> bytes:
    y, x = np.mgrid[0:64, 0:64]
    truth, predicted = (np.hypot(y - 32, x - centre) < 14 for centre in (30, 33))
    image = (90 + 60 * truth + 20 * np.sin(x / 4)).astype(np.uint8)
    return overlay_png(image, truth, predicted, aspect=1.0, dsc=dsc)
