"""Numbers as a reader wants them, in words of a language."""

from __future__ import annotations

import math

from xinji.show.text import Words
from xinji.units import CENTS_PER_UNIT

_MILLION, _WAN, _YI = 1e6, 1e4, 1e8


def count(value: float) -> str:
    """Return a whole number with thousands marked."""
    return f"{value:,.0f}"


def short(value: float) -> str:
    """Return three significant digits, thousands marked."""
    if value == 0 or not math.isfinite(value):
        return "0" if value == 0 else "∞"
    digits = max(0, 2 - math.floor(math.log10(abs(value))))
    return f"{round(value, 2 - math.floor(math.log10(abs(value)))):,.{digits}f}".replace("-", "−")


def exact(value: float) -> str:
    """Return a parameter as it was given, without needless digits."""
    return f"{value:,.10g}" if abs(value) >= 1e4 else f"{value:.10g}"


def percent(share: float, digits: int = 1) -> str:
    """Return a share as a percentage."""
    return f"{100 * share:.{digits}f} %"


def signed_percent(share: float) -> str:
    """Return a change as a percentage with its sign."""
    return f"{round(100 * share, 1) + 0.0:+.1f} %".replace("-", "−")


def signed(value: float) -> str:
    """Return a whole change with its sign."""
    return f"{value:+,.0f}".replace("-", "−")


def currency_name(text: Words, currency: str) -> str:
    """Return what the currency is called; one without a name keeps its code."""
    return text.get(f"currency.{currency}", currency)


def money(text: Words, currency: str, cents: float) -> str:
    """Return an amount of money in words: millions in English, 万 and 亿 in Chinese."""
    amount, name = cents / CENTS_PER_UNIT, currency_name(text, currency)
    if text["language.code"] == "zh":
        if abs(amount) >= _YI:
            written = f"{amount / _YI:,.2f} 亿"
        else:
            written = f"{amount / _WAN:,.0f} 万" if abs(amount) >= 100 * _WAN else f"{amount / _WAN:,.1f} 万"
    elif abs(amount) >= _MILLION:
        written = text["number.million"].format(value=f"{amount / _MILLION:,.1f}")
    else:
        written = f"{amount:,.0f}"
    return text["number.money"].format(currency=name, amount=written)


def cents_text(cents: int) -> str:
    """Return ``cents`` in currency units to the cent."""
    return f"{cents / CENTS_PER_UNIT:,.2f}".replace("-", "−")


def signed_cents(cents: int) -> str:
    """Return a change of ``cents`` in currency units to the cent, with its sign; none has no sign."""
    return f"{cents / CENTS_PER_UNIT:+,.2f}".replace("-", "−") if cents else "0.00"


def money_unit(text: Words, currency: str) -> tuple[str, float]:
    """Return the unit of money on axes and in tables, and how many cents it holds."""
    size = _WAN if text["language.code"] == "zh" else _MILLION
    return text["number.unit"].format(currency=currency_name(text, currency)), size * CENTS_PER_UNIT


def in_unit(cents: float, unit_cents: float) -> str:
    """Return an amount in a unit of money, as a table shows it."""
    digits = 0 if unit_cents < _MILLION * CENTS_PER_UNIT else 2
    # Adding 0.0 takes the sign from a zero.
    return f"{round(cents / unit_cents, digits) + 0.0:,.{digits}f}".replace("-", "−")
