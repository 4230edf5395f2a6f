"""An error keeps its faults on the way from another process."""

from __future__ import annotations

import pickle

import pytest

from xinji.errors import Fault, InputError, OfferError, ParameterError, PolicyError, RegionError


@pytest.mark.parametrize("kind", [InputError, RegionError, ParameterError, PolicyError, OfferError])
def test_faults_survive_pickling(kind: type[InputError]) -> None:
    error = kind([Fault("cells", "area is -1", "Give m2.", 3), Fault("roads", "none", "Give one.")])
    again = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own bytes
    assert type(again) is kind
    assert again.faults == error.faults
    assert str(again) == str(error)
