"""Shadow fading: its variance and correlation in space and between sites, against the formula."""

from __future__ import annotations

import numpy as np
import pytest

from xinji.errors import InputError
from xinji.io.parameters import PROFILES, load
from xinji.plan.radio.shadowing import Shadowing, correlated_fields, correlation, read_shadowing, shadowing_db


@pytest.mark.parametrize(("cell_m", "decorrelation_m"), [(20.0, 50.0), (50.0, 37.0), (100.0, 120.0)])
def test_fields_have_the_correlation_of_the_formula(cell_m: float, decorrelation_m: float) -> None:
    fields = correlated_fields(np.random.default_rng(1), 600, (40, 48), cell_m=cell_m, decorrelation_m=decorrelation_m)
    assert fields.dtype == np.float32
    assert fields.mean() == pytest.approx(0.0, abs=0.02)
    assert (fields**2).mean() == pytest.approx(1.0, abs=0.02)
    for rows, columns in ((0, 1), (1, 0), (2, 1), (3, 4), (0, 6)):
        near = fields[:, : 40 - rows, : 48 - columns] * fields[:, rows:, columns:]
        wanted = correlation(np.hypot(rows, columns) * np.array([cell_m]), decorrelation_m)[0]
        assert near.mean() == pytest.approx(wanted, abs=0.025)


def test_the_correlation_is_by_distance_not_by_axis() -> None:
    fields = correlated_fields(np.random.default_rng(2), 1_500, (24, 24), cell_m=10.0, decorrelation_m=50.0)
    along = (fields[:, :, :-5] * fields[:, :, 5:]).mean()
    aslant = (fields[:, :-3, :-4] * fields[:, 3:, 4:]).mean()
    assert along == pytest.approx(aslant, abs=0.02)


def test_sites_share_the_common_part() -> None:
    rule = Shadowing(8.0, 50.0, 0.5)
    rng = np.random.default_rng(3)
    drawn = np.stack([shadowing_db(rng, 3, (6, 6), cell_m=50.0, shadowing=rule) for _ in range(4_000)])
    assert drawn.std() == pytest.approx(8.0, rel=0.02)
    between = (drawn[:, 0] * drawn[:, 1]).mean() / 64.0
    assert between == pytest.approx(0.5, abs=0.03)
    alone = shadowing_db(rng, 2, (6, 6), cell_m=50.0, shadowing=Shadowing(8.0, 50.0, 1.0))
    assert alone[0] == pytest.approx(alone[1])


def test_a_seed_repeats_its_field_and_none_is_drawn_without_spread() -> None:
    rule = Shadowing(6.0, 50.0, 0.5)
    first, again = (shadowing_db(np.random.default_rng(9), 2, (9, 7), cell_m=30.0, shadowing=rule) for _ in range(2))
    assert (first == again).all()
    flat = shadowing_db(np.random.default_rng(9), 2, (9, 7), cell_m=30.0, shadowing=Shadowing(0.0, 50.0, 0.5))
    assert (flat == 0).all()
    assert flat.shape == (2, 9, 7)


@pytest.mark.parametrize("shape", [(1, 1), (1, 30), (257, 3)])
def test_any_shape_is_drawn_odd_counts_too(shape: tuple[int, int]) -> None:
    fields = correlated_fields(np.random.default_rng(1), 3, shape, cell_m=25.0, decorrelation_m=50.0)
    assert fields.shape == (3, *shape)
    assert np.isfinite(fields).all()
    assert (fields.reshape(3, -1)[:, 0] != 0).all()


@pytest.mark.parametrize("profile", PROFILES)
def test_registry_has_a_rule(profile: str) -> None:
    assert read_shadowing(load(profile)).between_sites == 0.5


def test_bad_figures_are_refused_together() -> None:
    with pytest.raises(InputError) as caught:
        Shadowing(-1.0, 0.0, 1.5)
    assert len(caught.value.faults) == 3
    with pytest.raises(InputError, match="cell size"):
        correlated_fields(np.random.default_rng(1), 1, (3, 3), cell_m=0.0, decorrelation_m=50.0)
