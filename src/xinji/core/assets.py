"""What a plan buys, flat: its options and trenches one by one, and the bill of materials that they add up to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter

import numpy as np

from xinji.core.arrays import AnyArray, Floats, Ints, Strings
from xinji.core.offer import EXISTING, Offer
from xinji.core.plan import Plan
from xinji.core.problem import NEVER, Problem
from xinji.core.study import Study
from xinji.core.vocabulary import TECHNOLOGIES

TRENCH = "trench"
"""Stands beside the names of ``TECHNOLOGIES`` where money goes to what they share."""


@dataclass(frozen=True, slots=True, eq=False)
class Assets:
    """The options (n) of a problem with what their offers say of them; one row each.

    ``technology``, ``kind``, ``payer`` and the place ``x_m``, ``y_m`` [m] come from the offers;
    ``year`` is the calendar year of building, 0 for what exists already and -1 for never;
    ``capex`` [cents] and ``opex`` [cents/year] are the problem's; ``host`` is a position or -1.
    """

    id: Strings
    technology: Strings
    kind: Strings
    payer: Strings
    x_m: Floats
    y_m: Floats
    year: Ints
    capex: Ints
    opex: Ints
    host: Ints

    def __len__(self) -> int:
        return len(self.id)


@dataclass(frozen=True, slots=True)
class BillLine:
    """Items of one kind, bought in one year from one purse.

    ``technology`` is one of ``TECHNOLOGIES`` or ``"trench"``; ``quantity`` counts ``unit``
    (``"pcs"`` or ``"m"``); ``capex`` [cents] is paid in ``year``, ``opex`` [cents/year] from then on.
    """

    year: int
    technology: str
    kind: str
    payer: str
    quantity: float
    unit: str
    capex: int
    opex: int


def calendar_year(stage: Ints, years: Ints) -> Ints:
    """Return the year of each stage 1..T, 0 for what exists and -1 for never (shape of ``stage``)."""
    return np.where(stage >= 1, years[np.maximum(stage, 1) - 1], np.where(stage == EXISTING, 0, NEVER))


def assets_of(study: Study) -> Assets:
    """Return the options of ``study`` with the years in which its plan builds them."""
    problem = study.problem
    return Assets(
        id=problem.option_id,
        technology=np.array([study.offers[k].technology for k in study.option_offer.tolist()], dtype=np.str_),
        kind=_gather(study, [offer.kind for offer in study.offers]),
        payer=_gather(study, [offer.payer for offer in study.offers]),
        x_m=_gather(study, [offer.x_m for offer in study.offers]),
        y_m=_gather(study, [offer.y_m for offer in study.offers]),
        year=calendar_year(study.plan.stage, problem.years),
        capex=problem.capex,
        opex=problem.opex,
        host=problem.host,
    )


def _gather(study: Study, columns: Sequence[AnyArray]) -> AnyArray:
    """Return the column of every option, in the problem's order, from one column for each offer."""
    starts = np.cumsum([0, *(len(column) for column in columns)])[:-1]
    return np.concatenate(columns)[starts[study.option_offer] + study.option_place]


def offer_of(study: Study, technology: str) -> tuple[Offer, Ints]:
    """Return the offer of ``technology`` and, for each of its options, the position in the problem.

    Raises ValueError if the study was made without that technology.
    """
    place = [offer.technology for offer in study.offers].index(technology)
    offer = study.offers[place]
    option = np.full(len(offer), -1, dtype=np.int64)
    mine = np.flatnonzero(study.option_offer == place)
    option[study.option_place[mine]] = mine
    return offer, option


def bill_of(study: Study) -> tuple[BillLine, ...]:
    """Return the bill of materials of the plan: by year, technology, kind and payer, in that order."""
    lines = []
    for (year, rank, kind, payer), group in groupby(sorted(_items(study)), key=itemgetter(0, 1, 2, 3)):
        items = list(group)
        technology, unit = ((*TECHNOLOGIES, TRENCH)[rank], "m" if rank == len(TECHNOLOGIES) else "pcs")
        quantity = sum(item[4] for item in items)
        capex, opex = sum(item[5] for item in items), sum(item[6] for item in items)
        lines.append(BillLine(year, technology, kind, payer, quantity, unit, capex, opex))
    return tuple(lines)


def _items(study: Study) -> Iterator[tuple[int, int, str, str, float, int, int]]:
    """Yield year, rank of technology, kind, payer, quantity, capex and opex of all that is bought."""
    assets, problem, trenches = assets_of(study), study.problem, study.trenches
    for i in np.flatnonzero(study.plan.stage >= 1).tolist():
        rank = TECHNOLOGIES.index(str(assets.technology[i]))
        bought = (str(assets.kind[i]), str(assets.payer[i]), 1.0)
        yield (int(assets.year[i]), rank, *bought, int(assets.capex[i]), int(assets.opex[i]))
    year = calendar_year(study.plan.trench_stage, problem.years)
    for i in np.flatnonzero(study.plan.trench_stage >= 1).tolist():
        bought = (str(trenches.method[i]), trenches.payer, float(problem.trench_length_m[i]))
        yield (int(year[i]), len(TECHNOLOGIES), *bought, int(problem.trench_capex[i]), int(problem.trench_opex[i]))


def existing_opex(problem: Problem, plan: Plan) -> int:
    """Return what it costs to run all that exists already [cents/year]; it counts against each budget."""
    options = problem.opex[plan.stage == EXISTING].sum()
    return int(options + problem.trench_opex[plan.trench_stage == EXISTING].sum())
