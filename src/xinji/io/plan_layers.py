"""The layers of a plan as tables with shapes, one for each thing that a map shows."""

from __future__ import annotations

import re
from collections.abc import Mapping
from importlib.metadata import version

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from xinji.core.arrays import Ints, Shapes
from xinji.core.assets import Assets, assets_of, calendar_year, offer_of
from xinji.core.offer import EXISTING, FORBIDDEN
from xinji.core.problem import NEVER
from xinji.core.study import Study
from xinji.core.vocabulary import GROUPS, LAND_USES, SERVICE_NAMES, TECHNOLOGIES
from xinji.units import CENTS_PER_UNIT

FREE_WORD, FIXED_WORD, FORBIDDEN_WORD = "free", "fixed", "forbidden"
DECISIONS = (FREE_WORD, FIXED_WORD, FORBIDDEN_WORD)
"""What a planner may decide on an option or trench in the ``decision`` column."""

OPTION_LAYERS = ("sites", "carriers", "gigabit", "fibre_nodes", "edge_nodes")
"""The layers whose rows are options; a row's ``id`` is the option's."""

Words = Mapping[str, str]
"""The words of one language, as ``xinji.show.text.words`` gives them."""


def plan_layers(study: Study, words: Words) -> dict[str, gpd.GeoDataFrame]:
    """Return the layers of ``study`` by name, in drawing order from the ground up.

    ``words`` gives the reasons in the reader's language. A layer without rows is left out.
    """
    assets = assets_of(study)
    layers = {
        "boundary": gpd.GeoDataFrame({"name": [study.region.name]}, geometry=[study.region.boundary]),
        "cells": _cells(study),
        "gigabit": _areas(study, assets, words),
        "trenches": _trenches(study, words),
        "fibre_nodes": _points(study, assets, _of(study, assets, "fibre_nodes"), words),
        "sites": _sites(study, assets, words),
        "carriers": _carriers(study, assets, words),
        "edge_nodes": _points(study, assets, _of(study, assets, "edge_nodes"), words),
    }
    return {name: layer.set_crs(study.region.crs) for name, layer in layers.items() if len(layer)}


def plan_facts(study: Study) -> dict[str, str | float | int]:
    """Return what names a plan and proves it: version, fingerprint, objective, bound, gap and years."""
    plan, years = study.plan, study.policy.years
    return {
        "region": study.region.name,
        "version": version("xinji"),
        "fingerprint": plan.fingerprint,
        "question": study.policy.question,
        "currency": study.region.currency,
        "first_year": years[0],
        "last_year": years[-1],
        "objective": plan.objective,
        "bound": plan.bound,
        "gap": plan.gap,
    }


def layer_of(technology: str, *, hosted: bool, areal: bool) -> str:
    """Return the layer of an option: ``hosted`` on another, ``areal`` if it serves cells by fibre."""
    if technology == "radio":
        return "carriers" if hosted else "sites"
    if technology == "fibre":
        return "gigabit" if areal else "fibre_nodes"
    return "edge_nodes"


def _of(study: Study, assets: Assets, layer: str) -> Ints:
    """Return the positions of the options that stand in ``layer``."""
    areal = np.zeros(len(assets), dtype=bool)
    for place, offer in enumerate(study.offers):
        serving = np.unique(offer.arc_option)
        areal[(study.option_offer == place) & np.isin(study.option_place, serving)] = True
    names = [
        layer_of(technology, hosted=host >= 0, areal=serves)
        for technology, host, serves in zip(
            assets.technology.tolist(), assets.host.tolist(), areal.tolist(), strict=True
        )
    ]
    return np.flatnonzero(np.array(names, dtype=np.str_) == layer)


def _years(year: Ints) -> pd.Series[int]:
    """Return calendar years with null for never; 0 stands for what exists."""
    return pd.Series(pd.array(year.tolist(), dtype="Int32")).mask(year == NEVER)


def _decisions(built: Ints, years: Ints) -> dict[str, object]:
    """Return the columns that a planner may edit: what is committed is fixed, what is forbidden stays so."""
    committed = built > EXISTING
    word = np.where(committed, FIXED_WORD, np.where(built == FORBIDDEN, FORBIDDEN_WORD, FREE_WORD))
    fixed = pd.Series(pd.array(calendar_year(built, years).tolist(), dtype="Int32")).mask(~committed)
    return {"decision": word, "fixed_year": fixed}


def _options(study: Study, assets: Assets, chosen: Ints, words: Words) -> dict[str, object]:
    """Return the columns that every option layer has."""
    reasons, problem = study.plan.reasons, study.problem
    year = assets.year[chosen]
    return {
        "id": assets.id[chosen],
        "kind": assets.kind[chosen],
        "status": _status(year),
        "year_built": _years(year),
        **_decisions(problem.built[chosen], problem.years),
        "capex": assets.capex[chosen] / CENTS_PER_UNIT,
        "opex": assets.opex[chosen] / CENTS_PER_UNIT,
        "payer": assets.payer[chosen],
        "reason": [words[f"reason.{code}"] for code in reasons.code[chosen].tolist()],
        "reason_code": reasons.code[chosen],
        "cost_to_force": reasons.cost_to_force[chosen],
        "price": reasons.price[chosen],
        "worth": reasons.worth[chosen],
    }


def _status(year: Ints) -> list[str]:
    return ["existing" if y == 0 else "never" if y == NEVER else "planned" for y in year.tolist()]


