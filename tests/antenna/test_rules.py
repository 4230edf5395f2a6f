"""Which model serves where, and what may be added to what."""

from __future__ import annotations

from itertools import pairwise, product

import numpy as np
import pytest

from xinji.errors import InputError
from xinji.plan.radio.rules import EFFECTS, MODELS, NAMES, PLACES, model_for, require_chain, rules_table


def names_for(frequency: list[float], distance: list[float], place: str) -> list[str]:
    return [NAMES[k] for k in model_for(np.array(frequency), np.array(distance), place)]


def test_outdoors() -> None:
    found = names_for([0.03, 0.7, 6.0, 0.7, 6.01, 28.0, 100.0], [5.0, 0.25, 80.0, 0.249, 1.0, 0.1, 5.0], "outdoor")
    assert found == ["P.1812"] * 3 + ["TR 38.901"] * 4


def test_inside_and_fixed() -> None:
    assert names_for([3.5, 28.0], [0.02, 0.15], "office") == ["TR 38.901 InH"] * 2
    assert names_for([3.5], [0.5], "factory") == ["TR 38.901 InF"]
    assert names_for([18.0], [30.0], "fixed") == ["P.530"]


def test_broadcasts() -> None:
    code = model_for(np.array([[0.7], [28.0]]), np.array([0.1, 1.0, 2.0]), "outdoor")
    assert code.shape == (2, 3)
    assert code.dtype == np.uint8


@pytest.mark.parametrize(
    ("frequency", "distance", "place"),
    [
        (0.4, 0.1, "outdoor"),
        (28.0, 6.0, "outdoor"),
        (140.0, 0.1, "outdoor"),
        (3.5, 0.2, "office"),
        (0.02, 9.0, "outdoor"),
    ],
)
def test_nothing_serves(frequency: float, distance: float, place: str) -> None:
    with pytest.raises(InputError, match=r"1 links have no model.*Within reach are"):
        model_for(np.array([frequency]), np.array([distance]), place)


def test_missing_numbers_and_unknown_places() -> None:
    with pytest.raises(InputError, match="1 links have no model"):
        model_for(np.array([np.nan]), np.array([1.0]), "outdoor")
    with pytest.raises(InputError, match="place 'tunnel' is unknown"):
        model_for(np.array([3.5]), np.array([1.0]), "tunnel")


@pytest.mark.parametrize(
    "chain",
    [
        ("P.1812",),
        ("P.1812", "P.2109"),
        ("TR 38.901", "P.676", "P.838", "P.2109"),
        ("TR 38.901", "TR 38.901 O2I"),
        ("P.526", "P.676", "P.2108", "P.2109"),
        ("P.525", "P.676", "P.530"),
        ("TR 38.901 InF", "P.676"),
    ],
)
def test_chains_that_stand(chain: tuple[str, ...]) -> None:
    require_chain(chain)


@pytest.mark.parametrize(
    ("chain", "message"),
    [
        (("P.1812", "P.2108"), "clutter would count twice"),
        (("TR 38.901", "P.2108"), "clutter would count twice"),
        (("TR 38.901", "TR 38.901 O2I", "P.2109"), "entry is counted by TR 38.901 O2I and P.2109"),
        (("TR 38.901 InH", "P.2109"), "entry would count twice"),
        (("TR 38.901 InF", "TR 38.901 O2I"), "entry would count twice"),
        (("P.1812", "TR 38.901 O2I"), "cannot be added to P.1812"),
        (("P.525", "P.530", "P.838"), "rain is counted by P.530 and P.838"),
        (("P.526", "P.2108", "P.2108"), "clutter is counted by P.2108 and P.2108"),
        (("P.1812", "P.530"), "cannot be added to P.1812"),
        (("P.2109", "P.1812"), "P.1812 comes after P.2109"),
        (("P.525", "P.2109", "P.676"), "P.676 comes after P.2109"),
        (("P.525", "P.526"), "2 models of the whole path"),
        (("P.2109",), "0 models of the whole path"),
        ((), "an empty chain"),
        (("Hata", "P.525"), "'Hata' is unknown"),
    ],
)
def test_chains_that_fall(chain: tuple[str, ...], message: str) -> None:
    with pytest.raises(InputError, match=message):
        require_chain(chain)


def test_no_chain_of_three_that_stands_counts_twice() -> None:
    # Second route: every ordered triple, against the definition itself.
    stands = 0
    for chain in product(MODELS, repeat=3):
        try:
            require_chain([model.name for model in chain])
        except InputError:
            continue
        stands += 1
        assert chain[0].whole_path
        assert all(sum(effect in model.counts for model in chain) <= 1 for effect in EFFECTS)
        assert all(before.step <= after.step for before, after in pairwise(chain))
    assert stands > 10


def test_the_table_and_the_models_are_consistent() -> None:
    table = rules_table()
    assert [row[0] for row in table[1:]] == list(NAMES)
    assert {len(row) for row in table} == {7}
    assert all(cell for row in table for cell in row)
    assert len(set(NAMES)) == len(NAMES)
    for model in MODELS:
        assert model.counts <= set(EFFECTS)
        assert set(model.serves) <= set(PLACES)
        assert model.onto <= set(NAMES)
        for base in (MODELS[NAMES.index(name)] for name in model.onto):
            assert base.whole_path
            assert not base.counts & model.counts
