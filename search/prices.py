"""What a configuration costs: one full-budget training and the cases it needs."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, Field

Device = Literal["gpu", "cpu"]

SECONDS_PER_HOUR = 3600


class PriceSpec(BaseModel, frozen=True, extra="forbid", allow_inf_nan=False):
    """Prices in one currency.

    Attributes:
        currency: Its name, for print only.
        gpu_hour: One hour of one GPU.
        gpu_types: One hour of one GPU whose name holds this text, whatever its case: {A100 = 3.7, T4 = 0.4}. The
            longest text that fits counts, and gpu_hour where none does.
        cpu_hour: One hour of one CPU.
        case: One annotated case.
        owned_cases: Annotated cases that are there already, and need not be paid for again; 0: those of the study.
    """

    currency: str = "USD"
    gpu_hour: float = Field(default=2.0, ge=0)
    gpu_types: dict[str, Annotated[float, Field(ge=0)]] = {}
    cpu_hour: float = Field(default=0.05, ge=0)
    case: float = Field(default=5.0, ge=0)
    owned_cases: int = Field(default=0, ge=0)


def training_price(prices: PriceSpec, *, device: Device, seconds: float, device_name: str | None = None) -> float:
    """Price of one training of ``seconds`` GPU seconds or CPU seconds, on a processor of that name."""
    hour = _gpu_hour(prices, device_name or "") if device == "gpu" else prices.cpu_hour
    return hour * seconds / SECONDS_PER_HOUR


def _gpu_hour(prices: PriceSpec, name: str) -> float:
    fitting = [text for text in prices.gpu_types if text.lower() in name.lower()]
    return prices.gpu_types[max(fitting, key=len)] if fitting else prices.gpu_hour


def case_price(prices: PriceSpec, num_cases: int) -> float:
    """Price of ``num_cases`` annotated cases: training, validation and test together, from scratch."""
    return prices.case * num_cases


def missing_cases(prices: PriceSpec, num_cases: int, study_cases: int) -> int:
    """How many of ``num_cases`` annotated cases are not there yet, where the study itself has ``study_cases``."""
    return max(0, num_cases - (prices.owned_cases or study_cases))
