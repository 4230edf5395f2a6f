from __future__ import annotations

import datetime as dt
import hashlib
from contextlib import suppress
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook

from xinji.core.facilities import ACCEPTED, IN_USE, STATES, UNDER_CONSTRUCTION
from xinji.errors import InputError
from xinji.io.acceptance import ROWS_NAMED, AcceptanceRecord, read_acceptance
from xinji.io.acceptance_columns import ACCEPTANCE_COLUMNS, PROJECT_COLUMNS, STATE_WORDS, plain
from xinji.io.acceptance_values import CellError, cents_of, day_of

ENGLISH = """id,state,date,contract,contract_capex,paid_total,longitude,latitude
S-1,accepted,2027-03-05,HT-1,"123,456.78",100000.5,120.41,31.52
S-2,under_construction,2027-3-6,HT-1,99.99,,,
"""
CHINESE = """设施编号,状态,验收日期,合同编号,合同金额（万元）,累计付款(元),经度,纬度
S-1,已验收,2027年3月5日,HT-1,12.345678,100000.5,120.41,31.52
S-2,在建,2027/3/6,HT-1,0.009999,,,
"""


def read(
    folder: Path, text: str, *, encoding: str = "utf-8", name: str = "records.csv"
) -> tuple[AcceptanceRecord, ...]:
    path = folder / name
    path.write_text(text, encoding=encoding)
    return read_acceptance(path)


def refusals(folder: Path, text: str) -> list[str]:
    with pytest.raises(InputError) as caught:
        read(folder, text)
    return [str(fault) for fault in caught.value.faults]


@pytest.mark.parametrize("text", ["1e999999999", "-1E+400", "9" * 400])
def test_a_number_beyond_all_bounds_is_a_fault_of_its_row(tmp_path: Path, text: str) -> None:
    (fault,) = refusals(tmp_path, f"id,date,contract,contract_capex\nS-1,2027-03-05,HT-1,{text}\n")
    assert fault.startswith("records.csv line 2, row 0: contract_capex is ")
    (fault,) = refusals(tmp_path, f"id,date,length_m\nS-1,2027-03-05,{text}\n")
    assert "length_m is " in fault


def test_a_year_is_a_whole_number(tmp_path: Path) -> None:
    (fault,) = refusals(tmp_path, "id,date,planned_year\nS-1,2027-03-05,2028.9\n")
    assert "planned_year is 2028.9, with decimals" in fault
    assert read(tmp_path, "id,date,planned_year\nS-1,2027-03-05,2028.0\n")[0].planned_year == 2028


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_english_and_chinese_sheets_say_the_same(tmp_path: Path, encoding: str) -> None:
    one, other = read(tmp_path, ENGLISH, encoding=encoding), read(tmp_path, CHINESE, encoding=encoding)
    assert one == other
    first, second = one
    assert (first.id, first.state, first.day, first.contract) == ("S-1", ACCEPTED, "2027-03-05", "HT-1")
    assert (first.contract_capex, first.paid_total, first.place) == (12345678, 10000050, (120.41, 31.52))
    assert (second.state, second.day, second.contract_capex) == (UNDER_CONSTRUCTION, "2027-03-06", 9999)
    assert (second.paid_total, second.place, second.layer) == (None, None, "records.csv line 3")


def test_a_workbook_says_the_same_below_its_title(tmp_path: Path) -> None:
    book = Workbook()
    book.worksheets[0].title = "说明"
    book.worksheets[0].append(["由施工单位填报"])
    sheet = book.create_sheet("3月")
    sheet.append(["无锡市新吴区 2027年3月 验收记录"])
    sheet.append(["设施编号", "状态", "验收日期", "合同编号", "合同金额（万元）", "累计付款(元)", "经度", "纬度"])
    sheet.append(
        ["S-1", "已验收", dt.datetime(2027, 3, 5, tzinfo=dt.UTC).replace(tzinfo=None), "HT-1", 12.345678, 100000.5]
    )
    sheet.append([])
    sheet.append([20270306, "在用", "20270306", 7.0, 0.1 + 0.2, None, 120.41, 31.52])
    book.save(tmp_path / "records.xlsx")
    first, second = read_acceptance(tmp_path / "records.xlsx")
    assert (first.contract_capex, first.paid_total, first.day) == (12345678, 10000050, "2027-03-05")
    assert first.layer == "records.xlsx [3月] line 3"
    # A number in a text's column is the code that Excel shows; a formula's last digits are the computer's.
    assert (second.id, second.contract, second.state, second.contract_capex) == ("20270306", "7", IN_USE, 300_000)
    with pytest.raises(InputError, match=r"there is no sheet '4月'\. The workbook has 说明, 3月"):
        read_acceptance(tmp_path / "records.xlsx", sheet="4月")


