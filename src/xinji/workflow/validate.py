"""Validation: published figures against what the models compute, set by set.

A case is a row of a table or a log of ITU-R P.1812. It passes if every figure that its source gives
is met within the tolerance; where the source says that the inputs are refused, refusing passes.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from xinji.errors import InputError, raise_if
from xinji.io.validation import SETS, ValidationData, read_validation
from xinji.workflow.validate_p1812 import p1812_result
from xinji.workflow.validate_result import Failure, SetResult, exit_status, table
from xinji.workflow.validate_tables import code_faults, table_results

__all__ = ["Failure", "SetResult", "exit_status", "table", "validate_radio"]


def validate_radio(data: Path) -> tuple[SetResult, ...]:
    """Return how every set in the folder ``data`` fares; folders that are no known set are listed last.

    Raises InputError with every fault of every file; see ``xinji.io.validation.read_validation``.
    """
    read = read_validation(data)
    raise_if(code_faults(read), InputError)
    return tuple(_results(read))


def _results(read: ValidationData) -> Iterator[SetResult]:
    if read.p1812 is not None:
        yield p1812_result(read.p1812)
    for name in SETS:
        if name in read.tables:
            yield from table_results(name, read.tables[name])
    for name in read.others:
        yield SetResult(name, 0, 0, None, "", None, note="not supported")
