"""What the ledger is made of: events, once recorded never changed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

REGION_OPENED = "region_opened"
FACILITY_REGISTERED = "facility_registered"
FACILITY_REPLANNED = "facility_replanned"
STATE_ADVANCED = "state_advanced"
STATE_RETURNED = "state_returned"
CONTRACT_LET = "contract_let"
COMPLETION_RESCHEDULED = "completion_rescheduled"
PAYMENT_MADE = "payment_made"
PLACE_RECORDED = "place_recorded"
EVIDENCE_ATTACHED = "evidence_attached"
PROJECT_REGISTERED = "project_registered"
PROJECT_ASSIGNED = "project_assigned"
IDENTIFIER_ASSIGNED = "identifier_assigned"
BASELINE_SET = "baseline_set"
EVENT_VOIDED = "event_voided"
KEY_TRUSTED = "key_trusted"
KEY_WITHDRAWN = "key_withdrawn"

KINDS = (
    REGION_OPENED,
    FACILITY_REGISTERED,
    FACILITY_REPLANNED,
    STATE_ADVANCED,
    STATE_RETURNED,
    CONTRACT_LET,
    COMPLETION_RESCHEDULED,
    PAYMENT_MADE,
    PLACE_RECORDED,
    EVIDENCE_ATTACHED,
    PROJECT_REGISTERED,
    PROJECT_ASSIGNED,
    IDENTIFIER_ASSIGNED,
    BASELINE_SET,
    EVENT_VOIDED,
    KEY_TRUSTED,
    KEY_WITHDRAWN,
)
"""Kinds of events. Two of them correct: ``state_returned`` what happened, ``event_voided`` what was recorded."""


class Entry(Protocol):
    """What a draft and a recorded event have in common."""

    @property
    def kind(self) -> str:
        """One of ``KINDS``."""

    @property
    def day(self) -> str:
        """When it happened (ISO 8601 date)."""

    @property
    def facility(self) -> str:
        """Id of the facility that it is about, or empty."""

    @property
    def project(self) -> str:
        """Id of the project that it is about, or empty."""

    @property
    def payload(self) -> Mapping[str, Any]:
        """What is said, by the kind's keys (``event_payload.PAYLOADS``)."""


@dataclass(frozen=True, slots=True)
class Draft:
    """An event that is not recorded yet: what happened on which ``day`` (ISO 8601) to which facility or project."""

    kind: str
    day: str
    facility: str
    project: str
    payload: Mapping[str, Any]


class Record(NamedTuple):
    """A recorded event as a store keeps it: ``payload`` is canonical text, ``hash`` hexadecimal.

    ``recorded`` is the moment of recording in UTC, ``YYYY-MM-DDTHH:MM:SS.ffffffZ``. ``key`` and
    ``signature`` are empty where it is not signed.
    """

    number: int
    kind: str
    day: str
    recorded: str
    who: str
    facility: str
    project: str
    payload: str
    key: str
    hash: str
    signature: str


@dataclass(frozen=True, slots=True)
class Event:
    """A recorded event; ``number`` counts from 1, the rest is as in ``Draft`` and ``Record``."""

    number: int
    kind: str
    day: str
    recorded: str
    who: str
    facility: str
    project: str
    payload: Mapping[str, Any]
    key: str
    hash: str
    signature: str


def event_of(record: Record) -> Event:
    """Return ``record`` with its payload parsed; raises ValueError if that is no JSON."""
    number, kind, day, recorded, who, facility, project, payload, key, digest, signature = record
    said = json.loads(payload)
    return Event(number, kind, day, recorded, who, facility, project, said, key, digest, signature)