def _frame(columns: Mapping[str, object], shapes: Shapes) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(dict(columns), geometry=shapes)


def _points(study: Study, assets: Assets, chosen: Ints, words: Words) -> gpd.GeoDataFrame:
    shapes = np.asarray(shapely.points(assets.x_m[chosen], assets.y_m[chosen]), dtype=object)
    return _frame(_options(study, assets, chosen, words), shapes)


def _sites(study: Study, assets: Assets, words: Words) -> gpd.GeoDataFrame:
    """Return one row for each site, with a column of years for each kind of carrier that stands on it."""
    chosen = _of(study, assets, "sites")
    sites = _points(study, assets, chosen, words)
    place = {option: row for row, option in enumerate(chosen.tolist())}
    hosted = _of(study, assets, "carriers")
    for kind in np.unique(assets.kind[hosted]).tolist():
        year = np.full(len(chosen), NEVER)
        for i in hosted[assets.kind[hosted] == kind].tolist():
            row = place[_foot(assets.host, i)]
            old, new = int(year[row]), int(assets.year[i])
            # The earliest counts where a site has several carriers of a kind; what exists is earliest.
            year[row] = new if old == NEVER else old if new == NEVER else min(old, new)
        sites[f"{_column(kind)}_year"] = _years(year)
    return sites


def _foot(host: Ints, option: int) -> int:
    """Return the option at the foot of the chain of hosts."""
    while host[option] >= 0:
        option = int(host[option])
    return option


def _column(kind: str) -> str:
    return re.sub(r"\W+", "_", kind).strip("_").lower()


def _carriers(study: Study, assets: Assets, words: Words) -> gpd.GeoDataFrame:
    chosen = _of(study, assets, "carriers")
    carriers = _points(study, assets, chosen, words)
    carriers.insert(1, "site", assets.id[[_foot(assets.host, i) for i in chosen.tolist()]])
    return carriers


def _areas(study: Study, assets: Assets, words: Words) -> gpd.GeoDataFrame:
    """Return the cells that each fibre option connects, as multipolygons."""
    chosen = _of(study, assets, "gigabit")
    if not len(chosen):
        return gpd.GeoDataFrame({"id": []}, geometry=[])
    offer, option = offer_of(study, TECHNOLOGIES[1])
    pairs = np.unique(np.stack([option[offer.arc_option], offer.arc_cell], axis=1), axis=0)
    start = np.searchsorted(pairs[:, 0], chosen)
    end = np.searchsorted(pairs[:, 0], chosen, side="right")
    shapes = [
        _multi(study.region.cells.shape[pairs[a:b, 1]]) for a, b in zip(start.tolist(), end.tolist(), strict=True)
    ]
    return _frame(_options(study, assets, chosen, words), np.array(shapes, dtype=object))


def _multi(shapes: Shapes) -> shapely.MultiPolygon:
    parts = np.asarray(shapely.get_parts(shapely.union_all(shapes) if len(shapes) > 1 else shapes), dtype=object)
    return shapely.MultiPolygon(parts.tolist())


def _trenches(study: Study, words: Words) -> gpd.GeoDataFrame:
    trenches, problem = study.trenches, study.problem
    year = calendar_year(study.plan.trench_stage, problem.years)
    status = _status(year)
    columns = {
        "id": trenches.id,
        "kind": trenches.method,
        "status": status,
        "year_built": _years(year),
        **_decisions(problem.trench_built, problem.years),
        "length_m": trenches.length_m,
        "capex": problem.trench_capex / CENTS_PER_UNIT,
        "opex": problem.trench_opex / CENTS_PER_UNIT,
        "payer": np.full(len(trenches), trenches.payer),
        "reason": [words[f"trench.{word}"] for word in status],
    }
    return _frame(columns, trench_shapes(study))


def trench_shapes(study: Study) -> Shapes:
    """Return the line of each trench: its road's, or straight from end to end where it follows none."""
    trenches = study.trenches
    ends = np.stack([trenches.from_node, trenches.to_node], axis=1)
    xy = np.stack([trenches.node_x_m[ends], trenches.node_y_m[ends]], axis=2)
    straight = np.asarray(shapely.linestrings(xy), dtype=object)
    roads = study.region.roads.shape
    return np.where(trenches.road >= 0, roads[np.maximum(trenches.road, 0)], straight) if len(roads) else straight


def _cells(study: Study) -> gpd.GeoDataFrame:
    """Return the demand cells: people, demand of the last year, and the share that is served then."""
    cells, demand = study.region.cells, study.demand
    columns: dict[str, object] = {
        "id": cells.id,
        "group": np.array(GROUPS)[cells.group],
        "land_use": np.array(LAND_USES)[cells.land_use],
        "residents": cells.residents,
        "workers": cells.workers,
        "down_mbps": demand.amount[:, :, -1, 0].sum(axis=1),
        "up_mbps": demand.amount[:, :, -1, 1].sum(axis=1),
    }
    for k, name in enumerate(SERVICE_NAMES):
        columns[f"users_{name}"] = demand.users[:, k, -1]
        columns[f"served_{name}"] = np.round(study.outcome.cell_served[:, k, -1], 6)
    shapes = np.array([_multi(np.array([shape], dtype=object)) for shape in cells.shape], dtype=object)
    return _frame(columns, shapes)
