"""Which cases a study is about: the part of the spec that storage owns."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import BaseModel, Field, field_validator, model_validator

from storage.data.preprocessing.intensities import Intensities

Share = Annotated[float, Field(gt=0, lt=1)]
Millimetres = Annotated[float, Field(gt=0, le=100)]
Label = Annotated[int, Field(ge=0, le=65535)]

BRATS_MODALITIES = {"t1": "_t1", "t1ce": "_t1ce", "t2": "_t2", "flair": "_flair"}
OF_PICTURES = ("folder", "nnunet_2d", "phantom")  # kinds
WITH_DATASET_JSON = ("decathlon", "nnunet_2d")
IN_VOLUMES_ALONE = ("modalities", "spacing", "intensities")


class DataSpec(BaseModel, frozen=True, extra="forbid", allow_inf_nan=False):
    """Which cases there are, and how they are divided.

    Attributes:
        kind: Of pictures: "folder" for images/ and masks/ under `path`, "nnunet_2d" for nnU-Net v2 (dataset.json,
            imagesTr/, labelsTr/), "phantom" for the built-in drawn dataset. Of volumes (NIfTI): "volumes" for images/
            and masks/ (or labels/), "decathlon" for the Medical Segmentation Decathlon and nnU-Net v2 (dataset.json,
            imagesTr/, labelsTr/), "brats" for a folder a case, as in BraTS 2020 (NAME/NAME_t1.nii.gz, ...,
            NAME/NAME_seg.nii.gz).
        path: The folder. It may move between runs: what is in it may not change.
        foreground: Labels that count as foreground, or the name of a label or region in dataset.json. By default 1 in
            "volumes", every label but 0 where there is a dataset.json, 1, 2 and 4 (the whole tumour) in "brats". Masks
            of "folder" are black and white unless labels are named.
        background: Labels beside 0 that count as background. Every other label in a mask is an error, but for those
            that dataset.json, or BraTS, knows.
        modalities: What follows a case's name in the files of its modalities, by modality: {ct = "_0000"}. In "volumes"
            by default one modality, in NAME or NAME_0000; in "brats" those of BraTS 2020.
        spacing: Sides of a voxel in mm along right, anterior and superior, which all volumes are resampled to
            (trilinear; a mask voxel is foreground from one half); scores are measured there. Without it they stay as
            they are, and must agree within 1 %.
        intensities: "zscore" brings every channel of a case to mean 0 and SD 1, "zscore_nonzero" its voxels other than
            0 alone, "ct" clips at the 0.5 and 99.5 percentile of the foreground voxels of all cases, then takes their
            mean and SD (nnU-Net's rule). By default "zscore_nonzero" in "brats", else "ct" for a modality of the name
            CT and "zscore" for others.
        empty_masks: Whether cases without foreground are told of, or refused. Those of a dataset that has no other are
            refused in any case.
        split: Shares of training, validation and test cases.
        split_seed: Draws the split.
        together: Cases that must stay on one side of the split, such as near-duplicates; they merge their groups.
        group_pattern: Regular expression that finds a case's group (patient, video sequence) in its name: the first
            capture group, else the whole match.
        groups: CSV file with the columns case and group instead, its path relative to `path`.
        phantom_cases: How many cases the phantom draws.
    """

    kind: Literal["folder", "nnunet_2d", "phantom", "volumes", "decathlon", "brats"] = "folder"
    path: str | None = None
    foreground: Annotated[tuple[Label, ...], Field(min_length=1)] | str | None = None
    background: tuple[Label, ...] = ()
    modalities: Annotated[dict[str, str], Field(min_length=1)] | None = None
    spacing: tuple[Millimetres, Millimetres, Millimetres] | None = None
    intensities: Intensities | None = None
    empty_masks: Literal["warn", "error"] = "warn"
    split: tuple[Share, Share, Share] = (0.7, 0.1, 0.2)
    split_seed: Annotated[int, Field(ge=0)] = 0
    together: tuple[tuple[str, ...], ...] = ()
    group_pattern: str | None = None
    groups: str | None = None
    phantom_cases: Annotated[int, Field(ge=10, le=100_000)] = 200

    @property
    def dimensions(self) -> int:
        """2 for pictures, 3 for volumes."""
        return 2 if self.kind in OF_PICTURES else 3

    @field_validator("group_pattern")
    @classmethod
    def _pattern_is_one(cls, pattern: str | None) -> str | None:
        try:
            re.compile(pattern or "")
        except re.error as error:
            raise ValueError(f"group_pattern must be a regular expression, got {pattern!r} ({error})") from None
        return pattern

    @field_validator("modalities")
    @classmethod
    def _modalities_differ(cls, modalities: dict[str, str] | None) -> dict[str, str] | None:
        suffixes = list((modalities or {}).values())
        twice = next((suffix for suffix in suffixes if suffixes.count(suffix) > 1), None)
        if twice is not None:
            raise ValueError(f"modalities must have a suffix of their own each, got {twice!r} twice")
        return modalities

    @model_validator(mode="after")
    def _groups_come_from_one_place(self) -> DataSpec:
        if self.groups is not None and self.group_pattern is not None:
            raise ValueError("groups (a file) and group_pattern both say which group a case is in; keep one of them")
        if self.groups is not None and self.kind == "phantom":
            raise ValueError("groups is a file in the data folder, which kind 'phantom' has not; drop it")
        return self

    @model_validator(mode="after")
    def _keys_belong_to_the_kind(self) -> DataSpec:
        given = [key for key in IN_VOLUMES_ALONE if getattr(self, key) not in (None, ())]
        if given and self.dimensions == 2:  # noqa: PLR2004 - axes
            raise ValueError(f"{given[0]} is for volumes, and kind {self.kind!r} has pictures; drop it or change kind")
        if self.kind == "decathlon" and self.modalities is not None:
            raise ValueError("modalities are told by dataset.json in kind 'decathlon'; drop them here")
        if isinstance(self.foreground, str) and self.kind not in WITH_DATASET_JSON:
            kinds = " or ".join(map(repr, WITH_DATASET_JSON))
            raise ValueError(
                f"foreground may be a name where a dataset.json knows it (kind {kinds}), got {self.foreground!r}; give "
                "labels, such as [1, 2]"
            )
        return self

    @model_validator(mode="after")
    def _masks_hold_labels(self) -> DataSpec:
        if self.kind == "phantom" and (self.foreground is not None or self.background):
            raise ValueError("masks of kind 'phantom' are drawn, and hold no labels; drop foreground and background")
        if self.kind == "folder" and self.background and self.foreground is None:
            raise ValueError(
                "background names labels, and masks of kind 'folder' are black and white unless foreground "
                "names some; give foreground, such as [1], or drop background"
            )
        return self

    @model_validator(mode="after")
    def _labels_are_one_or_the_other(self) -> DataSpec:
        foreground = () if self.foreground is None or isinstance(self.foreground, str) else self.foreground
        both = sorted({*foreground} & {0, *self.background})
        if both:
            raise ValueError(f"foreground must not hold the label {both[0]}, which is background")
        return self

    @model_validator(mode="after")
    def _shares_add_up(self) -> DataSpec:
        if abs(sum(self.split) - 1) > 1e-6:  # noqa: PLR2004 - rounding
            raise ValueError(f"split must add up to 1, got {sum(self.split):g}")
        return self
