from __future__ import annotations

import json
import math
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from validation_sets.validation_files import FILES, change, write_sets
from xinji.errors import InputError
from xinji.workflow.validate import SetResult, exit_status, table, validate_radio


@pytest.fixture
def sets(tmp_path: Path) -> Path:
    return write_sets(tmp_path)


def by_set(folder: Path) -> dict[str, SetResult]:
    return {result.set: result for result in validate_radio(folder)}


def test_every_set_passes(sets: Path) -> None:
    results = validate_radio(sets)
    found = {result.set: (result.cases, result.passed, result.unit) for result in results}
    assert found == {
        "p2108": (8, 8, "dB"),
        "p2109": (3, 3, "dB"),
        "p676": (3, 3, "relative"),
        "p838": (2, 2, "dB/km"),
        "tr38901": (3, 3, "dB"),
        "itm": (2, 2, "dB"),
    }
    assert exit_status(results) == 0
    for result in results:
        assert result.worst is not None
        assert result.tolerance is not None
        assert 0 <= result.worst <= result.tolerance
        assert list(result.record()) == ["set", "cases", "passed", "worst", "unit", "tolerance"]
    assert json.loads(json.dumps([result.record() for result in results], allow_nan=False))


PLANTED = [
    ("p2109/itu_bel.csv", "105.8635000464519464", "105.8635100464519464", 3, "entry_loss_db"),
    ("p676/itu_13_gamma.csv", "0.0725221244262961", "0.0725221254262961", 3, "vapour_db_km"),
    ("p676/itu_13_gamma.csv", "5.01968582617174", "5.02968582617174", 4, "total_db_km"),
    ("p838/rain.csv", "1.09499629", "1.09499649", 4, "alpha"),
    ("p2108/TerrestrialStatisticalModel.csv", "30.9", "31.0", 3, "loss_db"),
    ("p2108/HeightGainTerminalCorrectionModel.csv", "14.6", "14.8", 2, "loss_db"),
    ("tr38901/path_loss.csv", "140.3896", "140.4500", 4, "path_loss_db"),
    ("itm/area.csv", "152.5", "152.6", 2, "loss_db"),
]


@pytest.mark.parametrize(("file", "old", "new", "line", "quantity"), PLANTED)
def test_a_wrong_figure_fails_and_is_named(
    sets: Path, *, file: str, old: str, new: str, line: int, quantity: str
) -> None:
    change(sets, file, old, new)
    results = by_set(sets)
    wrong = results[file.partition("/")[0]]
    assert wrong.passed == wrong.cases - 1
    assert exit_status(results.values()) == 1
    (failure,) = wrong.failures
    assert (failure.case, failure.quantity) == (f"{file}, line {line}", quantity)
    assert failure.expected == float(new)
    assert f"{file}, line {line}: {quantity} is " in table(results.values())
    assert sum(result.failed for result in results.values()) == 1


def test_a_refusal_is_expected_where_the_source_says_so(sets: Path) -> None:
    change(sets, "p2108/TerrestrialStatisticalModel.csv", "67,5.4,30.5,0,", "67,5.4,30.5,48,")
    change(sets, "p2108/AeronauticalStatisticalModel.csv", "100.1,45,45,64,", "100.1,45,45,0,")
    result = by_set(sets)["p2108"]
    assert result.passed == result.cases - 2
    refused, computed = result.failures
    assert refused.found is None
    assert "100.1" in refused.reason
    assert computed.expected is None
    assert "expected a refusal" in str(computed)


def test_a_row_outside_the_models_range_fails_alone(sets: Path) -> None:
    change(sets, "p2109/itu_bel.csv", "66.693333333", "660")
    change(sets, "tr38901/path_loss.csv", "RMa,35,10,", "InX,35,10,")
    results = by_set(sets)
    for name in ("p2109", "tr38901"):
        assert results[name].passed == 2
        assert results[name].failures[0].found is None
        assert "refused" in str(results[name].failures[0])


def test_figures_that_are_not_asserted_fail_nothing(sets: Path) -> None:
    change(sets, "tr38901/path_loss.csv", "140.3896,1", "150,0")
    results = by_set(sets)
    assert (results["tr38901"].cases, results["tr38901"].passed) == (2, 2)
    aside = results["tr38901/unasserted"]
    assert (aside.cases, aside.passed, aside.failed) == (1, 0, False)
    assert exit_status(results.values()) == 0


