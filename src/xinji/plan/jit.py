"""The one place where functions are compiled."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar, cast

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic

P = ParamSpec("P")
R = TypeVar("R")

_LOOSE = {"nnan", "ninf", "nsz", "arcp", "contract", "reassoc"}


def compiled(function: Callable[P, R]) -> Callable[P, R]:
    """Return ``function`` compiled on its first call and cached on disk (strict IEEE arithmetic)."""
    return cast("Callable[P, R]", njit(cache=True)(function))


def vectorised(function: Callable[P, R]) -> Callable[P, R]:
    """Return ``function`` compiled so that its loops may run on several values at once.

    Sums and maxima may be taken in any order, and no value may be infinite or NaN; for kernels
    whose error is measured against a float64 reference. Cached on disk.
    """
    return cast("Callable[P, R]", njit(cache=True, fastmath=_LOOSE, error_model="numpy")(function))


def inlined(function: Callable[P, R]) -> Callable[P, R]:
    """Return ``function`` compiled like ``vectorised`` and always inlined, so that its caller's loop can vectorise."""
    return cast("Callable[P, R]", njit(cache=True, fastmath=_LOOSE, error_model="numpy", forceinline=True)(function))


def _reduction(name: str) -> Callable[[np.float32, np.float32], np.float32]:
    """Return an LLVM intrinsic of two float32 that loops over it may take in any order."""

    def typed(_context: object, _first: object, _second: object) -> object:
        def emit(_target: object, builder: Any, _signature: object, values: Any) -> object:  # noqa: ANN401 - llvmlite has no types
            real = ir.FloatType()
            operation = builder.module.declare_intrinsic(name, [real], ir.FunctionType(real, [real, real]))
            return builder.call(operation, values, fastmath=("nnan", "nsz"))

        return types.float32(types.float32, types.float32), emit

    return cast("Callable[[np.float32, np.float32], np.float32]", intrinsic(typed))


least = _reduction("llvm.minnum")
"""The lesser of two float32, inside compiled functions; a loop that accumulates it vectorises."""

greatest = _reduction("llvm.maxnum")
"""The greater of two float32, inside compiled functions; a loop that accumulates it vectorises."""
