"""What a person can put right, as exceptions.

InputError            one clear message: rule, value, remedy, place
├── DataError         a dataset that cannot be read as it stands
└── StorageError      a database that cannot be opened, or a study that does not fit what was asked
LostLease             a write came too late: the cell belongs to somebody else by now (no person's fault)
"""

from __future__ import annotations


class InputError(Exception):
    """Input that a person can put right; the command line prints it and exits with 2."""


class DataError(InputError):
    """A dataset that cannot be read as it stands."""


class StorageError(InputError):
    """A database that cannot be opened, or a study in it that does not fit what was asked."""


class LostLease(Exception):  # noqa: N818 - the word of the field; it is an outcome, not a defect
    """The cell was given to another owner; the late writer must write nothing."""
