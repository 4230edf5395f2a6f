from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyogrio
import pytest
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from network_verb.connected import connected_study
from xinji.cli import main
from xinji.core.offer import EXISTING
from xinji.core.study import Study
from xinji.errors import InputError
from xinji.workflow import access
from xinji.workflow.access import plan_network, write_network
from xinji.workflow.planned_network import NOTHING, TRENCH, beyond_plan, money_lines


@pytest.fixture(scope="module")
def study() -> Study:
    return connected_study(3)


def test_the_network_lies_in_the_plan_s_trenches(study: Study) -> None:
    found = plan_network(study)
    fibres = found.design.drop_fibres + found.design.distribution_fibres + found.design.feeder_fibres
    assert len(found.option)
    assert fibres.any()
    assert found.design.reached.all()
    assert found.design.bound <= found.design.value
    # Nothing is used before the plan digs it, and nothing is dug again.
    dug = study.plan.trench_stage[found.trench]
    assert (np.maximum(dug, 1)[fibres > 0] <= found.design.edge_stage[fibres > 0]).all()
    assert not [item for item in found.design.bill if item.name.startswith("opening")]
    lines = sum(item.quantity for item in found.design.bill if item.name == "line")
    assert lines == found.case.premises_lines.sum()
    joined = (study.plan.stage >= EXISTING) & (study.problem.node >= 0)
    assert found.critical.joined[study.problem.node[joined]].all()


def test_what_a_cut_takes_off_is_what_then_has_no_way(study: Study) -> None:
    found = plan_network(study)
    problem, case = study.problem, found.case
    standing = np.flatnonzero(study.plan.stage >= EXISTING)
    hosted = standing[problem.host[standing] >= 0]
    assert study.plan.reasons.worth[hosted].sum() > 0
    for rank, link in enumerate(found.critical.links.tolist()[:20]):
        left = np.arange(len(case.from_node)) != link
        ends = (case.from_node[left], case.to_node[left])
        graph = csr_array((np.ones(left.sum()), ends), shape=(case.node_count, case.node_count))
        part = connected_components(graph, directed=False)[1]
        off = ~np.isin(part, part[case.exchanges])
        node = np.where(problem.host[standing] >= 0, problem.node[problem.host[standing]], problem.node[standing])
        lost = standing[(node >= 0) & off[node]]
        assert found.critical.link_loss[rank, 0] == pytest.approx(study.plan.reasons.worth[lost].sum())
        assert found.critical.link_loss[rank, 1] == case.premises_lines[off[case.premises_node]].sum()


def test_the_plan_s_side_of_the_money_is_what_the_plan_pays(study: Study) -> None:
    found = plan_network(study)
    lines = {line.price: line for line in money_lines(found)}
    assert sum(line.in_bill for line in lines.values()) == pytest.approx(found.design.value)
    cells = [line for line in lines.values() if line.price not in (NOTHING, TRENCH)]
    assert sum(line.in_plan for line in cells) == pytest.approx(study.problem.capex[found.option].sum() / 100)
    offer = next(offer for offer in study.offers if offer.technology == "fibre")
    mine = np.isin(offer.id, study.problem.option_id[found.option])
    own = sum(line.in_plan for line in cells if line.price != "fibre.lateral")
    assert own == pytest.approx(offer.capex[mine].sum())
    assert lines["fibre.lateral"].in_plan > 0


def test_of_cables_the_first_of_a_trench_is_paid(study: Study) -> None:
    found = plan_network(study)
    beyond = beyond_plan(found)
    price = found.prices
    design, case = found.design, found.case
    factor = np.where(design.cables.way == 1, price.aerial_factor, 1.0)
    mine = design.edge_stage > 0
    cost = (design.cables.count * price.cable_per_m).sum(axis=1) * case.length_m * factor
    first = np.where(case.other_cables == 0, price.cable_per_m[0] * case.length_m * factor, 0.0)
    by_hand = (cost - first)[mine].sum()
    cables = [item.name.startswith("cable_") for item in design.bill]
    assert beyond[cables].sum() == pytest.approx(by_hand)
    for item, more in zip(design.bill, beyond, strict=True):
        assert 0 <= more <= item.total
        if item.name in ("cabinet", "duct_hole"):
            assert more == item.total
        elif not item.name.startswith("cable_"):
            assert more == 0


def test_what_exists_is_not_bought_again(study: Study) -> None:
    offers = np.array([offer.technology for offer in study.offers])[study.option_offer]
    cell = int(np.flatnonzero(offers == "fibre")[0])
    stage = study.plan.stage.copy()
    stage[cell] = EXISTING
    found = plan_network(replace(study, plan=replace(study.plan, stage=stage)))
    assert cell not in found.option
    assert len(found.option) == (offers == "fibre").sum() - 1


def test_a_plan_that_digs_nothing_is_refused(study: Study) -> None:
    nothing = replace(study.plan, trench_stage=np.full_like(study.plan.trench_stage, -1))
    with pytest.raises(InputError, match="digs no trench"):
        plan_network(replace(study, plan=nothing))


@pytest.fixture
def loaded(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(access, "load_study", lambda _: study)


@pytest.mark.usefixtures("loaded")
def test_files(study: Study, tmp_path: Path) -> None:
    made = write_network(tmp_path / "plan", tmp_path / "out")
    found, paths = made.network, made.files
    assert sorted(paths) == sorted(path.name for path in (tmp_path / "out").iterdir())
    layers = [name for name, _ in pyogrio.list_layers(paths["network.gpkg"]).tolist()]
    assert layers == ["fibre_cables", "critical_trenches", "splitters", "exchanges", "critical_nodes"]
    bill, design = rows(paths["access_bill.csv"]), found.design
    assert sum(float(row["total"]) for row in bill) == pytest.approx(design.value, abs=0.01 * len(bill))
    worth = [float(row["worth_lost"]) for row in rows(paths["critical_trenches.csv"])]
    assert worth == sorted(worth, reverse=True)
    cables = pyogrio.read_dataframe(paths["network.gpkg"], layer="fibre_cables")
    assert set(cables["id"]) <= set(study.trenches.id)
    assert cables.crs == study.region.crs
    splitters = pyogrio.read_dataframe(paths["network.gpkg"], layer="splitters")
    ports = sum(float(row["quantity"]) for row in bill if row["item"] == "olt_port")
    assert splitters["splitters"].sum() == ports == found.design.firsts.sum()
    exchanges = pyogrio.read_dataframe(paths["network.gpkg"], layer="exchanges")
    assert exchanges["lines"].sum() == found.case.premises_lines.sum()


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.usefixtures("loaded")
def test_the_verb(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["network", str(tmp_path / "plan")]) == 0
    said = capsys.readouterr().out
    assert "do not add the two" in said
    assert (tmp_path / "plan_network" / "network.json").is_file()
    # Once more over the first, as an object.
    assert main(["network", str(tmp_path / "plan"), "--json"]) == 0
    record = json.loads(capsys.readouterr().out)
    files = record.pop("files")
    assert record == json.loads(Path(files["network.json"]).read_text(encoding="utf-8"))
    assert record["bound"] <= record["value"] == pytest.approx(sum(line["in_bill"] for line in record["money"]))
    assert 0 < record["beyond_plan"] < record["value"]


def test_what_is_refused_leaves_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["network", str(tmp_path / "none"), "--out", str(tmp_path / "out")]) == 2
    assert "no such folder" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("mine", encoding="utf-8")
    assert main(["network", str(tmp_path / "none"), "--out", str(tmp_path / "mine")]) == 2
    assert "not written by Xinji" in capsys.readouterr().err