def test_every_fault_of_every_row_is_listed(tmp_path: Path) -> None:
    text = (
        "id,state,date,contract,contract_capex,payment,paid_total,lon,lat,x_m,y_m\n"
        ",accepted,2027-03-05,,,,,,,,\n"
        "S-2,finnished,05.03.2027,,,,,,,,\n"
        "S-3,accepted,2027-02-30,HT,1.234,,,,,,\n"
        "S-4,cancelled,2027-03-05,,10,1,1,120,,,\n"
        "S-5,accepted,2027-03-05,HT,ten,,,200,31,5,\n"
        "S-6,accepted,,HT,-5,,,120,31,1,2\n"
    )
    day, pair = "Write the day as 2027-03-05, or as a date cell in Excel.", "or none."
    number, contract = (
        "Write digits with a point before the decimals, for example 12345.60.",
        "Give the contract number.",
    )
    said = [
        (2, "the id is missing. Give the facility's id as the plan or the ledger has it."),
        (3, f"state is 'finnished'. Use one of {', '.join(STATES)}, or in Chinese, such as 已验收."),
        (3, f"date is '05.03.2027', which is no day. {day}"),
        (4, f"date is '2027-02-30', a day that no calendar has. {day}"),
        (4, "contract_capex is 1.234, which has parts of a cent. Give money to the cent, not finer."),
        (5, f"the latitude is missing. Give both longitude and latitude, {pair}"),
        (5, "both the payment and the sum paid until now are given. Give one of them."),
        (5, f"a contract sum is given without the contract's number. {contract}"),
        (5, "a cancelled facility needs a reason. Say why in the column reason (原因)."),
        (6, "lon is 200. Give a number from -180 to 180."),
        (6, f"the y_m is missing. Give both x_m and y_m, {pair}"),
        (6, f"contract_capex is 'ten', which is no number. {number}"),
        (7, "the date is missing. Give the day on which the state was entered, as 2027-03-05."),
        (7, "longitude and latitude are given, and x and y too. Give one of the pairs."),
        (7, "contract_capex is -5, below 0. Give an amount of at least 0."),
    ]
    assert refusals(tmp_path, text) == [f"records.csv line {line}, row {line - 2}: {what}" for line, what in said]


def test_columns_are_known_or_refused_or_passed_over(tmp_path: Path) -> None:
    found = refusals(tmp_path, "序号,facility,staus,日期,lon,lat (feet),date\n1,S-1,accepted,2027-03-05,1,1,x\n")
    mend = "Rename it, remove it, or name it in --ignore."
    units = "元, 千元, 万元, 百万元, 亿元, CNY, USD, thousand or million; m or km for lengths"
    assert found == [
        f"records.csv: nothing reads the column '序号'. {mend}",
        f"records.csv: nothing reads the column 'staus'. Did you mean 'status'? {mend}",
        f"records.csv: the unit of the column 'lat (feet)' is unknown. Use {units}.",
        "records.csv: the columns '日期' and 'date' both hold the date. Keep one of them.",
    ]
    path = tmp_path / "records.csv"
    path.write_text("序号,编号,日期\n1,S-1,2027-03-05\n", encoding="utf-8")
    assert read_acceptance(path, ignored=("序号",))[0].state == ACCEPTED
    with pytest.raises(InputError, match="there is no column '序' to ignore"):
        read_acceptance(path, ignored=("序", "序号"))


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"", "no heading is found"),
        (b"id;date\nS;2027-01-01\n", "not separated by commas"),
        (b"id,date\n", "there is no row below the heading"),
        (b'id,date\n"S,2027-01-01\n', "not sound CSV"),
        ("id,date\nS,2027-01-01\n".encode("utf-16"), "UTF-16"),
        (b"\xd0\xcf\x11\xe0rest", "Excel 97 to 2003"),
        (b"PK\x03\x04rest", "is an Excel workbook, not CSV"),
        (b"id,date\n\xff\xff,2027-01-01\n", "neither UTF-8 nor GB18030"),
        (b"id,date\nS,2027-01-01,,x\n", "4 fields, the heading has 2"),
        (b"id,date,lon\nS,2027-01-01,1\n", "there is no column for the latitude"),
    ],
)
def test_files_that_are_no_sheet(tmp_path: Path, raw: bytes, said: str) -> None:
    path = tmp_path / "records.csv"
    path.write_bytes(raw)
    with pytest.raises(InputError, match=said):
        read_acceptance(path)


