"""Link adaptation against the simulated curves, TS 38.306's rate, and its own float64 reference."""

from __future__ import annotations

import json
import math
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xinji.errors import InputError, ParameterError
from xinji.io.parameters import PROFILES, load
from xinji.plan.radio import mcs
from xinji.plan.radio.link import (
    TABLES,
    Carrier,
    best_mcs,
    block_error_rate,
    curve_of,
    efficiency_bit_s_hz,
    max_rate_mbps,
    noise_dbm,
    read_carrier,
    read_noise_dbm,
    throughput_mbps,
)

ROOT = Path(__file__).resolve().parents[2]
FULL = Carrier(273, 30.0, 4, 8, 0.14, 1.0)
FILES = {
    "PDSCH_table1.json": mcs.PDSCH_64QAM,
    "PDSCH_table2.json": mcs.PDSCH_256QAM,
    "PDSCH_table3.json": mcs.PDSCH_LOW,
    "PDSCH_table4.json": mcs.PDSCH_1024QAM,
    "PUSCH_table1.json": mcs.PUSCH_64QAM,
    "PUSCH_table2.json": mcs.PUSCH_LOW,
}


@pytest.mark.parametrize(
    ("table", "index", "efficiency"),
    [
        # 3GPP TS 38.214, spectral efficiencies as printed.
        (mcs.PDSCH_64QAM, 0, 0.2344),
        (mcs.PDSCH_64QAM, 17, 2.5664),
        (mcs.PDSCH_64QAM, 28, 5.5547),
        (mcs.PDSCH_256QAM, 4, 1.1758),
        (mcs.PDSCH_256QAM, 20, 5.3320),
        (mcs.PDSCH_256QAM, 27, 7.4063),
        (mcs.PDSCH_LOW, 0, 0.0586),
        (mcs.PDSCH_LOW, 28, 4.5234),
        (mcs.PDSCH_1024QAM, 23, 7.8662),
        (mcs.PDSCH_1024QAM, 26, 9.2578),
        (mcs.PUSCH_64QAM, 16, 2.5703),
        (mcs.PUSCH_64QAM, 17, 2.7305),
        (mcs.PUSCH_64QAM, 27, 5.5547),
        (mcs.PUSCH_LOW, 0, 0.0586),
        (mcs.PUSCH_LOW, 27, 4.5234),
    ],
)
def test_schemes_are_those_of_the_standard(table: tuple[mcs.Mcs, ...], index: int, efficiency: float) -> None:
    assert table[index].efficiency == pytest.approx(efficiency, abs=6e-5)


def test_tables_have_the_standard_s_lengths() -> None:
    assert [len(table) for table in FILES.values()] == [29, 28, 29, 27, 28, 28]


@pytest.mark.parametrize("file", FILES)
def test_error_rates_follow_the_simulation(shared: Path, file: str) -> None:
    document = json.loads((shared / "validation" / "phy" / "bler_tables" / file).read_text(encoding="utf-8"))
    (category,) = document["category"].values()
    (table,) = category["index"].values()
    errors = []
    for index, curve in table["MCS"].items():
        scheme = FILES[file][int(index)]
        found = block_error_rate(np.array(curve["SNR_db"]), scheme)
        errors.append(np.abs(found - np.array(curve["CBS"]["2000"]["BLER"])))
    assert max(error.max() for error in errors) < 0.05
    assert np.mean(errors) < 0.003


@pytest.mark.parametrize("table", list(FILES.values()), ids=list(FILES))
def test_every_scheme_keeps_above_shannon_s_limit_and_near_it(table: tuple[mcs.Mcs, ...]) -> None:
    limit = np.array([10.0 * math.log10(2.0**scheme.efficiency - 1.0) for scheme in table])
    gap = np.array([scheme.sinr_db for scheme in table]) - limit
    assert (gap > 0.3).all()
    assert (gap < 4.0).all()


def test_the_module_is_what_its_script_makes(shared: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = spec_from_file_location("compile_mcs", ROOT / "scripts" / "compile_mcs.py")
    assert spec is not None
    assert spec.loader is not None
    compile_mcs = module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "compile_mcs", compile_mcs)
    spec.loader.exec_module(compile_mcs)
    # Antipodal signals at rate 1/2 need 0.187 dB of Eb/N0, which at 1 bit/symbol is the SINR.
    assert compile_mcs.limit_db(2, 0.5) == pytest.approx(0.187, abs=2e-3)
    text, misfit = compile_mcs.compiled(shared / "validation" / "phy")
    kept = {key: value for key, value in vars(mcs).items() if key in compile_mcs.TABLES}
    made: dict[str, object] = {"__name__": "compile_mcs"}
    exec(compile(text, "made", "exec"), made)  # noqa: S102
    assert misfit < 0.005
    for name, table in kept.items():
        again = made[name]
        assert isinstance(again, tuple)
        assert [x.modulation_order for x in again] == [x.modulation_order for x in table]
        assert [x.simulated for x in again] == [x.simulated for x in table]
        assert [x.sinr_db for x in again] == pytest.approx([x.sinr_db for x in table], abs=0.01)


