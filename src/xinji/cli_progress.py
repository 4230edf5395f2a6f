"""Progress on standard error: bars with time left on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import NoReturn, TextIO

from tqdm import tqdm

_TENTHS = 10
_SILENCE_S = 10.0


class Steps:
    """Says which step runs: a bar with time left where ``stream`` is a terminal, else a line a step and tenth."""

    def __init__(self, names: Mapping[str, str], stream: TextIO) -> None:
        self._names = names
        self._stream = stream
        self._begun = self._told = time.monotonic()
        self._step = ""
        self._tenth = 0
        self._bar: tqdm[NoReturn] | None = None

    def __call__(self, step: str, done: int, total: int) -> None:
        """Tell that ``done`` of ``total`` of ``step`` is done."""
        if step != self._step:
            self.close()
            self._step, self._tenth = step, 0
            self._open(total)
        if self._bar is not None:
            self._bar.total = total
            self._bar.update(done - self._bar.n)
        elif total > 1:
            self._count(done, total)

    def close(self) -> None:
        """Leave the bar, if there is one, as it stands."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None

    def _count(self, done: int, total: int) -> None:
        """Write a line at each tenth, and where tenths are long, every few seconds."""
        tenth, now = done * _TENTHS // total, time.monotonic()
        if tenth > self._tenth or (done and now - self._told > _SILENCE_S):
            self._tenth = max(tenth, self._tenth)
            self._line(f"{self._names.get(self._step, self._step)}: {done} of {total}")

    def _open(self, total: int) -> None:
        name = self._names.get(self._step, self._step)
        if self._stream.isatty() and total > 1:
            layout = "{desc}: {percentage:3.0f}%|{bar}| {n_fmt}/{total_fmt}, {remaining} left"
            self._bar = tqdm(total=total, desc=name, file=self._stream, bar_format=layout, leave=True)
        else:
            self._line(name)

    def _line(self, text: str) -> None:
        self._told = time.monotonic()
        self._stream.write(f"[{time.monotonic() - self._begun:6.1f} s] {text}\n")
        self._stream.flush()


@contextmanager
def steps(names: Mapping[str, str]) -> Iterator[Steps]:
    """Yield what tells progress on standard error; ``names`` says what each step is called."""
    told = Steps(names, sys.stderr)
    try:
        yield told
    finally:
        told.close()
