"""The check of answers finds what an engine may get wrong, and the table says it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from design_cli.made_instances import COVERING_BEST, FACILITY_BEST, MEDIAN_BEST, PRIZE_BEST, STEINER_BEST, write_all
from xinji.io.instances import Instance, family_of, read_instances
from xinji.io.instances_covering import CoveringInstance, CoverLists, make_lists
from xinji.io.instances_facility import FacilityInstance, MedianInstance
from xinji.io.instances_files import Known
from xinji.io.instances_graph import PrizeInstance, SteinerInstance
from xinji.workflow.validate_design_check import check_cover, check_medians, check_prize_tree, check_sites, check_tree
from xinji.workflow.validate_design_result import DesignResult, design_exit_status, design_table


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Instance]:
    folder: Path = write_all(tmp_path_factory.mktemp("instances"))
    return {f"{family_of(one)} {one.name}": one for one in read_instances(folder)}


def test_trees(found: dict[str, Instance]) -> None:
    pair = found["steiner pair"]
    assert isinstance(pair, SteinerInstance)
    best = check_tree(pair, np.array([1, 2, 5]))
    assert (best.value, best.faults) == (STEINER_BEST, ())
    assert "2 parts" in check_tree(pair, np.array([1, 2])).faults[0]
    assert "none of the 6" in check_tree(pair, np.array([1, 6])).faults[0]
    assert "twice" in check_tree(pair, np.array([1, 2, 5, 5])).faults[0]
    assert "whole numbers" in check_tree(pair, np.array([1.0, 2.0])).faults[0]


def test_prize_trees(found: dict[str, Instance]) -> None:
    path = found["pcstp path"]
    assert isinstance(path, PrizeInstance)
    best = check_prize_tree(path, np.array([0]), np.array([0, 1]))
    assert (best.value, best.faults) == (PRIZE_BEST, ())
    nothing = np.zeros(0, dtype=np.int64)
    assert check_prize_tree(path, nothing, np.array([1])).value == 9.0
    assert check_prize_tree(path, nothing, nothing).value == 16.0
    assert "does not name" in check_prize_tree(path, np.array([0]), np.array([0])).faults[0]
    assert "2 parts" in check_prize_tree(path, np.array([0]), np.array([0, 1, 2])).faults[0]
    rooted = replace(path, root=2)
    assert "root, node 3" in check_prize_tree(rooted, np.array([0]), np.array([0, 1])).faults[0]


def test_facilities(found: dict[str, Instance]) -> None:
    pair = found["cflp pair"]
    assert isinstance(pair, FacilityInstance)
    both, share = np.array([True, True]), np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    best = check_sites(pair, both, share)
    assert (best.value, best.faults) == (FACILITY_BEST, ())
    assert "capacity" in check_sites(pair, both, np.array([[1.0, 0.0]] * 3)).faults[0]
    assert "closed" in check_sites(pair, np.array([True, False]), share).faults[0]
    assert "exactly once" in check_sites(pair, both, 0.9 * share).faults[0]
    less = np.array([[1.5, -0.5], [1.0, 0.0], [0.0, 1.0]])
    assert "less than nothing" in check_sites(pair, both, less).faults[0]
    assert "shapes" in check_sites(pair, both, share.T).faults[0]


def test_medians_and_covers(found: dict[str, Instance]) -> None:
    path, tiny = found["pmedian path"], found["covering tiny"]
    assert isinstance(path, MedianInstance)
    assert isinstance(tiny, CoveringInstance)
    best = check_medians(path, np.array([1]))
    assert (best.value, best.faults) == (MEDIAN_BEST, ())
    assert "1 may be" in check_medians(path, np.array([1, 2])).faults[0]
    assert check_medians(path, np.zeros(0, dtype=np.int64)).faults
    lists = make_lists(tiny)
    assert [check_cover(lists, np.array([site])).value for site in range(3)] == [14.0, 12.0, COVERING_BEST]
    assert "1 may be" in check_cover(lists, np.array([0, 1])).faults[0]
    assert "none of the 3" in check_cover(lists, np.array([3])).faults[0]
    assert check_cover(lists, np.zeros(0, dtype=np.int64)).value == 0.0


def test_covers_with_empty_lists() -> None:
    lists = CoverLists(np.array([0, 0, 2, 2]), np.array([0, 1], dtype=np.int32), np.array([1.0, 2.0, 4.0]), 2, 1)
    assert check_cover(lists, np.array([1])).value == 2.0


def result(family: str = "steiner", *, value: float = 100.0, bound: float = 99.0, whole: bool = True) -> DesignResult:
    return DesignResult(family, "one", value, bound, Known(100.0, 100.0), 1.5, whole)


def test_what_contradicts_a_proved_optimum_fails() -> None:
    assert result().failures == ()
    assert "beats the proved optimum" in result(value=99.999).failures[0]
    assert "passes the known value" in result(value=101.0, bound=100.5).failures[0]
    assert "wrong side" in result(value=100.0, bound=101.0).failures[0]
    assert "beats" in result("covering", value=101.0, bound=101.0).failures[0]
    assert "passes" in result("covering", value=98.0, bound=99.0).failures[0]
    assert result("covering", value=99.0, bound=100.0).failures == ()


def test_what_is_only_best_known_may_be_beaten_down_to_its_bound() -> None:
    open_one = replace(result(), known=Known(95.0, 100.0))
    assert replace(open_one, value=96.0, bound=95.0).failures == ()
    assert replace(open_one, value=94.0, bound=94.0).failures
    assert "best known, not proved to be optimal: one" in design_table([open_one])


def test_rounded_optima_of_broken_data_are_no_contradiction() -> None:
    assert result(value=99.5, bound=99.5, whole=False).failures == ()
    printed = replace(result(whole=False), known=Known(100.25, 100.25, 0.01))
    assert replace(printed, value=100.245, bound=100.24).failures == ()
    assert replace(printed, value=100.2, bound=100.1).failures


def test_a_record_has_the_keys_asked_for() -> None:
    assert result(value=101.0).record() == {
        "family": "steiner",
        "instance": "one",
        "value": 101.0,
        "bound": 99.0,
        "known": 100.0,
        "gap": 0.01,
        "certified_gap": pytest.approx(2.0 / 101.0),
        "seconds": 1.5,
    }
    unknown = replace(result(), known=None).record()
    assert unknown["known"] is None
    assert unknown["gap"] is None
    nothing = replace(result(), value=None, bound=None).record()
    assert nothing["gap"] is None
    assert nothing["certified_gap"] is None


def test_the_table_and_the_exit_status() -> None:
    good, bad = result(value=101.0), replace(result("cflp", value=90.0, bound=80.0), instance="two")
    text = design_table([good, bad]).splitlines()
    assert text[0].split() == [
        "family",
        "instance",
        "value",
        "bound",
        "known",
        "gap",
        "%",
        "certified",
        "%",
        "CPU",
        "s",
    ]
    assert text[1].split() == ["steiner", "one", "101", "99", "100", "1.0000", "1.9802", "1.50"]
    assert "steiner: 1 instances; worst gap 1.0000 %, 0 optima found" in text[3]
    assert text[-1].startswith("FAILED cflp two: the value 90 beats")
    assert design_exit_status([good]) == 0
    assert design_exit_status([good, bad]) == 1
