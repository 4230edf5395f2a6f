"""No engine answers without a bound."""

from __future__ import annotations

import dataclasses
import typing

import pytest

from xinji.core.plan import Plan
from xinji.plan.choose.solve import solve
from xinji.plan.design import engines


@pytest.mark.parametrize("name", engines.__all__)
def test_what_an_engine_returns_has_a_value_and_a_bound(name: str) -> None:
    answer = typing.get_type_hints(getattr(engines, name))["return"]
    assert dataclasses.is_dataclass(answer)
    assert {"value", "bound"} <= {item.name for item in dataclasses.fields(answer)}


def test_so_does_the_joint_plan() -> None:
    assert typing.get_type_hints(solve)["return"] is Plan
    assert {"objective", "bound", "certificate"} <= {item.name for item in dataclasses.fields(Plan)}
