"""What a plan brings and costs, by group, service, cell and stage."""

from __future__ import annotations

import numpy as np

from xinji.core.demand import Demand
from xinji.core.plan import Plan
from xinji.core.region import Cells
from xinji.core.study import SPEND_COLUMNS, Outcome
from xinji.core.vocabulary import GROUPS
from xinji.plan.choose.assemble import Assembly
from xinji.plan.choose.money import paid


def outcome(assembly: Assembly, plan: Plan, cells: Cells, demand: Demand) -> Outcome:
    """Return users and served users by group, and money by stage and kind of asset."""
    problem = assembly.problem
    n_cells, n_services, stages = demand.users.shape
    row_served = np.zeros((len(problem.value), stages))
    np.add.at(row_served, problem.arc_row, plan.served)
    cell_served = np.zeros((n_cells, n_services, stages))
    cell_served[assembly.row_cell, assembly.row_service] = np.minimum(row_served, 1.0)
    member = (cells.group[None, :] == np.arange(len(GROUPS))[:, None]).astype(float)
    capex = np.zeros((stages, len(SPEND_COLUMNS)), dtype=np.int64)
    opex = np.zeros_like(capex)
    for column in range(len(SPEND_COLUMNS) - 1):
        mine = assembly.option_offer == column
        capex[:, column], opex[:, column] = paid(plan.stage[mine], problem.capex[mine], problem.opex[mine], stages)
    capex[:, -1], opex[:, -1] = paid(plan.trench_stage, problem.trench_capex, problem.trench_opex, stages)
    return Outcome(
        users=np.einsum("gc,cst->gst", member, demand.users),
        served=np.einsum("gc,cst->gst", member, demand.users * cell_served),
        cell_served=cell_served,
        capex=capex,
        opex=opex,
    )
