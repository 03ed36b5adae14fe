"""The training protocol, and which depths fit which images; free of torch, so that a spec is checked in no time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BaseModel, Field, ValidationError, model_validator

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

MIN_DEPTH, MAX_DEPTH = 2, 8
SWIN_DEPTH = 6  # of MONAI's SwinUNETR: the image itself and five halvings
CHANNELS_DIVIDE_BY = {"unet": 1, "attention_unet": 1, "segresnet": 8, "swin_unetr": 12}  # groups, heads of attention
AXES = ("architecture", "augmentation", "loss", "optimiser")  # fields that a grid may vary
Architecture = Literal["unet", "attention_unet", "segresnet", "swin_unetr"]
Augmentation = Literal["none", "flips"]
Loss = Literal["bce", "dice_ce"]
Optimiser = Literal["adam", "adamw", "sgd"]
PatchSide = Annotated[int, Field(ge=4, le=1024)]


class TrainingSpec(BaseModel, frozen=True, extra="forbid", allow_inf_nan=False):
    """The training protocol; every field is part of a study's identity.

    Attributes:
        size: In 2D, the side of the square that images are resized to, in pixels.
        patch: In 3D, the sides of the patches that volumes are cut into, in voxels; None in 2D.
        overlap: In 3D, the share of its sides that a sliding window has in common with the next one.
        foreground_share: In 3D, the chance that a training patch is centred on a foreground voxel.
        unit: Whether `budget` counts optimiser steps (the same work at every ratio) or epochs.
        budget: Full budget of one training, in `unit`.
        evaluations: Equal periods that the budget is divided into; each ends with one validation.
        batch: Cases per optimiser step, in 3D a patch of each; also the sliding windows predicted at once.
        optimiser: `adam`, `adamw` or `sgd` (with Nesterov's momentum of 0.9).
        learning_rate: Of the optimiser; it stays the same.
        loss: `bce`, binary cross-entropy (the paper's), or `dice_ce`, its sum with the soft Dice loss.
        augmentation: `flips` draws flips and quarter turns of every training image, flips along each axis of a patch.
        architecture: `unet`, the residual U-Net (the paper's), `attention_unet`, `segresnet` or `swin_unetr`, all of
            them MONAI's. The last has depth 6 alone.
        channels: Channels at the first level; they double with each level. 8 divides those of `segresnet`, 12 those of
            `swin_unetr`.
        residual_units: Convolutions per residual block of the U-Net.
        threshold: Probability from which a pixel counts as foreground.
        precision: `bf16` runs the forward pass under bfloat16 autocast.
        channels_last: Lay tensors out with channels last, which GPUs with tensor cores prefer.
        compile: Let `torch.compile` fuse the model; worth its minute of start on long trainings.
        record_test_curve: Also score the test cases at every evaluation, for a surface that is to be replayed. No
            decision reads it, and its seconds are not counted.
    """

    size: Annotated[int, Field(ge=8, le=4096)] = 256
    patch: tuple[PatchSide, PatchSide, PatchSide] | None = None
    overlap: Annotated[float, Field(ge=0, le=0.9)] = 0.25
    foreground_share: Annotated[float, Field(ge=0, le=1)] = 0.5
    unit: Literal["steps", "epochs"] = "steps"
    budget: Annotated[int, Field(ge=1)] = 3000
    evaluations: Annotated[int, Field(ge=2, le=2000)] = 30
    batch: Annotated[int, Field(ge=1)] = 16
    optimiser: Optimiser = "adam"
    learning_rate: Annotated[float, Field(gt=0)] = 1e-3
    loss: Loss = "bce"
    augmentation: Augmentation = "none"
    architecture: Architecture = "unet"
    channels: Annotated[int, Field(ge=1)] = 16
    residual_units: Annotated[int, Field(ge=0)] = 2
    threshold: Annotated[float, Field(gt=0, lt=1)] = 0.5
    precision: Literal["float32", "bf16"] = "float32"
    channels_last: bool = False
    compile: bool = False
    record_test_curve: bool = False

    @model_validator(mode="after")
    def _a_step_per_evaluation(self) -> TrainingSpec:
        if self.unit == "steps" and self.budget < self.evaluations:
            raise ValueError(f"budget must be at least one step per evaluation ({self.evaluations}), got {self.budget}")
        return self

    @model_validator(mode="after")
    def _channels_suit_the_architecture(self) -> TrainingSpec:
        divisor = CHANNELS_DIVIDE_BY[self.architecture]
        if self.channels % divisor:
            raise ValueError(
                f"channels of {self.architecture!r} must be a multiple of {divisor}, got {self.channels}; "
                f"take {max(divisor, self.channels // divisor * divisor)}"
            )
        return self

    def varied(self, values: Mapping[str, str]) -> TrainingSpec:
        """The same protocol with other values of some axes, checked as a whole.

        Args:
            values: By axis, such as {"loss": "dice_ce"}.

        Raises:
            ValueError: The rule that it breaks.
        """
        if not values:
            return self
        try:
            return TrainingSpec.model_validate({**self.model_dump(), **values})
        except ValidationError as error:
            raise ValueError(error.errors()[0]["msg"].removeprefix("Value error, ")) from None

    @property
    def only_depth(self) -> int | None:
        """The one depth that the architecture has, or None: any."""
        return SWIN_DEPTH if self.architecture == "swin_unetr" else None

    @property
    def sides(self) -> tuple[int, ...]:
        """Sides of what the network sees at once: of an image in 2D, of a patch in 3D."""
        return self.patch or (self.size, self.size)

    @property
    def dimensions(self) -> int:
        """2 or 3."""
        return len(self.sides)

    def total_steps(self, num_cases: int) -> int:
        """Optimiser steps of the full budget for a number of training cases."""
        if self.unit == "steps":
            return self.budget
        return max(self.evaluations, -(-self.budget * num_cases // self.batch))

    def last_step_of(self, evaluation: int, num_cases: int) -> int:
        """The step after which the given evaluation (from 1) is measured."""
        return self.total_steps(num_cases) * evaluation // self.evaluations


def smallest_side(depth: int) -> int:
    """The smallest side of a square that a depth can halve depth - 1 times and still normalise."""
    return int(2**depth)


def fits(depth: int, sides: Sequence[int]) -> bool:
    """Whether a network of this depth takes images or patches of these sides.

    Every halving must come out even, and more than one pixel be left at the bottom, for normalisation divides by their
    spread. (SegResNet's would do with one.)
    """
    return max(sides) >= smallest_side(depth) and all(side % 2 ** (depth - 1) == 0 for side in sides)
