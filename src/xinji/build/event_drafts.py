"""The events that a build office records, one function a kind; money is in whole cents."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from operator import index
from typing import Any

from xinji.build import event as kinds
from xinji.build.event import Draft


@dataclass(frozen=True, slots=True)
class PlannedAsset:
    """What a plan builds at one place: ``year`` is calendar, ``capex`` in cents, ``opex`` in cents a year.

    ``x_m``, ``y_m`` [m] are in the region's CRS, NaN where not known; ``length_m`` is NaN but for trenches.
    """

    id: str
    technology: str
    kind: str
    area: str
    year: int
    x_m: float
    y_m: float
    length_m: float
    capex: int
    opex: int


@dataclass(frozen=True, slots=True)
class ProjectFacts:
    """What is said of a project when it is registered; texts may be empty, ``planned_cents`` is its money."""

    id: str
    name: str
    industry: str
    scenario: str
    park: str
    owner: str
    planned_cents: int
    details: Mapping[str, str] = field(default_factory=dict)


def region_opened(region: str, *, day: str, crs: str, currency: str, years: Sequence[int]) -> Draft:
    """Return the ledger's first event."""
    said = {"region": region, "crs": crs, "currency": currency, "years": list(map(index, years))}
    return Draft(kinds.REGION_OPENED, day, "", "", said)


def registered(asset: PlannedAsset, *, day: str, baseline: str, state: str = "planned") -> Draft:
    """Return the first event of a facility; ``state`` is ``"in_use"`` for what stands already."""
    said = {"technology": asset.technology, "state": state, **planned_payload(asset, baseline)}
    return Draft(kinds.FACILITY_REGISTERED, day, asset.id, "", said)


def replanned(asset: PlannedAsset, *, day: str, baseline: str) -> Draft:
    """Return what the plan ``baseline`` now has for a facility that is not yet under contract."""
    return Draft(kinds.FACILITY_REPLANNED, day, asset.id, "", planned_payload(asset, baseline))


def planned_payload(asset: PlannedAsset, baseline: str) -> dict[str, Any]:
    """Return what ``facility_registered`` and ``facility_replanned`` both say of ``asset``."""
    return {
        "kind": asset.kind,
        "area": asset.area,
        "baseline": baseline,
        "planned_year": index(asset.year),
        "planned_x_m": _metres(asset.x_m),
        "planned_y_m": _metres(asset.y_m),
        "length_m": _metres(asset.length_m),
        "planned_capex": index(asset.capex),
        "planned_opex": index(asset.opex),
    }


def advanced(facility: str, state: str, *, day: str, reason: str = "") -> Draft:
    """Return the step of ``facility`` to ``state`` (a name of ``STATES``); a cancellation needs a ``reason``."""
    return Draft(kinds.STATE_ADVANCED, day, facility, "", {"state": state, "reason": reason})


def returned(facility: str, state: str, *, day: str, reason: str) -> Draft:
    """Return the step back of ``facility`` to ``state``, from ``day`` on."""
    return Draft(kinds.STATE_RETURNED, day, facility, "", {"state": state, "reason": reason})


def contract_let(facility: str, *, day: str, contract: str, contractor: str, capex: int) -> Draft:
    """Return the contract under which ``facility`` is built for ``capex`` [cents]; a later one amends it."""
    said = {"contract": contract, "contractor": contractor, "capex": index(capex)}
    return Draft(kinds.CONTRACT_LET, day, facility, "", said)


def rescheduled(facility: str, completion: str, *, day: str, reason: str) -> Draft:
    """Return that from ``day`` on ``facility``, which is let, is to be complete by ``completion`` (ISO 8601 date)."""
    return Draft(kinds.COMPLETION_RESCHEDULED, day, facility, "", {"completion": completion, "reason": reason})


