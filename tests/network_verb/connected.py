"""A small plan that connects everything, made without the radio models, which take long to compile."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from support.study import made_up_study
from support.tiny import tiny_region
from xinji.core.offer import FREE, Offer
from xinji.core.plan import Reasons
from xinji.core.region import Region
from xinji.core.study import Study
from xinji.core.vocabulary import RESOURCES
from xinji.plan.choose.assemble import assemble
from xinji.plan.demand import forecast
from xinji.plan.fibre.offer import offer as fibre_offer
from xinji.plan.fibre.pon.case import AccessCase
from xinji.plan.fibre.trench import trenches as trench_graph
from xinji.plan.radio.candidates import propose
from xinji.workflow.planned_network import used_edges


def _radio(region: Region) -> Offer:
    """Return every candidate site with one carrier, which serves the cell nearest to it."""
    sites = propose(region)
    n = len(sites)
    host = np.arange(2 * n) < n
    away = np.hypot(*(a[:, np.newaxis] - b for a, b in ((sites.x_m, region.cells.x_m), (sites.y_m, region.cells.y_m))))
    return Offer(
        technology="radio",
        id=np.array([*sites.id.tolist(), *(f"{name}-700" for name in sites.id.tolist())], dtype=np.str_),
        kind=np.where(host, "tower_new", "carrier_700"),
        payer=np.full(2 * n, "operator"),
        x_m=np.tile(sites.x_m, 2),
        y_m=np.tile(sites.y_m, 2),
        capex=np.full(2 * n, 100_000.0),
        opex=np.full(2 * n, 10_000.0),
        host=np.where(host, -1, np.arange(2 * n) - n),
        needs_fibre=host,
        built=np.full(2 * n, FREE, dtype=np.int64),
        capacity=np.where(host[:, np.newaxis], np.inf, np.full(len(RESOURCES), 100.0)),
        arc_cell=away.argmin(axis=1),
        arc_service=np.zeros(n, dtype=np.uint8),
        arc_option=n + np.arange(n),
        arc_share=np.ones(n),
        arc_path_limit_m=np.full(n, np.inf),
    )


def connected_study(seed: int) -> Study:
    """Return a plan that connects every cell and site, each the shortest way, some a year later than others."""
    region, policy = tiny_region(seed)
    demand, graph = forecast(region, policy), trench_graph(region)
    offers = (_radio(region), fibre_offer(region, demand, graph))
    made = assemble(region.cells, policy, demand, graph, offers)
    problem, pattern = made.problem, made_up_study()
    n, m = len(problem.option_id), len(problem.trench_id)
    stage = np.where(np.arange(n) % 3, 1, 2)
    wanted = problem.node[problem.node >= 0]
    m_zero = np.zeros(m, dtype=np.int64)
    case = AccessCase(
        node_count=problem.node_count,
        from_node=problem.from_node,
        to_node=problem.to_node,
        length_m=problem.trench_length_m,
        opening=np.zeros((m, 2)),
        holes=m_zero,
        other_cables=m_zero,
        exchanges=problem.roots,
        premises_node=wanted,
        premises_lines=np.ones(len(wanted), dtype=np.int64),
        premises_stage=np.ones(len(wanted), dtype=np.int64),
        premises_tail_m=np.zeros(len(wanted)),
        stages=1,
    )
    reasons = Reasons(np.full(n, "in"), np.zeros(n), np.zeros(n), np.arange(n, dtype=np.float64))
    dug = np.where(used_edges(case), 1, -1)
    plan = replace(pattern.plan, stage=stage, trench_stage=dug, reasons=reasons)
    places = (made.option_offer, made.option_place, made.row_cell, made.row_service)
    outcomes = (plan, pattern.outcome, plan, pattern.sequential_outcome)
    return Study(region, policy, demand, graph, offers, problem, *places, *outcomes)
