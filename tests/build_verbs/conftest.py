"""Ledgers in both databases, on a day that lies after all that the sheets here tell."""

from __future__ import annotations

import pytest

from support.ledger_stores import ledger_place
from xinji.workflow import building_days

__all__ = ["ledger_place"]

TODAY = "2030-06-30"


@pytest.fixture(autouse=True)
def today(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let it be ``TODAY``: what a build office records has happened."""
    monkeypatch.setattr(building_days, "today", lambda: TODAY)
