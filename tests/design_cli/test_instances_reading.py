"""Published instances are read as their authors left them, and every fault of every file is told at once."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest

from design_cli.made_instances import (
    FACILITY,
    FACILITY_BEST,
    GENERATOR,
    MEDIAN_EDGES,
    MEDIAN_MATRIX,
    PRIZE,
    STEINER,
    WORD,
    WORD_BEST,
    write_all,
)
from xinji.errors import InputError
from xinji.io.instances import Instance, family_of, read_instances
from xinji.io.instances_covering import CoveringInstance, make_lists
from xinji.io.instances_facility import FacilityInstance, MedianInstance
from xinji.io.instances_files import Known
from xinji.io.instances_graph import PrizeInstance, SteinerInstance


def write(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        path = folder / name.replace("__", "/").replace("_dot_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


def by_name(found: tuple[Instance, ...]) -> dict[str, Instance]:
    return {f"{family_of(one)} {one.name}": one for one in found}


def faults(folder: Path) -> list[str]:
    with pytest.raises(InputError) as caught:
        read_instances(folder)
    return [str(fault) for fault in caught.value.faults]


def test_every_family_is_found_with_what_is_known(tmp_path: Path) -> None:
    found = read_instances(write_all(tmp_path))
    known = {f"{family_of(one)} {one.name}": getattr(one, "known", None) for one in found}
    assert known == {
        "steiner pair": Known(6.0, 6.0),
        "pcstp path": None,
        "cflp capx_2": Known(FACILITY_BEST, FACILITY_BEST, 0.1),
        "cflp capx_3": Known(9.5, WORD_BEST, 0.1),
        "cflp pair": Known(FACILITY_BEST, FACILITY_BEST, 0.1),
        "pmedian path": Known(8.0, 8.0),
        "covering tiny": None,
        "covering 1m": None,
    }


def test_a_graph_is_read_from_zero_and_a_second_format_gives_the_same(tmp_path: Path) -> None:
    loud = STEINER.replace("SECTION Graph", "Section GRAPH").replace("E 1", "e 1").replace("SECTION T", "section t")
    extra = "SECTION Coordinates\nDD 1 0 0\nEND\nSECTION Tree Decomposition\ns td 3 4 5\nEND\nEOF\n"
    write(tmp_path, a_dot_gr=STEINER, b_dot_stp=loud.replace("EOF\n", extra))
    one, other = read_instances(tmp_path)
    assert isinstance(one, SteinerInstance)
    assert isinstance(other, SteinerInstance)
    assert one.node_count == other.node_count == 5
    for name in ("from_node", "to_node", "cost", "terminals"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
    assert one.terminals.tolist() == [0, 1, 4]
    assert (one.from_node[0], one.to_node[0], one.cost[0]) == (0, 1, 5.0)


def test_prizes_and_roots_make_a_graph_prize_collecting(tmp_path: Path) -> None:
    rooted = PRIZE.replace("TP 1 5", "RootP 1").replace("TP 3 4", "TP 3 4.5")
    write(tmp_path, pcstp__a_dot_stp=PRIZE, pcstp__b_dot_stp=rooted)
    plain, other = read_instances(tmp_path)
    assert isinstance(plain, PrizeInstance)
    assert isinstance(other, PrizeInstance)
    assert plain.prize.tolist() == [5.0, 7.0, 4.0]
    assert (plain.root, other.root) == (-1, 0)
    assert other.prize.tolist() == [0.0, 7.0, 4.5]


def test_optima_in_prose_are_those_of_two_letters(tmp_path: Path) -> None:
    text = "| pcstp | CRR | D15 A/B 1042/1108, D16 13/13, D17 23/23 | DIMACS11 |\n| of 2018/2019 |"
    write(tmp_path, SOURCES_dot_md=text, **{f"pcstp__D1{n}-{c}_dot_stp": PRIZE for n in (5, 6) for c in "AB"})
    known = {one.name: getattr(one, "known", None) for one in read_instances(tmp_path)}
    assert known == {
        "D15-A": Known(1042.0, 1042.0),
        "D15-B": Known(1108.0, 1108.0),
        "D16-A": Known(13.0, 13.0),
        "D16-B": Known(13.0, 13.0),
    }


def test_the_nearest_table_of_optima_counts(tmp_path: Path) -> None:
    write(
        tmp_path,
        optima_dot_csv="name,optimum\na,7\nb,8\n",
        steiner__deep__optima_dot_csv="file,upper,lower\nA.gr,6,5\n",
        steiner__deep__a_dot_gr=STEINER,
        steiner__b_dot_gr=STEINER,
    )
    found = by_name(read_instances(tmp_path))
    assert getattr(found["steiner a"], "known", None) == Known(5.0, 6.0)
    assert getattr(found["steiner b"], "known", None) == Known(8.0, 8.0)


def test_costs_of_customers_and_capacities_by_word(tmp_path: Path) -> None:
    write(tmp_path, cflp__pair_dot_txt=FACILITY, cflp__capx_dot_txt=WORD, cflp__bounds_dot_txt="capx_3 1 2\ncapx_20 1")
    found = by_name(read_instances(tmp_path))
    pair, small = found["cflp pair"], found["cflp capx_3"]
    assert isinstance(pair, FacilityInstance)
    assert isinstance(small, FacilityInstance)
    assert pair.cost.tolist() == [[1.0, 4.0], [2.0, 4.0], [3.0, 1.5]]
    assert pair.opening.tolist() == [10.0, 1.0]
    assert pair.capacity.tolist() == [2.0, 2.0]
    assert small.capacity.tolist() == [3.0, 3.0]
    assert list(found) == ["cflp capx_3", "cflp capx_20", "cflp pair"]


def test_published_capacities_and_those_in_names_need_no_table(tmp_path: Path) -> None:
    write(tmp_path, cflp__capb_dot_txt=WORD, cflp__mine_700_dot_txt=WORD)
    found = by_name(read_instances(tmp_path))
    assert list(found) == ["cflp capb_5000", "cflp capb_6000", "cflp capb_7000", "cflp capb_8000", "cflp mine_700"]
    mine = found["cflp mine_700"]
    assert isinstance(mine, FacilityInstance)
    assert mine.capacity.tolist() == [700.0, 700.0]


def test_distances_of_edges_and_of_matrices(tmp_path: Path) -> None:
    plain = "3 3 1\n0 1 3\n1 0 2\n3 2 0\n"
    write(tmp_path, pmedian__a_dot_txt=MEDIAN_EDGES, pmedian__b_dot_txt=MEDIAN_MATRIX, pmedian__c_dot_txt=plain)
    edges, matrix, bare = read_instances(tmp_path)
    assert isinstance(edges, MedianInstance)
    assert isinstance(matrix, MedianInstance)
    assert isinstance(bare, MedianInstance)
    assert edges.distance.tolist() == [[0, 1, 3, 6], [1, 0, 2, 5], [3, 2, 0, 3], [6, 5, 3, 0]]
    assert matrix.distance.tolist() == bare.distance.tolist() == [[0, 1, 3], [1, 0, 2], [3, 2, 0]]
    assert edges.sites == 1


def test_files_outside_named_folders_are_told_apart_by_their_first_line(tmp_path: Path) -> None:
    write(tmp_path, x__a_dot_txt=FACILITY, x__b_dot_txt=MEDIAN_MATRIX, x__notes_dot_txt="Read this first.")
    assert list(by_name(read_instances(tmp_path))) == ["cflp a", "pmedian b"]


def test_the_folder_of_one_family_is_enough_and_twins_are_named_by_their_folders(tmp_path: Path) -> None:
    write(tmp_path, steiner__a_dot_gr=STEINER, steiner__more__a_dot_gr=STEINER)
    assert [one.name for one in read_instances(tmp_path / "steiner")] == ["./a", "more/a"]


def test_linked_folders_are_followed_and_circles_end(tmp_path: Path) -> None:
    write(tmp_path / "far", a_dot_gr=STEINER)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "steiner").symlink_to(tmp_path / "far", target_is_directory=True)
    (tmp_path / "far" / "back").symlink_to(tmp_path / "data", target_is_directory=True)
    assert [one.name for one in read_instances(tmp_path / "data")] == ["a"]


def test_names_are_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    write(tmp_path, **{f"pmedian__pmed{n}_dot_txt": MEDIAN_MATRIX for n in (10, 2, 1)})
    assert [one.name for one in read_instances(tmp_path)] == ["pmed1", "pmed2", "pmed10"]


def test_a_generator_makes_its_lists_in_a_process_of_its_own(tmp_path: Path) -> None:
    write(tmp_path, mclp_generator_dot_py=GENERATOR)
    tiny, large = read_instances(tmp_path)
    assert isinstance(tiny, CoveringInstance)
    assert isinstance(large, CoveringInstance)
    assert (tiny.points, tiny.sites, large.points) == (6, 3, 1_000_000)
    lists = make_lists(tiny)
    assert lists.count == 1
    assert lists.start.tolist() == [0, 2, 4, 6, 8, 10, 12]
    assert lists.site[:4].tolist() == [0, 1, 1, 2]


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        (GENERATOR.replace("* 2", "* 3"), "do not fit together"),
        (GENERATOR.replace("def pf(m, cov):\n    return 1", "def pf(m, cov):\n    return 1 // 0"), "ZeroDivisionError"),
    ],
)
def test_a_generator_that_fails_is_told(tmp_path: Path, broken: str, message: str) -> None:
    write(tmp_path, mclp_generator_dot_py=broken)
    tiny = read_instances(tmp_path)[0]
    assert isinstance(tiny, CoveringInstance)
    with pytest.raises(InputError, match=message):
        make_lists(tiny)


def test_every_fault_of_every_file_is_told_with_its_line(tmp_path: Path) -> None:
    torn = gzip.compress(STEINER.encode())[:-20]
    write(
        tmp_path,
        steiner__a_dot_gr=STEINER.replace("E 1 3 2", "E 1 x 2").replace("E 3 4 2", "E 3 4 -2"),
        steiner__b_dot_gr=STEINER.replace("E 3 5 2\n", ""),
        steiner__c_dot_gr=STEINER.replace("T 5", "T 6").replace("E 1 2 5", "E 1 9 5"),
        steiner__d_dot_gr="p sp 3 4\na 1 2 3\n",
        cflp__e_dot_txt=FACILITY.rpartition(" ")[0],
        cflp__f_dot_txt=FACILITY.replace("3.0", "three"),
        cflp__g_dot_txt=WORD,
        pmedian__h_dot_txt=MEDIAN_MATRIX + "7\n",
        pmedian__i_dot_txt=MEDIAN_EDGES.replace("4 4 1", "4 4 9"),
        pmedian__j_dot_txt=MEDIAN_MATRIX.replace("1 0 0 1 3", "1 5 0 1 3"),
        mclp_generator_dot_py="def gen(:\n",
    )
    (tmp_path / "steiner" / "k.gr.gz").write_bytes(torn)
    told = "\n".join(faults(tmp_path))
    for part in (
        "steiner/a.gr, row 4: line 5: 'E 1 x 2' is no edge",
        "steiner/a.gr, row 6: line 7: the cost is -2",
        "steiner/b.gr: Edges says 6, 5 lines E follow",
        "steiner/c.gr, row 3: line 4: the edge 1-9 leaves the graph",
        "steiner/c.gr: terminals 6 are no nodes",
        "steiner/d.gr: the number of nodes is missing",
        "cflp/e.txt: 2 sites and 3 customers take 15 numbers, the file has 14",
        "cflp/f.txt, row 8: line 9: 'three' stands where a number was expected",
        "cflp/g.txt: the capacity is the word 'capacity'",
        "pmedian/h.txt: 16 numbers follow the first three",
        "pmedian/i.txt: 9 sites of 4 are to be opened",
        "pmedian/j.txt: sites have opening costs",
        "mclp_generator.py: the file is not Python",
        "steiner/k.gr.gz: the file cannot be read",
    ):
        assert part in told


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (STEINER.replace("E 1 2 5", "A 1 2 5"), "directed"),
        (STEINER.replace("EOF", "SECTION MaximumDegrees\nMD 3\nEND\nEOF"), "degrees"),
        (STEINER.replace("EOF", "SECTION Colours\nC 3\nEND\nEOF"), "'colours' is unknown"),
        (STEINER.replace("T 1\nT 2\nT 5\n", ""), "no terminal"),
        (STEINER.replace("T 5", "TP 5"), "no prize"),
        (STEINER.replace("T 5", "TP 5 -1"), "no prize of at least 0"),
        (STEINER.replace("T 5", "Q 5"), "'Q' is unknown"),
        (STEINER.replace("Nodes 5", "Nodes five"), "gives no number"),
    ],
)
def test_what_is_another_problem_or_torn_is_refused(tmp_path: Path, text: str, message: str) -> None:
    write(tmp_path, steiner__a_dot_gr=text)
    assert any(message in fault for fault in faults(tmp_path))


def test_a_thousand_faults_are_counted(tmp_path: Path) -> None:
    write(tmp_path, steiner__a_dot_gr=STEINER + "SECTION Graph\n" + "E 1 2\n" * 1000)
    write(tmp_path, steiner__b_dot_gr=STEINER.replace("EOF\n", "") + "SECTION Graph\n" + "E 1 2\n" * 1000)
    told = faults(tmp_path)
    assert len(told) == 21
    assert "980 further lines are wrong" in told[-1]


def test_folders_without_instances_are_refused(tmp_path: Path) -> None:
    assert "no such folder" in faults(tmp_path / "nowhere")[0]
    write(tmp_path, readme_dot_md="Nothing here.")
    assert "holds no instance" in faults(tmp_path)[0]


def test_all_shared_instances_are_read_with_their_optima(shared: Path) -> None:
    found = read_instances(shared / "instances")
    families = [family_of(one) for one in found]
    assert {family: families.count(family) for family in families} == {
        "steiner": 19,
        "pcstp": 6,
        "cflp": 8,
        "pmedian": 10,
        "covering": 5,
    }
    assert all(one.known is not None for one in found if not isinstance(one, CoveringInstance))
