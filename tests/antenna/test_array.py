"""Active arrays: gain by integration against closed forms, steering, DFT beams, envelopes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xinji.core.arrays import Floats
from xinji.errors import InputError
from xinji.plan.radio.antenna import Pattern
from xinji.plan.radio.array import (
    ELEMENT,
    Panel,
    Weights,
    beam_gain_dbi,
    dft_beams,
    envelope_cuts,
    envelope_dbi,
    radiated_power,
    steered_beams,
    vertical_circle,
)

ISOTROPIC = Pattern(1.0, 1.0, 0.0, 0.0, 0.0)


def one(value: float) -> Floats:
    return np.array([value])


def coupled_power(panel: Panel, beam: Weights) -> float:
    """Return the mean power of isotropic elements: weights times sin(kd)/(kd) of every pair's distance."""
    row, column = np.meshgrid(np.arange(panel.rows), np.arange(panel.columns), indexing="ij")
    up, aside = row.ravel() * panel.row_spacing, column.ravel() * panel.column_spacing
    distance = np.hypot(up[:, None] - up, aside[:, None] - aside)
    weights = beam.ravel()
    return float(np.real(np.conj(weights) @ np.sinc(2.0 * distance) @ weights))


def test_one_isotropic_element_has_no_gain() -> None:
    panel = Panel(1, 1, 0.5, 0.5, ISOTROPIC)
    gain = beam_gain_dbi(panel, steered_beams(panel, one(0.0), one(0.0)), np.array([0.0, 77.0]), np.array([0.0, -40.0]))
    np.testing.assert_allclose(gain, 0.0, atol=1e-9)


@settings(max_examples=15, deadline=None)
@given(
    st.integers(1, 6),
    st.integers(1, 4),
    st.floats(0.3, 0.9),
    st.floats(0.3, 0.9),
    st.floats(-60, 60),
    st.floats(-40, 40),
)
def test_integration_equals_the_closed_form(
    rows: int, columns: int, up: float, aside: float, off: float, below: float
) -> None:
    panel = Panel(rows, columns, up, aside, ISOTROPIC)
    beam = steered_beams(panel, one(off), one(below))
    assert radiated_power(panel, beam)[0] == pytest.approx(coupled_power(panel, beam[0]), rel=1e-6)


def test_half_wave_column_gains_its_number_exactly() -> None:
    # At half a wavelength isotropic elements of a column do not couple: sin(pi n)/(pi n) is 0.
    panel = Panel(8, 1, 0.5, 0.5, ISOTROPIC)
    gain = beam_gain_dbi(panel, steered_beams(panel, one(0.0), one(0.0)), one(0.0), one(0.0))[0, 0]
    assert gain == pytest.approx(10.0 * np.log10(8.0), abs=1e-6)


def test_mean_gain_over_the_sphere_is_one() -> None:
    panel = Panel(8, 4, 0.6, 0.5)
    beams = steered_beams(panel, np.array([0.0, 30.0]), np.array([6.0, 3.0]))
    rng = np.random.default_rng(2)
    below, off = np.degrees(np.arcsin(rng.uniform(-1.0, 1.0, 100_000))), rng.uniform(-180.0, 180.0, 100_000)
    mean = (10.0 ** (0.1 * beam_gain_dbi(panel, beams, off, below))).mean(axis=1)
    np.testing.assert_allclose(mean, 1.0, rtol=0.06)


def test_gain_of_an_aperture() -> None:
    # 8 x 8 elements at half a wavelength cover 16 square wavelengths, whose directivity is 4 pi 16, 23.0 dBi.
    panel = Panel(8, 8, 0.5, 0.5)
    gain = beam_gain_dbi(panel, steered_beams(panel, one(0.0), one(0.0)), one(0.0), one(0.0))[0, 0]
    assert gain == pytest.approx(10.0 * np.log10(4.0 * np.pi * 16.0), abs=0.6)


@pytest.mark.parametrize(("off", "below"), [(0.0, 0.0), (20.0, 6.0), (-45.0, 12.0)])
def test_steered_beams_peak_where_they_are_sent(off: float, below: float) -> None:
    panel = Panel(16, 16, 0.5, 0.5, ISOTROPIC)
    beam = steered_beams(panel, one(off), one(below))
    here = beam_gain_dbi(panel, beam, one(off), one(below))[0, 0]
    around = np.array([[-2.0, 0.0], [2.0, 0.0], [0.0, -2.0], [0.0, 2.0], [15.0, 9.0]])
    assert (beam_gain_dbi(panel, beam, off + around[:, 0], below + around[:, 1])[0] < here).all()


