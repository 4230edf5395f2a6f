"""What a cell of a build office's sheet says: money to the cent, days, numbers, words; never a guess."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import TypeVar

from xinji.io.acceptance_sheet import Cell
from xinji.units import CENTS_PER_UNIT

MONEY_MAX = Decimal(10) ** 13
"""No amount of a facility is larger [currency units]; more is a slip of the pen."""

_POWER_MAX = 30
"""Powers of ten beyond which a number is none of a build office's; arithmetic with it would overflow."""
_FILE_DIGITS = 15
"""Digits that Excel keeps of a number; what stands behind them is the computer's, not the user's."""
_DAY = re.compile(r"^(\d{4})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})\s*日?(?:[T\s]+00:00(?::00(?:\.0+)?)?)?$")
_COMPACT = re.compile(r"^(\d{4})(\d{2})(\d{2})$")
_GROUPED = re.compile(r"^[-+]?\d{1,3}(,\d{3})+(\.\d*)?$")
_CURRENCIES = ("¥", "￥", "元", "CNY", "RMB", "USD", "$")

Word = TypeVar("Word", int, str)


class CellError(ValueError):
    """What is wrong with a cell: ``found`` in words, and how to mend it."""

    def __init__(self, found: str, remedy: str) -> None:
        super().__init__(found)
        self.found, self.remedy = found, remedy


def text_of(cell: Cell) -> str:
    """Return a cell as text: numbers without a needless decimal point, as Excel shows codes; empty for None."""
    if cell is None:
        return ""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell)


def day_of(cell: Cell) -> str:
    """Return the day of a cell as ISO 8601: an Excel date, or year, month and day in this order.

    Raises CellError where it is none.
    """
    remedy = "Write the day as 2027-03-05, or as a date cell in Excel."
    if isinstance(cell, dt.datetime):
        if cell.time() != dt.time():
            raise CellError(f"is {cell.isoformat(sep=' ')}, a time of day", "Give the day alone.")
        return cell.date().isoformat()
    if isinstance(cell, dt.date):
        return cell.isoformat()
    text = text_of(cell)
    match = _DAY.match(text) or _COMPACT.match(text)
    if match is None:
        raise CellError(f"is {text!r}, which is no day", remedy)
    try:
        return dt.date(*(int(part) for part in match.groups())).isoformat()
    except ValueError as error:
        raise CellError(f"is {text!r}, a day that no calendar has", remedy) from error


def decimal_of(cell: Cell) -> Decimal:
    """Return the number of a cell exactly as it is written, thousands marked or not.

    Raises CellError where it is none.
    """
    remedy = "Write digits with a point before the decimals, for example 12345.60."
    if isinstance(cell, float):
        return Decimal(f"{cell:.{_FILE_DIGITS}g}") if cell == cell else _refuse(cell, remedy)  # noqa: PLR0124
    if isinstance(cell, int) and not isinstance(cell, bool):
        return Decimal(cell)
    text = text_of(cell).replace("，", ",").replace("．", ".").replace("−", "-")
    if "," in text and not _GROUPED.match(text):
        return _refuse(cell, f"{remedy} A comma may mark thousands only.")
    try:
        value = Decimal(text.replace(",", ""))
    except InvalidOperation:
        return _refuse(cell, remedy)
    if value.is_finite() and value.adjusted() > _POWER_MAX:
        raise CellError(f"is {text[:40]}, more than any amount or length", remedy)
    return value if value.is_finite() and not text.lower().startswith("0x") else _refuse(cell, remedy)


def _refuse(cell: Cell, remedy: str) -> Decimal:
    raise CellError(f"is {text_of(cell)!r}, which is no number", remedy)


def cents_of(cell: Cell, factor: int, *, negative: bool = False) -> int:
    """Return the money of a cell [cents], which holds ``factor`` currency units to its one.

    Raises CellError where it is no number, below 0 unless ``negative``, has parts of a cent or is
    larger than ``MONEY_MAX``.
    """
    if isinstance(cell, str):
        cell = _without_currency(cell)
    exact = decimal_of(cell) * factor * CENTS_PER_UNIT
    if exact != exact.to_integral_value():
        raise CellError(f"is {text_of(cell)}, which has parts of a cent", "Give money to the cent, not finer.")
    if abs(exact) > MONEY_MAX * CENTS_PER_UNIT:
        raise CellError(f"is {text_of(cell)}, more than {MONEY_MAX:,}", "Check the unit in the column's heading.")
    if exact < 0 and not negative:
        raise CellError(f"is {text_of(cell)}, below 0", "Give an amount of at least 0.")
    return int(exact)


def _without_currency(text: str) -> str:
    for mark in _CURRENCIES:
        text = text.removeprefix(mark).removesuffix(mark)
    return text.strip()


def number_of(cell: Cell, low: float, high: float) -> float:
    """Return the number of a cell. Raises CellError where it is none or not within ``low`` to ``high``."""
    value = float(decimal_of(cell))
    if not low <= value <= high:
        raise CellError(f"is {value:g}", f"Give a number from {low:g} to {high:g}.")
    return value


def whole_of(cell: Cell, low: int, high: int) -> int:
    """Return the whole number of a cell. Raises CellError where it is none or not within ``low`` to ``high``."""
    value = number_of(cell, low, high)
    if not value.is_integer():
        raise CellError(f"is {text_of(cell)}, with decimals", f"Give a whole number from {low} to {high}.")
    return int(value)


def word_of(cell: Cell, words: Mapping[str, Word], known: str) -> Word:
    """Return what the word of a cell stands for. Raises CellError where it is none of ``words``, naming ``known``."""
    text = text_of(cell)
    key = " ".join(text.split()).lower()
    if key not in words:
        raise CellError(f"is {text!r}", f"Use one of {known}.")
    return words[key]
