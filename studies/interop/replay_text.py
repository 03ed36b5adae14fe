"""What a replay would have cost and answered, for a terminal."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

from storage.variants import recipe_of

if TYPE_CHECKING:
    from studies.interop.replay_csv import Replayed
COLUMNS = 80


def render(found: Replayed, values: dict[str, Any]) -> str:
    """The same for a terminal."""
    states: dict[str, int] = {}
    for cell in values["cells"]:
        states[cell["state"]] = states.get(cell["state"], 0) + 1
    row = found.answer.recommended
    told = "nothing" if row is None else f"{recipe_of(row)} with {row.num_cases} cases (ratio {row.ratio:.4g})"
    regrets = "  ".join(
        f"{name} {values[name]:.4f}" for name in ("dsc_regret", "cost_regret", "case_error") if values[name] is not None
    )
    spent = f"{found.gpu_seconds:,.0f} of {found.grid_gpu_seconds:,.0f} for the grid ({100 * values['share']:.1f} %)"
    idle = f"GPUs idle {100 * found.run.waiting_share:.1f} %, driver {found.run.driver_seconds:.1f} s"
    lines = [
        f"recommended   {told}",
        f"GPU seconds   {spent}",
        f"cells         {', '.join(f'{count} {state}' for state, count in sorted(states.items()))}",
        f"regret        {regrets or '-'}",
        f"simulated     {found.run.wall_seconds:,.0f} s, {idle}",
    ]
    if found.run.reused:
        lines.append(
            f"not fresh     no other seed is recorded for {', '.join(found.run.reused)}: its cost counts, its values "
            "are not new"
        )
    return "\n".join(textwrap.fill(line, COLUMNS, subsequent_indent=" " * 14) for line in lines) + "\n"
