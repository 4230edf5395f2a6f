"""The ledger's tests run on both databases."""

from __future__ import annotations

from support.ledger_stores import ledger_place

__all__ = ["ledger_place"]