@pytest.mark.parametrize("raw", [b"", b"PK\x03\x04", b"no workbook", b"PK\x05\x06" + bytes(18)])
def test_workbooks_that_are_none(tmp_path: Path, raw: bytes) -> None:
    path = tmp_path / "records.xlsx"
    path.write_bytes(raw)
    with pytest.raises(InputError, match="no sound Excel workbook"):
        read_acceptance(path)


def test_a_missing_file_and_a_folder(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no file"):
        read_acceptance(tmp_path / "none.csv")
    with pytest.raises(InputError, match="is a folder"):
        read_acceptance(tmp_path)


def test_of_many_rows_with_one_fault_the_lines_are_listed(tmp_path: Path) -> None:
    rows = "".join(f"S-{n},{'2027-01-01' if n == 70 else 'soon'}\n" for n in range(80))
    found = refusals(tmp_path, "id,date\n" + rows)
    assert len(found) == ROWS_NAMED + 1
    assert found[-1].startswith("records.csv: date: 29 further rows have the same fault, on lines 52-71, 73-81.")


def test_evidence_is_hashed_and_named_from_its_root(tmp_path: Path) -> None:
    (tmp_path / "scans").mkdir()
    (tmp_path / "scans" / "a.pdf").write_bytes(b"signed")
    (tmp_path / "empty.pdf").write_bytes(b"")
    path = tmp_path / "records.csv"
    path.write_text("id,date,evidence\nS-1,2027-01-01,scans/a.pdf\n", encoding="utf-8")
    (file,) = read_acceptance(path, evidence_root=tmp_path)[0].evidence
    assert (file.name, file.sha256, file.size) == ("scans/a.pdf", hashlib.sha256(b"signed").hexdigest(), 6)
    (outside,) = read_acceptance(path, evidence_root=tmp_path / "scans" / "deeper")[0].evidence
    assert outside.name == (tmp_path / "scans" / "a.pdf").resolve().as_posix()
    path.write_text("id,date,evidence\nS-1,2027-01-01,scans/b.pdf;empty.pdf\n", encoding="utf-8")
    with pytest.raises(InputError) as caught:
        read_acceptance(path)
    assert [fault.message for fault in caught.value.faults] == [
        "the evidence 'scans/b.pdf' is not there",
        "the evidence 'empty.pdf' is empty",
    ]


@given(st.integers(0, 10**14), st.booleans())
def test_money_written_to_the_cent_is_read_to_the_cent(cents: int, marked: bool) -> None:  # noqa: FBT001 - hypothesis gives it by position
    text = f"{cents // 100:{',' if marked else ''}}.{cents % 100:02d}"
    assert cents_of(text, 1) == cents
    assert cents_of(f"¥{text}元", 1) == cents
    # In 万元 every cent needs six decimals.
    assert cents_of(str(Decimal(cents) / 1_000_000), 10_000) == cents


@given(st.integers(0, 10**11))
def test_money_of_a_workbook_is_a_float_and_still_exact(cents: int) -> None:
    assert cents_of(cents / 100, 1) == cents


@pytest.mark.parametrize("cell", ["1,2", "12,34,567", "1e", "0x10", "NaN", "inf", "--1", "", True, float("nan")])
def test_what_is_no_money(cell: str | float) -> None:
    with pytest.raises(CellError):
        cents_of(cell, 1)


@given(st.dates(dt.date(1900, 1, 1), dt.date(2200, 1, 1)))
def test_days_in_every_form(day: dt.date) -> None:
    forms = (
        day.isoformat(), f"{day.year}/{day.month}/{day.day}", f"{day.year}.{day.month:02d}.{day.day:02d}",
        f"{day.year:04d}{day.month:02d}{day.day:02d}", f"{day.year}年{day.month}月{day.day}日", f"{day} 00:00:00",
    )  # fmt: skip
    assert {day_of(form) for form in forms} == {day.isoformat()}
    assert day_of(day) == day_of(dt.datetime.combine(day, dt.time())) == day.isoformat()


@pytest.mark.parametrize("cell", ["05/03/2027", "2027-13-01", "2027", "", 46000, dt.datetime(2027, 1, 1, 12)])  # noqa: DTZ001
def test_what_is_no_day(cell: str | int | dt.datetime) -> None:
    with pytest.raises(CellError):
        day_of(cell)


@given(st.text(max_size=40))
def test_no_text_breaks_the_readers(text: str) -> None:
    with suppress(CellError):
        assert len(day_of(text)) == len("2027-01-01")
    with suppress(CellError):
        assert cents_of(text, 1) >= 0


def test_no_name_means_two_things() -> None:
    for columns in (ACCEPTANCE_COLUMNS, PROJECT_COLUMNS):
        names = [plain(text) for name, others in columns.items() for text in (name, *others)]
        assert len(names) == len(set(names))
    assert set(STATE_WORDS.values()) == set(range(len(STATES)))
