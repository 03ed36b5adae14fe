"""What a trial may hold, and how long the ledger waits for a silent driver."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, Field, field_validator

RESERVED = {"cpu", "gpu", "memory", "object_store_memory"}  # names of Ray's own resources


class ResourceSpec(BaseModel, frozen=True, extra="forbid", allow_inf_nan=False):
    """Resources of a study's trials; they may change at any start.

    Attributes:
        gpus_per_trial: GPU fraction of a trial where there are GPUs; 0.25 packs four trials on one, 0 keeps to CPUs.
        cpus_per_trial: CPU cores, and torch threads, of a trial.
        memory_gb_per_trial: Memory that Ray sets aside for a trial, in 10^9 bytes; None: it does not count memory.
        accelerator_type: Only on nodes with this GPU, by Ray's name for it, such as "A100" (`ray status --verbose`).
        custom: Amounts of custom resources that a trial holds, as nodes were started with (`ray start --resources`).
        labels: Only on nodes with these labels (`ray start --labels`).
        max_trials: At most so many trials at once; None: as many as fit.
        autoscale_trials: For so many trials at once nodes are asked of the cluster's autoscaler; 0: it is not asked.
        max_attempts: How often a cell is tried before it stays failed.
        max_losses: After how many lost workers an attempt counts as failed.
        lease_seconds: How long another machine's driver must be silent before its cells are taken back.
        silent_seconds: A trial without a report for so long, and for ten of its evaluations, is ended and given back.
        database_seconds: How long a run waits for a database that is away.
    """

    gpus_per_trial: Annotated[float, Field(ge=0)] = 1.0
    cpus_per_trial: Annotated[int, Field(ge=1)] = 1
    memory_gb_per_trial: Annotated[float, Field(gt=0)] | None = None
    accelerator_type: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]+$")] | None = None
    custom: dict[str, Annotated[float, Field(gt=0)]] = {}
    labels: dict[str, str] = {}
    max_trials: Annotated[int, Field(ge=1)] | None = None
    autoscale_trials: Annotated[int, Field(ge=0)] = 0
    max_attempts: Annotated[int, Field(ge=1)] = 2
    max_losses: Annotated[int, Field(ge=1)] = 3
    lease_seconds: Annotated[float, Field(ge=1)] = 120.0
    silent_seconds: Annotated[float, Field(ge=1)] = 1800.0
    database_seconds: Annotated[float, Field(ge=0)] = 900.0

    @field_validator("custom")
    @classmethod
    def _custom_are_not_rays_own(cls, custom: dict[str, float]) -> dict[str, float]:
        wrong = next((name for name in custom if name.lower() in RESERVED), None)
        if wrong is not None:
            raise ValueError(
                f"custom must not hold {wrong!r}, which has a key of its own (cpus_per_trial, gpus_per_trial, "
                "memory_gb_per_trial)"
            )
        return custom
