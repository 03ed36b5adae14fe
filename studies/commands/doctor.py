"""`dicecurve doctor`: stale leases, lost checkpoints and version drift."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from studies.commands.arguments import OK, SOME_FAILED, study_command
from studies.commands.opened import find_study, open_ledger

if TYPE_CHECKING:
    import argparse


def add(commands: Any) -> None:
    """Add the command to the parser."""
    command = study_command(commands, "doctor", _run, "look for stale leases, lost checkpoints and version drift")
    command.add_argument("--fix", action="store_true", help="mend what can be mended")
    command.add_argument("--watch", metavar="SECONDS", type=float, default=0.0, help="watch others' leases")


def _run(options: argparse.Namespace) -> int:
    from search.worker.versions import recorded_versions
    from studies.launch.locations import checkpoints_of
    from studies.monitor.doctor import examine

    with open_ledger(options.storage) as ledger:
        study = find_study(ledger, options.study or options.name)
        findings = examine(
            ledger,
            study,
            checkpoints=checkpoints_of(study, ledger.url),
            versions=recorded_versions(),
            watch_seconds=options.watch,
        )
        mended = [options.fix and finding.mend is not None and finding.mend() for finding in findings]
    for finding, is_mended in zip(findings, mended, strict=True):
        print(f"{finding.kind}: {finding.text}{' (mended)' if is_mended else ''}")
    if not findings:
        print(f"study {study.name!r} is well")
    return OK if all(mended) else SOME_FAILED
