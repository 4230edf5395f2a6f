from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.small_ledger import DAY, SITE, built, registered
from xinji.build import event_drafts as drafts
from xinji.build.event import KINDS, Draft
from xinji.build.event_drafts import ProjectFacts
from xinji.build.event_payload import ABOUT, PAYLOADS, draft_faults, entry_faults

KEY = "ed25519:" + "0" * 64
FACTS = ProjectFacts("p-1", "5G 工厂", "electronics", "machine vision", "east park", "某电子", 10_000_00, {"line": "3"})
FILE = {"name": "a.pdf", "sha256": "a" * 64, "size": 3}
GOOD = [
    drafts.region_opened("tiny", day=DAY, crs="EPSG:32650", currency="CNY", years=(2026, 2027)),
    *registered("site"),
    drafts.replanned(SITE, day=DAY, baseline="second"),
    *built("site"),
    drafts.rescheduled("site", "2028-03-31", day=DAY, reason="late permit"),
    drafts.returned("site", "under_construction", day=DAY, reason="wrong antenna"),
    drafts.evidenced("site", day=DAY, name="a.pdf", sha256="a" * 64, size=3),
    drafts.project_registered(FACTS, day=DAY),
    drafts.project_advanced("p-1", "approved", day=DAY),
    drafts.project_returned("p-1", "planned", day=DAY, reason="no money"),
    drafts.project_evidenced("p-1", day=DAY, name="b.pdf", sha256="b" * 64, size=3, note="signed"),
    drafts.assigned("site", "p-1", day=DAY),
    drafts.identified("site", "88.118.1/site", day=DAY),
    drafts.baseline_set("first", day=DAY, plan="f", years=(2026, 2027), budgets=(1, 2), assets=1),
    drafts.voided(3, day=DAY, reason="typed twice", facility="site", project=""),
    drafts.key_trusted("li", KEY, day=DAY),
    drafts.key_withdrawn(KEY, day=DAY, reason="lost"),
]


def test_every_kind_has_a_payload_and_a_subject_and_is_made() -> None:
    assert set(PAYLOADS) == set(ABOUT) == set(KINDS) == {draft.kind for draft in GOOD}
    assert list(draft_faults(GOOD)) == []


@pytest.mark.parametrize("draft", GOOD, ids=lambda draft: draft.kind)
def test_extra_and_missing_keys_are_refused(draft: Draft) -> None:
    extra = replace(draft, payload={**draft.payload, "colour": "red"})
    assert "['colour']" in next(entry_faults(extra))[0]
    if draft.payload:
        key = next(iter(draft.payload))
        less = replace(draft, payload={name: value for name, value in draft.payload.items() if name != key})
        assert f"['{key}']" in next(entry_faults(less))[0]


@pytest.mark.parametrize("draft", GOOD, ids=lambda draft: draft.kind)
def test_another_subject_is_refused(draft: Draft) -> None:
    wrong = replace(draft, facility="", project="") if draft.facility + draft.project else replace(draft, facility="x")
    assert "names" in next(entry_faults(wrong))[0]


@pytest.mark.parametrize(
    ("draft", "words"),
    [
        (drafts.paid("site", day="2026-02-30", cents=1, reference=""), "the day is '2026-02-30'"),
        (drafts.paid("site", day="20260203", cents=1, reference=""), "the day is"),
        (drafts.paid("site", day=DAY, cents=2**53, reference=""), "cents is 9007199254740992"),
        (Draft("payment_made", DAY, "site", "", {"cents": 1.0, "reference": ""}), "cents is 1.0"),
        (Draft("payment_made", DAY, "site", "", {"cents": True, "reference": ""}), "cents is True"),
        (drafts.paid(" site", day=DAY, cents=1, reference=""), "the facility is ' site'"),
        (drafts.paid("si\nte", day=DAY, cents=1, reference=""), "the facility is"),
        (drafts.paid("site", day=DAY, cents=1, reference="\ud800"), "reference is"),
        (drafts.placed("site", day=DAY, x_m=math.nan, y_m=0, method=""), "x_m is nan"),
        (drafts.placed("site", day=DAY, x_m=0, y_m=-math.inf, method=""), "y_m is -inf"),
        (drafts.rescheduled("site", "2028-02-30", day=DAY, reason="late"), "completion is '2028-02-30'"),
        (drafts.rescheduled("site", "2028-02-28", day=DAY, reason=""), "reason is ''"),
        (drafts.advanced("site", "finished", day=DAY), "state is 'finished'"),
        (drafts.registered(SITE, day=DAY, baseline="first", state="built"), "state is 'built'"),
        (drafts.registered(replace(SITE, year=-1), day=DAY, baseline="first"), "planned_year is -1"),
        (drafts.registered(replace(SITE, technology="tea"), day=DAY, baseline="first"), "technology is 'tea'"),
        (drafts.registered(replace(SITE, length_m=-1), day=DAY, baseline="first"), "length_m is -1"),
        (drafts.baseline_set("a", day=DAY, plan="", years=(2026,), budgets=(), assets=0), "years and budgets differ"),
        (drafts.baseline_set("a", day=DAY, plan="", years=(2027, 2026), budgets=(1, 1), assets=0), "years is"),
        (drafts.evidenced("site", day=DAY, name="a", sha256="A" * 64, size=1), "sha256 is"),
        (drafts.key_trusted("li", "ed25519:00", day=DAY), "key is"),
        (Draft("tea_made", DAY, "", "", {}), "the kind 'tea_made' is unknown"),
    ],
)
def test_what_is_wrong_is_said(draft: Draft, words: str) -> None:
    ((message, remedy),) = entry_faults(draft)
    assert words in message
    assert remedy


def test_all_faults_come_with_their_rows() -> None:
    bad = drafts.placed("site", day="today", x_m=math.nan, y_m=math.nan, method="")
    assert [fault.row for fault in draft_faults([GOOD[1], bad, GOOD[2], bad])] == [1, 1, 1, 3, 3, 3]


def test_money_is_never_cut_to_whole_cents() -> None:
    with pytest.raises(TypeError):
        drafts.paid("site", day=DAY, cents=1.5, reference="")  # type: ignore[arg-type]  # that is the point
    assert drafts.paid("site", day=DAY, cents=np.int64(5), reference="").payload["cents"] == 5  # type: ignore[arg-type]


anything = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.lists(st.integers()) | st.binary()


@given(st.sampled_from(GOOD), st.data())
def test_no_value_of_a_payload_is_a_surprise(draft: Draft, data: st.DataObject) -> None:
    """Whatever stands in a payload, it is accepted or a fault is told; nothing is raised."""
    payload = {key: data.draw(anything) for key in draft.payload}
    assert all(map(str, draft_faults([replace(draft, payload=payload)])))
