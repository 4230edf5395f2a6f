"""Keys that sign a ledger's events: make one, and let a name sign with it."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from xinji.build.event_drafts import key_trusted
from xinji.build.ledger import Ledger
from xinji.build.signature import PrivateKey, make_key


def new_key(path: Path) -> str:
    """Make a key in the new file ``path`` and return its public half.

    Raises InputError where the file exists, OutputError where it cannot be written.
    """
    return make_key(path).public


def trust_key(place: str, name: str, public: str, who: str, key: PrivateKey | None) -> str:
    """Record in the ledger at ``place`` that ``name`` signs with ``public``; return the head after it.

    Raises InputError where the key is none or trusted already, or ``who`` may not say so.
    """
    day = dt.datetime.now(tz=dt.UTC).date().isoformat()
    with Ledger.open(place, who=who, key=key) as ledger:
        ledger.append([key_trusted(name, public, day=day)])
        return str(ledger.head())