def test_other_terminals_and_frequencies_are_read(sets: Path) -> None:
    (sets / "tr38901/path_loss.csv").write_text(
        "scenario,h_bs_m,h_ut_m,frequency_ghz,distance_2d_m,los,path_loss_db\nUMi,10,1.5,1,20,1,60\n", encoding="utf-8"
    )
    (failure,) = by_set(sets)["tr38901"].failures
    # Table 7.4.1-1, before the breakpoint.
    assert failure.found == pytest.approx(32.4 + 21.0 * math.log10(math.hypot(20.0, 8.5)))


def test_indoor_scenarios_are_read(sets: Path) -> None:
    (sets / "tr38901/path_loss.csv").write_text(
        "scenario,h_bs_m,distance_2d_m,los,path_loss_db\nInH,3,20,1,60\nInF-SL,1.5,20,0,60\n", encoding="utf-8"
    )
    office, factory = by_set(sets)["tr38901"].failures
    # Table 7.4.1-1 at 5 GHz: InH LOS, and InF-SL NLOS, which is above InF LOS here.
    tone = 20.0 * math.log10(5.0)
    assert office.found == pytest.approx(32.4 + 17.3 * math.log10(math.hypot(20.0, 1.5)) + tone)
    assert factory.found == pytest.approx(33.0 + 25.5 * math.log10(20.0) + tone)


def test_unknown_folders_are_listed(sets: Path) -> None:
    (sets / "phy").mkdir()
    (sets / ".hidden").mkdir()
    last = validate_radio(sets)[-1]
    assert (last.set, last.cases, last.worst, last.note) == ("phy", 0, None, "not supported")
    assert last.record()["note"] == "not supported"
    assert "phy: not supported" in table([last])


def test_columns_that_nobody_reads_are_told(sets: Path) -> None:
    change(sets, "itm/area.csv", "situation,A__db", "situation,A__db,remark")
    assert by_set(sets)["itm"].note == "columns not used: remark"


@pytest.mark.parametrize("end", ["\r\n", "\r"])
def test_the_look_of_a_file_does_not_matter(sets: Path, end: str) -> None:
    before = validate_radio(sets)
    for name, text in FILES.items():
        head, _, body = text.partition("\n") if not text.startswith("#") else text.partition("\n")[2].partition("\n")
        lines = ["# a remark, with a comma", "", head.upper(), *body.splitlines(), " ", ",,,", "# the end"]
        bom, encoding = ("", "latin-1") if "\xb0" in text else ("\ufeff", "utf-8")
        (sets / name).write_bytes((bom + end.join(lines)).encode(encoding))
    after = validate_radio(sets)
    assert [result.record() for result in after] == [result.record() for result in before]


@given(seed=st.integers(0, 10**6))
@settings(max_examples=10, deadline=None)
def test_the_order_of_rows_and_columns_does_not_matter(seed: int) -> None:
    generator = np.random.default_rng(seed)
    with TemporaryDirectory() as name:
        folder = write_sets(Path(name))
        change(folder, "p2109/itu_bel.csv", "105.8635000464519464", "105.9")
        before = validate_radio(folder)
        for file in FILES:
            path = folder / file
            cells = [line.split(",") for line in path.read_text(encoding="latin-1").splitlines()]
            heads = [row for row in cells if not any(cell.strip()[:1].isdigit() for cell in row)]
            rows = cells[len(heads) :]
            order = generator.permutation(len(rows[0]))
            rows = [rows[at] for at in generator.permutation(len(rows))]
            moved = [row if row[0].startswith("#") else [row[at] for at in order] for row in heads + rows]
            path.write_text("\n".join(map(",".join, moved)), encoding="latin-1")
        after = validate_radio(folder)
    assert [(r.set, r.cases, r.passed) for r in after] == [(r.set, r.cases, r.passed) for r in before]
    for one, other in zip(before, after, strict=True):
        assert one.worst == pytest.approx(other.worst, rel=1e-6)


