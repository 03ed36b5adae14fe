"""What a trial may hold, and how long the ledger waits for a silent driver."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, Field


class ResourceSpec(BaseModel, frozen=True, extra="forbid", allow_inf_nan=False):
    """Resources of a study's trials; they may change at any start.

    Attributes:
        gpus_per_trial: GPU fraction of a trial where there are GPUs; 0.25 packs four trials on one, 0 keeps to CPUs.
        cpus_per_trial: CPU cores, and torch threads, of a trial.
        max_trials: At most so many trials at once; None: as many as fit.
        max_attempts: How often a cell is tried before it stays failed.
        max_losses: After how many lost workers an attempt counts as failed.
        lease_seconds: How long another machine's driver must be silent before its cells are taken back.
        silent_seconds: A trial without a report for so long, and for ten of its evaluations, is ended and given back.
        database_seconds: How long a run waits for a database that is away.
    """

    gpus_per_trial: Annotated[float, Field(ge=0)] = 1.0
    cpus_per_trial: Annotated[int, Field(ge=1)] = 1
    max_trials: Annotated[int, Field(ge=1)] | None = None
    max_attempts: Annotated[int, Field(ge=1)] = 2
    max_losses: Annotated[int, Field(ge=1)] = 3
    lease_seconds: Annotated[float, Field(ge=1)] = 120.0
    silent_seconds: Annotated[float, Field(ge=1)] = 1800.0
    database_seconds: Annotated[float, Field(ge=0)] = 900.0
