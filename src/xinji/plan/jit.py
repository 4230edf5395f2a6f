"""The one place where functions are compiled."""

from __future__ import annotations

from collections.abc import Callable
from typing import ParamSpec, TypeVar, cast

from numba import njit

P = ParamSpec("P")
R = TypeVar("R")


def compiled(function: Callable[P, R]) -> Callable[P, R]:
    """Return ``function`` compiled on its first call and cached on disk (strict IEEE arithmetic)."""
    return cast("Callable[P, R]", njit(cache=True)(function))