def test_every_fault_of_every_file_is_told(sets: Path) -> None:
    change(sets, "p2109/itu_bel.csv", "33.386666667", "n/a")
    change(sets, "p2109/itu_bel.csv", ",1,37.5", ",one,37.5")
    change(sets, "p838/rain.csv", "alpha", "beta")
    change(sets, "itm/area.csv", "152.5", "")
    change(sets, "p676/specific_attenuation.csv", "3.5,", "nan,")
    with pytest.raises(InputError) as caught:
        validate_radio(sets)
    said = [(fault.layer, fault.row) for fault in caught.value.faults]
    assert said == [
        ("p2109/itu_bel.csv", 1),
        ("p2109/itu_bel.csv", 2),
        ("p676/specific_attenuation.csv", 0),
        ("p838/rain.csv", None),
        ("itm/area.csv", 0),
    ]
    text = str(caught.value)
    assert "line 3: building_type is 'one'" in text
    assert "the column 'alpha' is missing" in text
    assert "loss_db is missing" in text


def test_codes_that_mean_nothing_are_told(sets: Path) -> None:
    change(sets, "p2109/itu_bel.csv", ",2,-52", ",3,-52")
    change(sets, "tr38901/path_loss.csv", "RMa,35,5000,0,", "RMa,35,5000,2,")
    with pytest.raises(InputError, match=r"building_type is 3(.|\n)*los is 2"):
        validate_radio(sets)


def test_many_bad_cells_are_counted(sets: Path) -> None:
    rows = "x,x,x,x,x\n" * 20
    (sets / "p2109/itu_bel.csv").write_text(FILES["p2109/itu_bel.csv"].splitlines()[0] + "\n" + rows, encoding="utf-8")
    with pytest.raises(InputError) as caught:
        validate_radio(sets)
    assert len(caught.value.faults) == 51
    assert "50 further cells" in str(caught.value)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "the file is empty"),
        (FILES["p2109/itu_bel.csv"].splitlines()[0], "the set holds no case"),
        ("\x00\x01\x02binary", "is missing"),
        ('"open quote', "no CSV"),
    ],
)
def test_a_file_without_a_case_is_no_set(tmp_path: Path, content: str, words: str) -> None:
    (tmp_path / "p2109").mkdir()
    (tmp_path / "p2109/itu_bel.csv").write_text(content, encoding="utf-8")
    with pytest.raises(InputError, match=words):
        validate_radio(tmp_path)


def test_a_file_without_rows_beside_others_is_allowed(sets: Path) -> None:
    (sets / "p676/specific_attenuation.csv").write_text("f,P,T,rho,gamma0,gammaw\n", encoding="utf-8")
    assert by_set(sets)["p676"].cases == 2


def test_a_folder_without_sets_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no set"):
        validate_radio(tmp_path)
    with pytest.raises(InputError, match="no such folder"):
        validate_radio(tmp_path / "missing")
    (tmp_path / "p838").mkdir()
    with pytest.raises(InputError, match="p838: the set holds no case"):
        validate_radio(tmp_path)
    (tmp_path / "p838/rain.csv").mkdir()
    with pytest.raises(InputError, match="cannot be read"):
        validate_radio(tmp_path)


def test_the_table_shortens_long_lists(sets: Path) -> None:
    lines = FILES["p2109/itu_bel.csv"].splitlines()
    (sets / "p2109/itu_bel.csv").write_text("\n".join([lines[0], *["1,50,1,0,99"] * 14]), encoding="utf-8")
    results = validate_radio(sets)
    assert table(results).count("p2109/itu_bel.csv, line") == 10
    assert "p2109: 4 further figures are not met" in table(results)
    assert table(results, details=True).count("p2109/itu_bel.csv, line") == 14


def test_published_sets(shared: Path) -> None:
    results = {result.set: result for result in validate_radio(shared / "validation")}
    assert all(result.passed == result.cases for result in results.values())
    cases = {name: result.cases for name, result in results.items()}
    assert cases == {
        "p1812": 33,
        "p2108": 23,
        "p2109": 3000,
        "p676": 3105,
        "p838": 32,
        "tr38901": 8,
        "itm": 10,
        "phy": 0,
    }