def test_mirrored_beams_mirror() -> None:
    panel, rng = Panel(4, 4, 0.6, 0.5), np.random.default_rng(4)
    off, below = rng.uniform(-180.0, 180.0, 500), rng.uniform(-90.0, 90.0, 500)
    right, left = (steered_beams(panel, one(sign * 25.0), one(5.0)) for sign in (1.0, -1.0))
    found = beam_gain_dbi(panel, right, off, below)
    np.testing.assert_allclose(found, beam_gain_dbi(panel, left, -off, below), atol=1e-6)


def test_dft_beams_are_orthonormal_and_hold_all_power() -> None:
    panel = Panel(4, 8, 0.5, 0.5)
    beams = dft_beams(panel, 1, 1).reshape(32, 32)
    np.testing.assert_allclose(beams @ beams.conj().T, np.eye(32), atol=1e-12)
    assert dft_beams(panel, 2, 4).shape == (4 * 8 * 8, 4, 8)
    every_other = dft_beams(panel, 2, 4).reshape(8, 32, 4, 8)[::2, ::4].reshape(32, 32)
    np.testing.assert_allclose(every_other, beams, atol=1e-12)


def test_the_first_dft_beam_is_the_broadside_one() -> None:
    panel = Panel(4, 8, 0.5, 0.5)
    np.testing.assert_allclose(dft_beams(panel, 1, 1)[:1], steered_beams(panel, one(0.0), one(0.0)), atol=1e-12)


def test_oversampling_lifts_the_envelope() -> None:
    panel = Panel(1, 8, 0.5, 0.5)
    off = np.linspace(-50.0, 50.0, 201)
    coarse, fine = (envelope_dbi(panel, dft_beams(panel, 1, over), off, np.zeros(201)) for over in (1, 4))
    assert (fine >= coarse - 1e-9).all()
    # Between two orthogonal beams 20 lg(2/pi) is lost, with four times as many 20 lg sinc(1/8).
    steered = np.diag(beam_gain_dbi(panel, steered_beams(panel, off, one(0.0)), off, np.zeros(201)))
    assert 3.0 < (steered - coarse).max() < 4.6
    assert (steered - fine).max() < 0.6


def test_envelope_is_the_best_beam() -> None:
    panel = Panel(8, 4, 0.6, 0.5)
    beams = steered_beams(panel, np.array([-30.0, 0.0, 30.0]), one(6.0))
    off, below = np.linspace(-90.0, 90.0, 37), np.full(37, 6.0)
    each = beam_gain_dbi(panel, beams, off, below)
    np.testing.assert_array_equal(envelope_dbi(panel, beams, off, below), each.max(axis=0))


def test_envelope_cuts_hold_the_pattern() -> None:
    panel = Panel(8, 4, 0.6, 0.5)
    beams = steered_beams(panel, np.array([-30.0, 0.0, 30.0]), one(6.0))
    cuts = envelope_cuts("swept", panel, beams, 3_500.0)
    assert cuts.electrical_tilt_deg == 6.0
    assert cuts.horizontal_db[0] == pytest.approx(cuts.vertical_db[6], abs=1e-9)
    off, below = vertical_circle(np.arange(360.0))
    np.testing.assert_allclose(cuts.gain_dbi - cuts.vertical_db, envelope_dbi(panel, beams, off, below))
    assert min(cuts.horizontal_db.min(), cuts.vertical_db.min()) == 0.0


def test_the_vertical_circle_goes_down_behind_and_over_the_top() -> None:
    off, below = vertical_circle(np.array([0.0, 30.0, 90.0, 150.0, 180.0, 210.0, 270.0, 330.0]))
    assert off.tolist() == [0.0, 0.0, 0.0, 180.0, 180.0, 180.0, 0.0, 0.0]
    assert below.tolist() == [0.0, 30.0, 90.0, 30.0, 0.0, -30.0, -90.0, -30.0]


def test_the_element_of_the_table() -> None:
    panel = Panel(1, 1, 0.5, 0.5)
    beam = steered_beams(panel, one(0.0), one(0.0))
    gain = beam_gain_dbi(panel, beam, np.array([0.0, 32.5, 0.0, 180.0]), np.array([0.0, 0.0, 32.5, 0.0]))[0]
    np.testing.assert_allclose(gain - gain[0], [0.0, -3.0, -3.0, -30.0], atol=1e-9)
    assert ELEMENT.front_to_back_db == 30.0


def test_faults() -> None:
    with pytest.raises(InputError) as caught:
        Panel(0, 4, 0.0, 0.5)
    assert len(caught.value.faults) == 2
    panel = Panel(2, 2, 0.5, 0.5)
    with pytest.raises(InputError, match="weights have shape"):
        beam_gain_dbi(panel, np.ones((1, 2, 3), dtype=np.complex128), one(0.0), one(0.0))
    with pytest.raises(InputError, match="row_oversampling is 0"):
        dft_beams(panel, 0, 1)
