"""The cuts of one stage: functions of the open facilities that its serving cost never falls below."""

from __future__ import annotations

import numpy as np

from xinji.core.arrays import Floats

_GROW = 64


class Cuts:
    """Constant (k,), slope (k, m) and customer prices (k, n) of every cut so far, in order of arrival."""

    def __init__(self, facilities: int, customers: int) -> None:
        self.count = 0
        self._constant = np.zeros(_GROW)
        self._slope = np.zeros((_GROW, facilities))
        self._price = np.zeros((_GROW, customers))

    def add(self, constant: float, slope: Floats, price: Floats) -> None:
        """Append one cut."""
        if self.count == len(self._constant):
            self._constant = np.concatenate([self._constant, np.zeros_like(self._constant)])
            self._slope = np.concatenate([self._slope, np.zeros_like(self._slope)])
            self._price = np.concatenate([self._price, np.zeros_like(self._price)])
        self._constant[self.count], self._slope[self.count], self._price[self.count] = constant, slope, price
        self.count += 1

    def mix(self, weight: Floats) -> Floats:
        """Return the prices (n,) of the first cuts mixed by ``weight`` (at most k,): a cut no worse than the mix.

        What the weights lack to 1 counts for prices of 0, which say that serving costs at least nothing.
        """
        used = np.maximum(weight, 0.0)
        some = np.flatnonzero(used)
        return np.asarray(used[some] @ self._price[some] / max(float(used.sum()), 1.0))

    def floor(self, y: Floats) -> Floats:
        """Return what no serving cost falls below for each row of ``y`` (q, m); 0 where there is no cut."""
        if not self.count:
            return np.zeros(len(y))
        return np.asarray(np.maximum((y @ self._slope[: self.count].T + self._constant[: self.count]).max(axis=1), 0.0))
