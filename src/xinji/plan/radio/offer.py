"""The radio offer: a host for each site, the carriers on it, and the cells that each can serve."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from xinji.core.arrays import Bools, Codes, Floats, Ints, Strings
from xinji.core.demand import Demand
from xinji.core.offer import EXISTING, FREE, Offer
from xinji.core.region import Region
from xinji.core.vocabulary import BANDS_MHZ, RESOURCES
from xinji.errors import Fault, RegionError, raise_if
from xinji.plan.radio.arcs import Arcs, choose_arcs, wanted_cells
from xinji.plan.radio.bands import read_bands
from xinji.plan.radio.candidates import KINDS, Candidates, propose
from xinji.plan.radio.capacity import band_capacity
from xinji.plan.radio.costs import HOST_KINDS, Costs, read_costs
from xinji.plan.radio.coverage import cover
from xinji.plan.radio.real_places import Masts, at_real_places

PAYERS = {"tower_new": "tower company", "tower_shared": "tower company", "rooftop": "tower company"}
"""Who pays for each kind of host; carriers are the operator's."""

CARRIER_PAYER = "operator"
HOST_OF_KIND = {"existing": "tower_shared", "roof": "rooftop", "roadside": "tower_new"}


@dataclass(frozen=True, slots=True, eq=False)
class _Options:
    """Options (n) by site: ``band`` is the position of a carrier's band, -1 for the host itself."""

    site: Ints
    band: Ints
    host: Ints
    built: Ints


def offer(region: Region, demand: Demand, *, masts: Masts | None = None) -> Offer:
    """Return what radio can be built, at what price, and whom it can serve.

    Each site that reaches somebody is one host, followed by its carriers. A site with bands in use
    stands already (host, those carriers; no fibre is asked for, it has its backhaul); an existing
    structure without bands is a tower to be shared. Sites that ``masts`` names serve from where they
    really stand. Raises RegionError if a facility's bands cannot be read, ParameterError if a figure
    is missing.
    """
    parameters = region.parameters
    candidates, bands = propose(region), read_bands(parameters)
    if masts is not None:
        candidates = at_real_places(region, candidates, masts)
    stands, in_use = bands_in_use(region, candidates)
    coverage = cover(region, candidates, bands, wanted_cells(demand))
    arcs = choose_arcs(region, demand, candidates, coverage, bands)
    options = _options(arcs, stands, in_use)
    carriers = np.full((len(candidates), len(BANDS_MHZ)), -1, dtype=np.int64)
    carriers[options.site[options.band >= 0], options.band[options.band >= 0]] = np.flatnonzero(options.band >= 0)
    kind = _kinds(candidates, options)
    capex, opex = _prices(read_costs(parameters), candidates.group[options.site], kind, options)
    return Offer(
        technology="radio",
        id=_ids(candidates, options),
        kind=kind,
        payer=np.array([PAYERS.get(name, CARRIER_PAYER) for name in kind.tolist()], dtype=np.str_),
        x_m=candidates.x_m[options.site],
        y_m=candidates.y_m[options.site],
        capex=np.where(options.built == EXISTING, 0.0, capex),
        opex=opex,
        host=options.host,
        needs_fibre=(options.band < 0) & (options.built == FREE),
        built=options.built,
        capacity=_capacity(band_capacity(parameters), options),
        arc_cell=arcs.cell,
        arc_service=arcs.service,
        arc_option=carriers[arcs.site, arcs.band],
        arc_share=np.ones(len(arcs)),
        arc_path_limit_m=np.full(len(arcs), np.inf),
    )


def bands_in_use(region: Region, candidates: Candidates) -> tuple[Bools, Bools]:
    """Return whether a candidate carries anything now (sites,), and which planned bands (sites, bands).

    Bands in MHz that are not planned with count as equipment that stands, and are left aside
    otherwise. Raises RegionError with the row of every facility whose bands are no numbers.
    """
    stands = np.zeros(len(candidates), dtype=bool)
    in_use = np.zeros((len(candidates), len(BANDS_MHZ)), dtype=bool)
    faults = []
    for site in np.flatnonzero(candidates.facility >= 0):
        facility = int(candidates.facility[site])
        for name in filter(None, (part.strip() for part in str(region.facilities.bands[facility]).split(";"))):
            if not name.isdigit():
                remedy = "Give bands in MHz separated by ';', for example '700;2600'."
                faults.append(Fault("facilities", f"band {name!r} is no number", remedy, facility))
                continue
            stands[site] = True
            in_use[site] |= np.array(BANDS_MHZ) == int(name)
    raise_if(faults, RegionError)
    return stands, in_use


def _options(arcs: Arcs, stands: Bools, in_use: Bools) -> _Options:
    carried = in_use.copy()
    carried[arcs.site, arcs.band] = True
    # Column 0 is the host, so that one pass in row order puts each host just before its carriers.
    site, column = np.nonzero(np.column_stack([carried.any(axis=1), carried]))
    place = np.arange(len(site))
    host = np.maximum.accumulate(np.where(column == 0, place, 0))
    exists = np.column_stack([stands, in_use])[site, column]
    return _Options(
        site=site,
        band=column - 1,
        host=np.where(column == 0, -1, host),
        built=np.where(exists, EXISTING, FREE),
    )


def _kinds(candidates: Candidates, options: _Options) -> Strings:
    hosts = np.array([HOST_OF_KIND[kind] for kind in KINDS])[candidates.kind[options.site]]
    carriers = np.array([f"carrier_{mhz}" for mhz in BANDS_MHZ])[options.band]
    return np.where(options.band < 0, hosts, carriers)


def _ids(candidates: Candidates, options: _Options) -> Strings:
    site = candidates.id[options.site].tolist()
    names = [
        name if band < 0 else f"{name}-{BANDS_MHZ[band]}"
        for name, band in zip(site, options.band.tolist(), strict=True)
    ]
    return np.array(names, dtype=np.str_)


def _prices(costs: Costs, group: Codes, kind: Strings, options: _Options) -> tuple[Floats, Floats]:
    position = {name: place for place, name in enumerate(HOST_KINDS)}
    host = np.array([position.get(name, 0) for name in kind.tolist()], dtype=np.int64)
    is_host = options.band < 0
    capex = np.where(is_host, costs.host_capex[host], costs.carrier_capex[options.band])
    opex = np.where(is_host, costs.host_opex[host, group], costs.carrier_opex[options.band])
    return capex, opex


def _capacity(by_band: Floats, options: _Options) -> Floats:
    unlimited = np.full(len(RESOURCES), np.inf)
    return np.where((options.band < 0)[:, None], unlimited, by_band[options.band])
