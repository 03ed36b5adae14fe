"""Lists a dataset with a folder a case, as BraTS ships them: NAME/NAME_t1.nii.gz, ..., NAME/NAME_seg.nii.gz.

In BraTS 2020 the labels are 1 (necrotic and non-enhancing core), 2 (oedema) and 4 (enhancing); the whole tumour is all
three (Menze et al. 2015; Bakas et al. 2018). Other years name modalities and labels otherwise: `modalities` and
`foreground` say so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from storage.data.readers.labels import labels_of
from storage.data.readers.nifti import SUFFIXES
from storage.data.readers.pairing import ends_in, files_by_name
from storage.data.readers.volumes import VolumeListing
from storage.data.source import CaseFiles, raise_problems
from storage.data.spec import BRATS_MODALITIES
from storage.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from storage.data.spec import DataSpec

MASK = "_seg"
SAID_BY = "; modalities ([data]) says which are due"
WHOLE_TUMOUR = (1, 2, 4)


def list_brats(spec: DataSpec, folder: Path) -> VolumeListing:
    """A case for every folder with volumes in it, sorted by name.

    Raises:
        DataError: There is no such folder, or no case in it.
    """
    if not folder.is_dir():
        raise DataError(f"no folder {folder} (--data, [data] path)")
    modalities = spec.modalities or BRATS_MODALITIES
    cases, problems = [], []
    for case_folder in sorted(path for path in folder.iterdir() if path.is_dir() and _holds_volumes(path)):
        case, wrong = _case(case_folder, modalities)
        problems += wrong
        cases += [case] if case is not None else []
    if not cases:
        raise_problems(problems, str(folder))
        raise DataError(f"no cases in {folder}; expected folders NAME with files such as NAME{MASK}.nii.gz")
    return VolumeListing(
        folder, tuple(cases), tuple(problems), tuple(modalities), labels_of(spec, WHOLE_TUMOUR, WHOLE_TUMOUR)
    )


def _holds_volumes(folder: Path) -> bool:
    return any(ends_in(path, SUFFIXES) for path in folder.iterdir())


def _case(folder: Path, modalities: Mapping[str, str]) -> tuple[CaseFiles | None, list[str]]:
    files, problems = files_by_name(folder.parent, folder.name, SUFFIXES)
    due = {folder.name + suffix: f"modality {name}" for name, suffix in modalities.items()}
    wanted = due | {folder.name + MASK: "mask"}
    others = sorted(path.name for name, path in files.items() if name not in wanted)
    present = f" (there is {', '.join(others[:3])}; rename it if it is meant)" if others else ""
    problems += [
        f"{folder.name}/{name}.nii[.gz]: missing {what}{present}{SAID_BY if name in due else ''}"
        for name, what in wanted.items()
        if name not in files
    ]
    if any(name not in files for name in wanted):
        return None, problems
    images = tuple(files[folder.name + suffix] for suffix in modalities.values())
    return CaseFiles(folder.name, images, files[folder.name + MASK]), problems
