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
    ``pair`` (p, T) for the arcs of one row that stand on one option: a pair is a row and a partner,
    a partner's host, or a host on which two or more of the row's arcs stand, in order of row and
    then option.
    ``capacity`` and ``pair`` are 0 for what sites kept whole hold themselves (``plan.choose.block_proof``).
    Cores pack the cost of trenches, for each stage anew: core k, of stage ``core_stage[k]`` (1..T), is
    ``core_width[k]`` [cents of capex] wide and lies in core ``core_parent[k]`` of its stage (-1: in none).
    Around it grows a set of nodes, which never holds a root: node ``cover_node[c]`` is in the set of
    ``cover_core[c]`` from width ``cover_time[c]`` on, and in those of all cores around it from the start. The
    sets of a stage enter no edge in one direction for longer than its capex. ``option_core`` (n, T) is the
    innermost core that an option stands in in each stage, or -1, and ``charge`` (n, T) [cents of capex] what it
    bears of the cores around it.
    """

    budget: Floats
    row: Floats
    capacity: Floats
    floor: Floats
    pair: Floats
    charge: Floats
    core_stage: Ints
    core_width: Floats
    core_parent: Ints
    cover_core: Ints
    cover_node: Ints
    cover_time: Floats
    option_core: Ints


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
