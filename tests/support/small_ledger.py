"""A small ledger, and what is put into it again and again."""

from __future__ import annotations

import math
from dataclasses import replace

from xinji.build import event_drafts as drafts
from xinji.build.event import Draft
from xinji.build.event_drafts import PlannedAsset
from xinji.build.ledger import Ledger
from xinji.build.signature import PrivateKey

DAY = "2026-01-01"
SITE = PlannedAsset("site", "radio", "macro", "north", 2027, 500_000.25, 3_400_000.5, math.nan, 250_000_00, 12_000_00)


def asset(name: str, *, year: int = 2027, capex: int = 250_000_00) -> PlannedAsset:
    """Return a radio site called ``name``."""
    return replace(SITE, id=name, year=year, capex=capex)


def new_ledger(place: str, *, who: str = "li", key: PrivateKey | None = None) -> Ledger:
    """Return a new ledger at ``place`` with nothing but its region."""
    years = (2026, 2027, 2028)
    return Ledger.create(place, region="tiny", crs="EPSG:32650", currency="CNY", years=years, day=DAY, who=who, key=key)


def registered(*names: str) -> list[Draft]:
    """Return what registers radio sites called ``names``."""
    return [drafts.registered(asset(name), day=DAY, baseline="first") for name in names]


def built(name: str, *, capex: int = 260_000_00) -> list[Draft]:
    """Return what takes the planned site ``name`` to built, a month a step, and pays half."""
    return [
        drafts.advanced(name, "approved", day="2026-02-01"),
        drafts.contract_let(name, day="2026-03-01", contract="C-1", contractor="某建设公司", capex=capex),
        drafts.advanced(name, "contracted", day="2026-03-01"),
        drafts.advanced(name, "under_construction", day="2026-04-01"),
        drafts.paid(name, day="2026-05-01", cents=capex // 2, reference="INV-1"),
        drafts.placed(name, day="2026-06-01", x_m=500_003.5, y_m=3_400_001.0, method="GNSS"),
        drafts.advanced(name, "built", day="2026-06-01"),
    ]
