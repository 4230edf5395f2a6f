"""How much memory a process has held."""

from __future__ import annotations

import resource
from pathlib import Path


def peak_mib() -> float:
    """Return the most memory that this process has held [MiB].

    Linux counts a process that was started by a large one as large in ``getrusage``; its own peak is
    in ``/proc``.
    """
    status = Path("/proc/self/status")
    lines = status.read_text(encoding="utf-8").splitlines() if status.exists() else []
    own = [int(line.split()[1]) for line in lines if line.startswith("VmHWM:")]
    return (own or [resource.getrusage(resource.RUSAGE_SELF).ru_maxrss])[0] / 1024.0
