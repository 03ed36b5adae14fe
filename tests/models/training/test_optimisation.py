"""Losses against their formulas."""

from __future__ import annotations

import pytest
import torch

from models.training.optimisation import build_loss


def test_bce_is_binary_cross_entropy() -> None:
    """-log p where the mask is 1, -log(1 - p) where it is 0, averaged over pixels."""
    logits, masks = torch.tensor([[[[0.5, -1.0]]]]), torch.tensor([[[[1.0, 0.0]]]])
    p = torch.sigmoid(logits)
    expected = -(torch.log(p[..., 0]) + torch.log(1 - p[..., 1])) / 2
    assert build_loss("bce")(logits, masks).item() == pytest.approx(expected.item(), abs=1e-6)


def test_dice_ce_adds_soft_dice_over_the_batch() -> None:
    """It is BCE plus 1 - 2·sum(p·y) / (sum p + sum y), sums over all pixels of the batch."""
    logits, masks = torch.randn(3, 1, 4, 4), (torch.rand(3, 1, 4, 4) > 0.5).float()
    p = torch.sigmoid(logits)
    dice = 1 - 2 * (p * masks).sum() / (p.sum() + masks.sum())
    expected = build_loss("bce")(logits, masks) + dice
    assert build_loss("dice_ce")(logits, masks).item() == pytest.approx(expected.item(), abs=1e-4)


def test_dice_ce_has_a_gradient_without_foreground() -> None:
    """A batch whose masks are empty still teaches."""
    logits = torch.zeros(2, 1, 4, 4, requires_grad=True)
    build_loss("dice_ce")(logits, torch.zeros(2, 1, 4, 4)).backward()
    assert logits.grad is not None
    assert logits.grad.abs().sum() > 0