def paid(facility: str, *, day: str, cents: int, reference: str) -> Draft:
    """Return a payment for ``facility``, negative where money came back."""
    return Draft(kinds.PAYMENT_MADE, day, facility, "", {"cents": index(cents), "reference": reference})


def placed(facility: str, *, day: str, x_m: float, y_m: float, method: str) -> Draft:
    """Return where ``facility`` stands as built [m, region's CRS], and how that was measured."""
    said = {"x_m": float(x_m), "y_m": float(y_m), "method": method}
    return Draft(kinds.PLACE_RECORDED, day, facility, "", said)


def evidenced(facility: str, *, day: str, name: str, sha256: str, size: int, note: str = "") -> Draft:
    """Return a file that proves something of ``facility``: its name, hash and size [bytes]."""
    said = {"name": name, "sha256": sha256, "size": index(size), "note": note}
    return Draft(kinds.EVIDENCE_ATTACHED, day, facility, "", said)


def project_registered(facts: ProjectFacts, *, day: str) -> Draft:
    """Return the first event of a project."""
    said = {
        "name": facts.name,
        "industry": facts.industry,
        "scenario": facts.scenario,
        "park": facts.park,
        "owner": facts.owner,
        "planned_cents": index(facts.planned_cents),
        "details": dict(facts.details),
    }
    return Draft(kinds.PROJECT_REGISTERED, day, "", facts.id, said)


def project_advanced(project: str, state: str, *, day: str, reason: str = "") -> Draft:
    """Return the step of ``project`` to ``state``."""
    return Draft(kinds.STATE_ADVANCED, day, "", project, {"state": state, "reason": reason})


def project_returned(project: str, state: str, *, day: str, reason: str) -> Draft:
    """Return the step back of ``project`` to ``state``, from ``day`` on."""
    return Draft(kinds.STATE_RETURNED, day, "", project, {"state": state, "reason": reason})


def project_evidenced(project: str, *, day: str, name: str, sha256: str, size: int, note: str = "") -> Draft:
    """Return a file that proves something of ``project``."""
    said = {"name": name, "sha256": sha256, "size": index(size), "note": note}
    return Draft(kinds.EVIDENCE_ATTACHED, day, "", project, said)


def assigned(facility: str, project: str, *, day: str) -> Draft:
    """Return that ``facility`` is let under ``project`` from ``day`` on."""
    return Draft(kinds.PROJECT_ASSIGNED, day, facility, project, {})


def identified(facility: str, identifier: str, *, day: str) -> Draft:
    """Return the resolvable name of ``facility``, of which there is one only."""
    return Draft(kinds.IDENTIFIER_ASSIGNED, day, facility, "", {"identifier": identifier})


def baseline_set(name: str, *, day: str, plan: str, years: Sequence[int], budgets: Sequence[int], assets: int) -> Draft:
    """Return that a plan was taken over: its fingerprint, ``budgets`` [cents] by year and number of assets."""
    said = {
        "name": name,
        "plan": plan,
        "years": list(map(index, years)),
        "budgets": list(map(index, budgets)),
        "assets": index(assets),
    }
    return Draft(kinds.BASELINE_SET, day, "", "", said)


def voided(number: int, *, day: str, reason: str, facility: str, project: str) -> Draft:
    """Return that event ``number`` was recorded in error; it is about what that event is about."""
    return Draft(kinds.EVENT_VOIDED, day, facility, project, {"number": index(number), "reason": reason})


def key_trusted(name: str, key: str, *, day: str) -> Draft:
    """Return that ``name`` signs with ``key`` (``PrivateKey.public``) from now on."""
    return Draft(kinds.KEY_TRUSTED, day, "", "", {"name": name, "key": key})


def key_withdrawn(key: str, *, day: str, reason: str) -> Draft:
    """Return that ``key`` is trusted no longer."""
    return Draft(kinds.KEY_WITHDRAWN, day, "", "", {"key": key, "reason": reason})


def _metres(value: float) -> float | None:
    return None if math.isnan(value) else float(value)
