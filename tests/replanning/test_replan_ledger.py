"""A ledger on disk as the source of a plan: of the same region only, on the day that is asked for."""

from __future__ import annotations

from pathlib import Path

import pytest

from replanning.made_ledgers import CONTRACTED
from xinji.build.event_drafts import PlannedAsset, advanced, contract_let, registered
from xinji.build.ledger import Ledger
from xinji.cli import main
from xinji.errors import InputError
from xinji.workflow.replanning_ledger import read_ledger

CRS = "EPSG:32651"


def made(path: Path, region: str, crs: str = CRS, currency: str = "CNY") -> Path:
    """Make a ledger with one facility, let in March 2026."""
    asset = PlannedAsset("G-c000_000", "fibre", "gigabit_cell", "", 2026, 1.0, 2.0, float("nan"), 5000, 10)
    years = (2026, 2027, 2028)
    with Ledger.create(
        path, region=region, crs=crs, currency=currency, years=years, day="2026-01-01", who="li"
    ) as book:
        book.append([registered(asset, day="2026-01-01", baseline="plan")])
        book.append(
            [
                advanced(asset.id, "approved", day="2026-02-01"),
                contract_let(asset.id, day="2026-03-01", contract="HT-1", contractor="Works", capex=6000),
                advanced(asset.id, "contracted", day="2026-03-01"),
            ]
        )
    return path


def test_the_ledger_is_read_as_of_a_day(office_region: Path, tmp_path: Path) -> None:
    place = str(made(tmp_path / "a.ledger", "tiny"))
    assert read_ledger(place, str(office_region)).state.tolist() == [CONTRACTED]
    earlier = read_ledger(place, str(office_region), at="2026-02-10")
    assert (earlier.at, earlier.state.tolist()) == ("2026-02-10", [1])


def test_a_ledger_of_another_region_is_refused_with_every_difference(office_region: Path, tmp_path: Path) -> None:
    place = str(made(tmp_path / "b.ledger", "elsewhere", "EPSG:32650", "USD"))
    with pytest.raises(InputError) as caught:
        read_ledger(place, str(office_region))
    assert len(caught.value.faults) == 3
    with pytest.raises(InputError):
        read_ledger(str(tmp_path / "none.ledger"), str(office_region))


@pytest.mark.parametrize(
    ("words", "told"), [(("--at", "2027-02-30"), "expected a day"), (("--slip", "2028"), "expected ID:YEAR")]
)
def test_misspelt_words_are_refused(words: tuple[str, ...], told: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(("plan", "tiny", "--ledger", "a.ledger", *words))
    assert caught.value.code == 2
    assert told in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--at", "2027-02-01"), "--at: there is no ledger"),
        (("--learn-costs",), "--learn-costs: there is no ledger"),
        (("--slip", "a:2028"), "--slip: there is no ledger"),
        (("--ledger", "none.ledger"), "none.ledger"),
    ],
)
def test_wrong_words_are_refused(
    words: tuple[str, ...],
    told: str,
    office_region: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(("plan", str(office_region), "--out", "out", *words)) == 2
    assert told in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
