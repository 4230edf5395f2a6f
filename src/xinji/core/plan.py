"""The answer: what is built when, what it is worth, and the proof of how much better any plan could be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from xinji.core.arrays import Floats, Ints, Strings


@dataclass(frozen=True, slots=True, eq=False)
class Certificate:
    """What someone else needs to recompute the bound, with nothing of the solver's.

    Multipliers (all at least 0) price what the relaxation lets go: ``budget`` (T,) [worth/cent],
    ``row`` (r, T) for serving a row at most once, ``capacity`` (n, T, resources), ``floor`` (f, T),
    ``partner`` (pairs, T) for the arcs of one row through one partner option.
    Moats pack the cost of trenches: moat k is the set of nodes ``moat_nodes[moat_start[k] :
    moat_start[k + 1]]`` without a root, of width ``moat_width[k]`` [cents of capex]; the widths of the moats
    that an edge leaves may not exceed its capex. ``moat_parent`` (k,) is a moat around it or -1;
    ``option_moat`` (n,) the moat that an option stands in, or -1.
    """

    budget: Floats
    row: Floats
    capacity: Floats
    floor: Floats
    partner: Floats
    moat_start: Ints
    moat_nodes: Ints
    moat_width: Floats
    moat_parent: Ints
    option_moat: Ints


@dataclass(frozen=True, slots=True, eq=False)
class Reasons:
    """Why each option (n) is in or out.

    ``code`` is a key of ``xinji.plan.choose.explain.REASONS``; ``cost_to_force`` [worth, or
    currency under least_cost] estimates what the plan loses if the opposite were forced;
    ``price`` [currency] is what the option costs over the planned years with the trench it alone
    needs; ``worth`` what it adds.
    """

    code: Strings
    cost_to_force: Floats
    price: Floats
    worth: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """Stage of each option and trench, worth, proved bound and gap.

    ``stage`` (n,) and ``trench_stage`` (m,) hold 0 for what exists, 1..T, or -1 for never;
    ``served`` (a, T) the share of the row that each arc serves. ``objective`` and ``bound`` are in
    worth (goal ``most_value``) or discounted currency units (``least_cost``); ``gap`` is their
    difference relative to the objective. ``spend`` (T,) [cents] is capex and opex by stage.
    ``fingerprint`` is that of the Problem.
    """

    stage: Ints
    trench_stage: Ints
    served: Floats
    objective: float
    bound: float
    gap: float
    spend: Ints
    seconds: float
    optimal: bool
    interrupted: bool
    fingerprint: str
    certificate: Certificate
    reasons: Reasons
    notes: Mapping[str, str]
