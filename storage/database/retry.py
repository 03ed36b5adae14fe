"""Repeats transactions while the database is away: a restart or a cut network is no reason to lose a study."""

from __future__ import annotations

import logging
import random
import sqlite3
import time
from dataclasses import dataclass, field
from functools import wraps
from itertools import count
from typing import TYPE_CHECKING, Any, TypeVar, cast

from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError

from storage.errors import StorageError

if TYPE_CHECKING:
    from collections.abc import Callable

FIRST_WAIT_SECONDS, LONGEST_WAIT_SECONDS = 0.1, 10.0
_PASSING_SQLITE = ("SQLITE_BUSY", "SQLITE_LOCKED", "SQLITE_FULL", "SQLITE_IOERR", "SQLITE_CANTOPEN")

log = logging.getLogger(__name__)
_Result = TypeVar("_Result")


@dataclass
class RetryPolicy:
    """Retries with backoff; once its time has run out, it retries no more until the database has answered.

    Attributes:
        seconds: For how long at most; with 0 the first failure counts.
    """

    seconds: float = 0.0
    _ran_out: bool = field(default=False, repr=False)

    def call(self, transaction: Callable[[int], _Result]) -> _Result:
        """What ``transaction`` returns; it is called with 1, and again with 2, 3, ... while the database is away.

        Each call must be one transaction that may be repeated: a commit whose answer was lost may have happened.

        Raises:
            StorageError: The database stayed away.
        """
        deadline, wait = time.monotonic() + self.seconds, FIRST_WAIT_SECONDS
        for attempt in count(1):
            try:
                result = transaction(attempt)
            except DBAPIError as error:
                if not is_away(error):
                    raise
                reason, left = reason_of(error), deadline - time.monotonic()
            else:
                self._ran_out = False
                return result
            self._check_time_left(left, reason)
            if attempt == 1:
                log.warning("the database is away (%s); waiting up to %.0f s for it", reason, left)
            time.sleep(min(left, wait * random.uniform(0.5, 1.0)))  # noqa: S311 - drivers shall not come back in step
            wait = min(2 * wait, LONGEST_WAIT_SECONDS)
        raise AssertionError("counting has no end")

    def _check_time_left(self, left: float, reason: str) -> None:
        """Raise when no seconds are left, or none were for another call."""
        if left <= 0 or self._ran_out:
            self._ran_out = True
            raise StorageError(f"the database is away: {reason}; when it is back, the same command goes on (--storage)")


_Transaction = TypeVar("_Transaction", bound="Callable[..., Any]")


def with_retries(transaction: _Transaction) -> _Transaction:
    """Let a function of one transaction be repeated by the retry policy of its first argument, a ledger."""

    @wraps(transaction)
    def retried(ledger: Any, *args: Any, **kwargs: Any) -> Any:
        policy: RetryPolicy = ledger.retry_policy
        return policy.call(lambda _: transaction(ledger, *args, **kwargs))

    return cast("_Transaction", retried)


def is_away(error: DBAPIError) -> bool:
    """Whether the database may answer later: it restarts, its disk is full, or somebody holds its lock for long."""
    if isinstance(error.orig, sqlite3.Error):
        return str(getattr(error.orig, "sqlite_errorname", "")).startswith(_PASSING_SQLITE)
    return error.connection_invalidated or isinstance(error, (OperationalError, InterfaceError))


def reason_of(error: Exception) -> str:
    """The first line of what the driver says; it names host and user, never a password."""
    return (str(getattr(error, "orig", None) or error).splitlines() or ["no reason given"])[0]
