"""What a replay would have cost and answered, for a terminal."""

from __future__ import annotations

import textwrap
from collections import Counter
from typing import TYPE_CHECKING, Any

from storage.variants import configuration_of

if TYPE_CHECKING:
    from studies.interop.replay_csv import Replayed

COLUMNS = 80


def render(replayed: Replayed, values: dict[str, Any]) -> str:
    """A replay in lines of at most 80 characters.

    Args:
        replayed: The replay and its answer.
        values: The same as `to_dict` gives it.
    """
    states = Counter(cell["state"] for cell in values["cells"])
    row = replayed.answer.recommended
    recommended = "nothing" if row is None else f"{configuration_of(row)} (ratio {row.ratio:.4g})"
    regrets = "  ".join(
        f"{name} {values[name]:.4f}" for name in ("dsc_regret", "cost_regret", "case_error") if values[name] is not None
    )
    run, share = replayed.run, f"{100 * values['share']:.1f} %"
    spent = f"{replayed.gpu_seconds:,.0f} of {replayed.grid_gpu_seconds:,.0f} for the grid ({share})"
    idle = f"GPUs idle {100 * run.waiting_share:.1f} %, driver {run.driver_seconds:.1f} s"
    lines = [
        f"recommended   {recommended}",
        f"GPU seconds   {spent}",
        f"cells         {', '.join(f'{count} {state}' for state, count in sorted(states.items()))}",
        f"regret        {regrets or '-'}",
        f"simulated     {run.wall_seconds:,.0f} s, {idle}",
    ]
    if run.reused:
        reused = ", ".join(run.reused)
        lines.append(f"not fresh     no other seed is recorded for {reused}: its cost counts, its values are not new")
    return "\n".join(textwrap.fill(line, COLUMNS, subsequent_indent=" " * 14) for line in lines) + "\n"