def test_peak_rate_is_the_published_one() -> None:
    # 100 MHz at 30 kHz, four layers of 256QAM: 2.337 Gbit/s (TS 38.306, 4.1.2; the figure of rate calculators).
    assert max_rate_mbps(FULL) == pytest.approx(2337.0, abs=0.05)
    # 20 MHz at 15 kHz, two layers of 64QAM: 106 blocks, 170.7 Mbit/s by hand.
    assert max_rate_mbps(Carrier(106, 15.0, 2, 6, 0.14, 1.0)) == pytest.approx(170.1, abs=0.1)


@pytest.mark.parametrize(("way", "order"), list(TABLES))
@pytest.mark.parametrize("layers", [1, 2, 4, 8])
def test_throughput_ends_at_the_peak_rate(way: str, order: int, layers: int) -> None:
    carrier = Carrier(273, 30.0, layers, order, 0.14, 0.7)
    found = throughput_mbps(np.array([60.0, np.inf], dtype=np.float32), curve_of(carrier, way), carrier)
    assert found == pytest.approx(max_rate_mbps(carrier), rel=1e-5)


@pytest.mark.parametrize("layers", [1, 4])
def test_look_up_follows_the_reference(layers: int) -> None:
    curve = curve_of(Carrier(273, 30.0, layers, 8, 0.14, 1.0), "down")
    sinr = np.linspace(-15.0, 45.0, 60_001)
    wanted = efficiency_bit_s_hz(sinr, mcs.PDSCH_256QAM, layers)
    assert np.abs(curve.read(sinr.astype(np.float32)) - wanted).max() < 0.004 * layers
    assert (np.diff(curve.efficiency) >= 0).all()


@given(st.floats(-40, 60), st.floats(0, 20), st.integers(1, 8))
def test_more_sinr_and_more_layers_never_carry_less(sinr_db: float, more_db: float, layers: int) -> None:
    sinr = np.array([sinr_db, sinr_db + more_db])
    low, high = efficiency_bit_s_hz(sinr, mcs.PDSCH_256QAM, layers)
    assert low <= high * (1.0 + 1e-12)
    assert efficiency_bit_s_hz(sinr, mcs.PDSCH_256QAM, layers + 1)[0] >= low
    assert high <= (layers * math.log2(1.0 + 10.0 ** (sinr[1] / 10.0) / layers)) + 1e-12


def test_no_sinr_no_bits() -> None:
    curve = curve_of(FULL, "down")
    nothing = np.array([[np.nan, -np.inf], [-50.0, -20.0]], dtype=np.float32)
    assert (curve.read(nothing) == 0).all()
    assert curve.read(nothing).shape == (2, 2)


def test_best_scheme_rises_with_sinr_and_is_none_in_outage() -> None:
    best = best_mcs(np.array([-20.0, -6.0, 0.5, 12.0, 40.0]), mcs.PDSCH_64QAM)
    assert best[0] == -1
    assert (np.diff(best) > 0).all()
    assert best[-1] == 28


def test_noise_is_kTB() -> None:  # noqa: N802
    # -173.975 dBm/Hz at 290 K.
    assert noise_dbm(30.0, 9.0) == pytest.approx(-173.975 + 10 * math.log10(30e3) + 9.0, abs=2e-3)


@pytest.mark.parametrize("profile", PROFILES)
def test_registry_makes_carriers(profile: str) -> None:
    parameters = load(profile)
    wide, low = read_carrier(parameters, 3500, "down"), read_carrier(parameters, 700, "up")
    assert (wide.resource_blocks, wide.subcarrier_khz, wide.time_share) == (273, 30.0, 0.7)
    assert (low.resource_blocks, low.subcarrier_khz, low.layers, low.overhead) == (160, 15.0, 1, 0.08)
    assert read_noise_dbm(parameters, 3500, "down") - read_noise_dbm(parameters, 3500, "up") == pytest.approx(4.0)
    with pytest.raises(ParameterError):
        read_carrier(parameters, 26_000, "down")


def test_bad_carriers_are_refused_with_all_faults() -> None:
    with pytest.raises(InputError) as caught:
        Carrier(0, 20.0, 9, 7, 1.0, 2.0)
    assert len(caught.value.faults) == 6
    with pytest.raises(InputError, match="no table for 10 bit up"):
        curve_of(Carrier(10, 15.0, 1, 10, 0.1, 1.0), "up")
