"""The facilities that a plan is made again from, out of a ledger of the same region."""

from __future__ import annotations

from xinji.build.ledger import Ledger
from xinji.core.facilities import Facilities
from xinji.errors import Fault, InputError, raise_if
from xinji.io.config import CONFIG_FILE, read_config
from xinji.io.region import locate


def read_ledger(place: str, region: str, *, at: str = "") -> Facilities:
    """Return the facilities of the ledger at ``place`` as of the end of the day ``at``, empty for its latest.

    ``region`` is a built-in one or a folder. Raises InputError where the ledger cannot be read or is
    of another region, CRS or currency: then ids, places and sums mean different things.
    """
    config = read_config(locate(region) / CONFIG_FILE)
    with Ledger.open(place) as ledger:
        facts = ledger.region()
        pairs = (
            ("region", facts.region, config.name),
            ("CRS", facts.crs, config.crs),
            ("currency", facts.currency, config.currency),
        )
        remedy = "Name the region that the ledger's plan was made of."
        raise_if(
            [
                Fault("ledger", f"its {name} is {theirs}, that of the region to plan is {ours}", remedy)
                for name, theirs, ours in pairs
                if theirs != ours
            ],
            InputError,
        )
        return ledger.facilities(at)
