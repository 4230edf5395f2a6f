"""The field's fixed lists: groups, land uses, road classes, services, resources, technologies.

Codes in arrays are positions in these tuples.
"""

from __future__ import annotations

from dataclasses import dataclass

GROUPS = ("industrial_cluster", "urban", "town", "rural")
"""Groups of demand cells, in order of build-out; they follow from a rule, never by hand."""

LAND_USES = (
    "unclassified",
    "residential",
    "business_office",
    "commercial_service",
    "industrial",
    "transport_station",
    "airport",
    "administrative",
    "educational",
    "medical",
    "sport_cultural",
    "park_greenspace",
    "open",
    "road",
    "water",
)
"""Land use of a cell and class of a clutter pixel (EULUC-China level II, with open, road and water)."""

ROAD_CLASSES = ("motorway", "trunk", "primary", "secondary", "tertiary", "local", "service", "track")
"""Road classes, from OpenStreetMap's ``highway`` values; ``*_link`` counts as its parent class."""

FACILITY_KINDS = ("radio_site", "fibre_pop", "server_room", "data_centre")

TECHNOLOGIES = ("radio", "fibre", "compute")

RESOURCES = ("down_mbps", "up_mbps", "servers")
"""What an option has a capacity of, and a demand uses."""

BANDS_MHZ = (700, 2600, 3500, 4900)


@dataclass(frozen=True, slots=True)
class Service:
    """A service by name, the unit of those it serves, and the technologies it needs at once."""

    name: str
    unit: str
    needs: tuple[str, ...]


SERVICES = (
    Service("mobile_outdoor", "people", ("radio",)),
    Service("mobile_indoor", "people", ("radio",)),
    Service("gigabit", "people", ("fibre",)),
    Service("industrial_wide", "workers", ("radio",)),
    Service("industrial_edge", "workers", ("radio", "compute")),
)
"""Services of a cell. ``industrial_edge`` holds the flows whose latency needs an edge node nearby."""

SERVICE_NAMES = tuple(service.name for service in SERVICES)
