"""Prices of trainings and cases."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from search.prices import Device, PriceSpec, case_price, missing_cases, training_price


@pytest.mark.parametrize(
    ("device", "seconds", "price"), [("gpu", 1800.0, 1.0), ("cpu", 7200.0, 0.1), ("gpu", 0.0, 0.0)]
)
def test_an_hour_has_its_device_price(device: Device, seconds: float, price: float) -> None:
    """Seconds are paid by the hour, a CPU's apart from a GPU's."""
    assert training_price(PriceSpec(), device=device, seconds=seconds) == pytest.approx(price)


def test_cases_are_priced_from_scratch() -> None:
    """Whatever is owned."""
    assert case_price(PriceSpec(owned_cases=40), 100) == pytest.approx(500)


@pytest.mark.parametrize(("owned", "missing"), [(0, 30), (40, 60), (100, 0), (900, 0)])
def test_only_cases_beyond_the_owned_ones_are_missing(owned: int, missing: int) -> None:
    """Of 100 wanted cases a study of 70 lacks 30, unless something else is said to be owned; never less than none."""
    assert missing_cases(PriceSpec(owned_cases=owned), 100, study_cases=70) == missing


@pytest.mark.parametrize("wrong", [{"case": -1}, {"gpu_hour": float("inf")}, {"owned_cases": -1}, {"gpu_day": 48}])
def test_a_price_that_cannot_be_is_refused(wrong: dict[str, float]) -> None:
    """Prices are finite and not negative; an unknown one is a typing error."""
    with pytest.raises(ValidationError):
        PriceSpec.model_validate(wrong)


@pytest.mark.parametrize(
    ("name", "price"), [("NVIDIA A100-SXM4-80GB", 4.0), ("NVIDIA A100-PCIE", 3.0), ("Tesla T4", 2.0), (None, 2.0)]
)
def test_a_type_of_gpu_has_its_price(name: str | None, price: float) -> None:
    """The longest text that the processor's name holds; without one the common price of an hour."""
    prices = PriceSpec(gpu_hour=2.0, gpu_types={"a100": 3.0, "A100-SXM": 4.0})
    assert training_price(prices, device="gpu", seconds=3600, device_name=name) == pytest.approx(price)
    assert training_price(prices, device="cpu", seconds=3600, device_name=name) == pytest.approx(prices.cpu_hour)
