"""The form of plan.json: models that write, check and document it.

Every money amount is in whole cents of the plan's currency; years are calendar years; a ``year``
of 0 means that the thing exists already, -1 that it is never built.
"""

from __future__ import annotations

import json

from pydantic import BaseModel, ConfigDict, Field

SCHEMA_NAME = "xinji-plan"
SCHEMA_VERSION = 1
"""Raised when a reader of the old form would misread the new one."""


class _Strict(BaseModel):
    """Frozen, and nothing unknown is let in."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class FloorEntry(_Strict):
    """From ``year`` on, ``share`` of the group's users must have the service; ``reached`` by year from then on."""

    group: str
    service: str
    year: int
    share: float
    reached: dict[str, float]


class PolicyEntry(_Strict):
    """What was asked: ``budget`` [cents] by year, weights by group, floors, and the question."""

    question: str
    budget: dict[str, int]
    carry_over: bool
    discount_rate: float
    build_ahead: float
    priority: dict[str, float]
    floors: list[FloorEntry]


class ParameterEntry(_Strict):
    """A figure that the plan rests on, with its range, source and status."""

    value: float
    unit: str
    year: str
    low: float
    high: float
    status: str
    source: str
    url: str
    note: str


class OptionEntry(_Strict):
    """An option: what it is, where, when it is built, its costs [cents] and why it is in or out.

    ``host`` is the id of the option it stands on, empty if none. ``price`` [currency], ``worth`` and
    ``cost_to_force`` are those of the reasons, null where there is no finite figure; ``committed``
    says that the year was not the plan's choice.
    """

    technology: str
    kind: str
    payer: str
    x_m: float
    y_m: float
    host: str
    year: int
    committed: bool
    capex: int
    opex: int
    reason: str
    price: float | None
    worth: float | None
    cost_to_force: float | None


class TrenchEntry(_Strict):
    """A trench that is built or exists: road, method, length [m] and costs [cents]."""

    road: str
    method: str
    payer: str
    year: int
    length_m: float
    capex: int
    opex: int


class OutcomeEntry(_Strict):
    """What a plan brings and costs.

    ``users`` and ``served`` [people or workers] by group, service and year; ``capex`` and ``opex``
    [cents] by year and where the money goes.
    """

    users: dict[str, dict[str, dict[str, float]]]
    served: dict[str, dict[str, dict[str, float]]]
    capex: dict[str, dict[str, int]]
    opex: dict[str, dict[str, int]]


class ResultEntry(_Strict):
    """Objective, proved bound and gap, spending [cents] by year, and how the search ended."""

    objective: float
    bound: float
    gap: float
    optimal: bool
    interrupted: bool
    spend: dict[str, int]
    fingerprint: str
    notes: dict[str, str]
    outcome: OutcomeEntry


class LedgerAssetEntry(_Strict):
    """An asset of the ledger that the plan could not choose, or that cost money.

    ``treatment`` is one of ``xinji.core.replanned.TREATMENTS``; ``year`` is that of completion, ``serves``
    that from which the plan counts on it; ``cost`` = ``paid`` (by calendar year) + ``owed`` in ``due``
    [cents], of which the ledger's plan had ``planned_cost``; ``moved_m`` [m] off the planned place.
    """

    technology: str
    kind: str
    state: str
    treatment: str
    year: int
    serves: int
    planned_cost: int
    cost: int
    paid: dict[str, int]
    owed: int
    due: int
    moved_m: float


class YearMoneyEntry(_Strict):
    """Where one year's money goes [cents]: ``policy`` + ``moved`` is the sum of the other five."""

    policy: int
    moved: int
    paid: int
    committed: int
    planned: int
    opex: int
    unallocated: int


class LearnedEntry(_Strict):
    """A unit cost taken from the ledger [currency/m], and the sums that it comes from [cents]."""

    key: str
    before: float
    after: float
    count: int
    planned: int
    real: int


class ReplannedEntry(_Strict):
    """What a ledger, as it stood at the end of the day ``at``, left of the plan; money by year."""

    at: str
    assets: dict[str, LedgerAssetEntry]
    money: dict[str, YearMoneyEntry]
    learned: list[LearnedEntry]
    notes: list[str]


class PlanDocument(_Strict):
    """A plan: what was asked and assumed, what is built when and why, and what that brings.

    ``replanned`` stands only in a plan that was made again from a ledger.
    """

    form: str = Field(pattern=f"^{SCHEMA_NAME}$")
    form_version: int = Field(ge=SCHEMA_VERSION, le=SCHEMA_VERSION)
    version: str
    region: str
    title_en: str
    title_zh: str
    crs: str
    currency: str
    profile: str
    attribution: list[str]
    years: list[int]
    policy: PolicyEntry
    parameters: dict[str, ParameterEntry]
    options: dict[str, OptionEntry]
    trenches: dict[str, TrenchEntry]
    plan: ResultEntry
    sequential: ResultEntry
    replanned: ReplannedEntry | None = None


def schema_text() -> str:
    """Return the JSON Schema of plan.json, as docs/reference/plan.schema.json holds it."""
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **PlanDocument.model_json_schema()}
    return json.dumps(schema, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
