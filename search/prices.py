"""What a configuration costs: one full-budget training and the cases it needs."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field

Device = Literal["gpu", "cpu"]

SECONDS_PER_HOUR = 3600


class PriceSpec(BaseModel, frozen=True, extra="forbid", allow_inf_nan=False):
    """Prices in one currency.

    Attributes:
        currency: Its name, for print only.
        gpu_hour: One hour of one GPU.
        cpu_hour: One hour of one CPU.
        case: One annotated case.
        owned_cases: Annotated cases that are there already, and cost nothing.
    """

    currency: str = "USD"
    gpu_hour: float = Field(default=2.0, ge=0)
    cpu_hour: float = Field(default=0.05, ge=0)
    case: float = Field(default=5.0, ge=0)
    owned_cases: int = Field(default=0, ge=0)


def training_price(prices: PriceSpec, *, device: Device, seconds: float) -> float:
    """Price of one training of ``seconds`` GPU seconds or CPU seconds."""
    hour = prices.gpu_hour if device == "gpu" else prices.cpu_hour
    return hour * seconds / SECONDS_PER_HOUR


def case_price(prices: PriceSpec, num_cases: int) -> float:
    """Price of ``num_cases`` annotated cases (training, validation and test together) beyond the owned ones."""
    return prices.case * max(0, num_cases - prices.owned_cases)
