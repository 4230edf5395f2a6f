"""From a plan to its network in detail: the access network of each connected cell, and what a cut costs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from xinji.core.arrays import Floats, Ints
from xinji.core.assets import offer_of
from xinji.core.offer import EXISTING
from xinji.core.study import Study
from xinji.core.vocabulary import TECHNOLOGIES
from xinji.errors import Fault, InputError
from xinji.io.atomic import atomic_folder
from xinji.io.network_files import SUMMARY, write_network_files
from xinji.plan.backhaul.critical import critical_points
from xinji.plan.backhaul.growth import grown_ways
from xinji.plan.backhaul.network import Network
from xinji.plan.fibre.access import access_costs, premises
from xinji.plan.fibre.pon.case import AERIAL, BURIED, WAYS, AccessCase
from xinji.plan.fibre.pon.design import design_access
from xinji.plan.fibre.pon.prices import POLES, read_holes, read_prices
from xinji.plan.fibre.reach import farthest_premises_m, loss_budget
from xinji.workflow.access_summary import network_record, network_text
from xinji.workflow.access_tables import network_lines, network_points, network_tables
from xinji.workflow.hops import BackhaulChoice, choose_backhaul
from xinji.workflow.hops_tables import hop_layer, hop_table, microwave_record, microwave_text, site_table
from xinji.workflow.planned_network import FIBRE, WEIGHTS, PlannedNetwork, joined_nodes, peak_mbps, used_edges
from xinji.workflow.planning import load_study


def plan_network(study: Study) -> PlannedNetwork:
    """Return the access network of ``study``'s plan over the trenches that it digs, which are paid for already.

    Raises InputError where the plan digs nothing, or the parameters do not fit.
    """
    trench = np.flatnonzero(study.plan.trench_stage >= EXISTING)
    if not len(trench):
        remedy = "Raise the budgets or lower the prices, then plan again."
        raise InputError([Fault("plan", "it digs no trench, so there is no network to design", remedy)])
    case, option, cell = access_case(study, trench)
    parameters = study.region.parameters
    lines = float(case.premises_lines.sum())
    peak = float(peak_mbps(study)[cell].sum()) / lines if lines else 0.0
    prices = read_prices(parameters, peak_mbps=peak)
    design = design_access(case, prices, loss_budget(parameters))
    critical = critical_points(_with_existing(study, case), _weights(study, case))
    return PlannedNetwork(study, trench, option, cell, case, prices, design, critical)


@dataclass(frozen=True, slots=True, eq=False)
class WrittenNetwork:
    """A network, the choice between trench and microwave where it was asked for, and the files by name."""

    network: PlannedNetwork
    choice: BackhaulChoice | None
    files: Mapping[str, Path]

    def record(self) -> dict[str, object]:
        """Return the summary as one object."""
        told = network_record(self.network)
        return told | ({"microwave": microwave_record(self.network, self.choice)} if self.choice else {})

    def text(self) -> str:
        """Return the summary in plain words."""
        told = network_text(self.network)
        return told + (f"\n{microwave_text(self.network, self.choice)}" if self.choice else "")


def write_network(plan: Path, out: Path, *, microwave: bool = False) -> WrittenNetwork:
    """Design the network of the plan in folder ``plan``, write its files to the folder ``out``; return all.

    ``access_bill.csv`` (by year, with what the plan's prices hold of it), ``access_money.csv`` (bill and plan price
    by price), ``access_premises.csv`` (loss of every path), ``critical_trenches.csv``, ``critical_nodes.csv``,
    ``network.gpkg`` and the summary ``network.json``; all or nothing. An earlier network in ``out`` is replaced.
    With ``microwave`` ``site_backhaul.csv`` and ``microwave_hops.csv`` too, and a layer of the hops.

    Raises InputError where the plan is not whole, OutputError where ``out`` holds anything else or the
    disk refuses.
    """
    with atomic_folder(out, marker=SUMMARY) as fresh:
        found = plan_network(load_study(plan))
        tables, lines = network_tables(found), network_lines(found)
        choice = choose_backhaul(found) if microwave else None
        if choice is not None:
            tables |= {"site_backhaul": site_table(found, choice), "microwave_hops": hop_table(choice)}
            lines |= {"microwave_hops": hop_layer(choice)}
        told = WrittenNetwork(found, choice, {})
        names = write_network_files(fresh, found.study, tables, (lines, network_points(found)), told.record())
    return replace(told, files={name: out / name for name in names})


def access_case(study: Study, trench: Ints) -> tuple[AccessCase, Ints, Ints]:
    """Return the access case over the built trenches ``trench`` (b,), and option and cell of each premises (p,).

    Cells that the plan connects are premises, each with the way that it has when it is connected; what is
    connected already keeps its cables.
    """
    region, trenches, problem, plan = study.region, study.trenches, study.problem, study.plan
    offer, option = offer_of(study, FIBRE)
    arcs = np.unique(np.stack([option[offer.arc_option], offer.arc_cell], axis=1), axis=0)
    arcs = arcs[(arcs[:, 0] >= 0) & (plan.stage[arcs[:, 0]] > EXISTING)]
    costs = access_costs(region.parameters)
    cells = region.cells
    count = premises(cells.residents, cells.workers, costs)[arcs[:, 1]] * costs.take_up
    case = AccessCase(
        node_count=len(trenches.node_x_m),
        from_node=trenches.from_node[trench],
        to_node=trenches.to_node[trench],
        length_m=trenches.length_m[trench],
        opening=np.zeros((len(trench), len(WAYS))),
        holes=_holes(study, trench),
        other_cables=np.zeros(len(trench), dtype=np.int64),
        exchanges=np.unique(trenches.roots),
        premises_node=problem.node[arcs[:, 0]],
        premises_lines=np.ceil(count - 1e-9).astype(np.int64),
        premises_stage=plan.stage[arcs[:, 0]],
        premises_tail_m=_tails(study)[arcs[:, 1]],
        stages=problem.stages,
    )
    way = np.where(trenches.method[trench] == POLES, AERIAL, BURIED)
    grown = grown_ways(_network(case), plan.trench_stage[trench], problem.stages)
    opening = np.full((len(trench), len(WAYS)), np.inf)
    opening[np.flatnonzero(grown), way[grown]] = 0.0
    case = replace(case, opening=opening)
    return replace(case, other_cables=_other_cables(study, case)), arcs[:, 0], arcs[:, 1]


def _network(case: AccessCase) -> Network:
    return Network(case.node_count, case.from_node, case.to_node, case.length_m, case.exchanges)


def _with_existing(study: Study, case: AccessCase) -> Network:
    """Return the built trenches; what exists is joined already, by fibre that the region does not tell."""
    network, problem = _network(case), study.problem
    existing = problem.node[(study.plan.stage == EXISTING) & (problem.node >= 0)]
    return replace(network, roots=np.union1d(network.roots, existing))


def _nodes(study: Study) -> Ints:
    """Return the trench node by which each option is joined, its own or that of its host (n,); -1 where none."""
    problem = study.problem
    node, host = problem.node.copy(), problem.host.copy()
    while ((node < 0) & (host >= 0)).any():
        lost = np.flatnonzero((node < 0) & (host >= 0))
        node[lost], host[lost] = problem.node[host[lost]], problem.host[host[lost]]
    return node


def _tails(study: Study) -> Floats:
    """Return the fibre [m] from the trench node of each cell to its farthest premises (cells,)."""
    cells, trenches = study.region.cells, study.trenches
    at_roots = replace(trenches, roots=np.arange(len(trenches.node_x_m)))
    return farthest_premises_m(cells, at_roots)[0]


def _holes(study: Study, trench: Ints) -> Ints:
    """Return the holes of duct in the price of each built trench (b,)."""
    holes = read_holes(study.region.parameters)
    return np.array([holes[str(method)] for method in study.trenches.method[trench]], dtype=np.int64)


def _other_cables(study: Study, case: AccessCase) -> Ints:
    """Return other cables in each edge (b,): one where a site, edge node or existing cell is joined beyond it."""
    plan, problem = study.plan, study.problem
    existing = problem.node[(plan.stage == EXISTING) & (problem.node >= 0)]
    others = [joined_nodes(study, name) for name in TECHNOLOGIES if name != FIBRE]
    sites = np.unique(np.concatenate([*others, existing]))
    alone = replace(
        case,
        premises_node=sites,
        premises_lines=np.ones(len(sites), dtype=np.int64),
        premises_stage=np.ones(len(sites), dtype=np.int64),
        premises_tail_m=np.zeros(len(sites)),
    )
    return used_edges(alone).astype(np.int64)


def _weights(study: Study, case: AccessCase) -> Floats:
    """Return what stands at each node (n, len(WEIGHTS))."""
    weight = np.zeros((case.node_count, len(WEIGHTS)))
    plan = study.plan
    node = _nodes(study)
    mine = (plan.stage >= EXISTING) & (node >= 0)
    np.add.at(weight[:, 0], node[mine], np.maximum(plan.reasons.worth[mine], 0.0))
    np.add.at(weight[:, 1], case.premises_node, case.premises_lines)
    for column, technology in ((2, TECHNOLOGIES[0]), (3, TECHNOLOGIES[2])):
        np.add.at(weight[:, column], joined_nodes(study, technology), 1.0)
    return weight


__all__ = ["WrittenNetwork", "access_case", "plan_network", "write_network"]
