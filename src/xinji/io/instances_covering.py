"""Maximal covering problems that a generator beside the instances makes: its code runs, in a process of its own.

The generator is a Python file ``mclp_generator.py`` with ``gen(points, sites, mean_covers, seed)``, which returns
a dict with cover lists by point (``indptr``, ``indices``), weights ``w`` and counts ``n``, ``m``; a table ``SIZES``
of name: (points, sites, mean covers); and ``pf(sites, mean_covers)``, the number of sites to open.
"""

from __future__ import annotations

import ast
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from xinji.core.arrays import Floats, Ints, freeze
from xinji.errors import Fault, InputError

GENERATOR = "mclp_generator.py"

LARGE = {"1m": (1_000_000, 100_000, 60)}
"""Sizes beyond a generator's own table: name -> (points, sites, mean covers of a point)."""

SEED = 0

_SCRIPT = """\
import runpy, sys
import numpy as np
path, points, sites, covers, seed, out = sys.argv[1:]
made = runpy.run_path(path)
found = made["gen"](int(points), int(sites), float(covers), seed=int(seed))
count = made["pf"](int(sites), float(covers)) if "pf" in made else max(5, round(1.2 * int(sites) / float(covers)))
np.savez(out, start=np.asarray(found["indptr"], dtype=np.int64), site=np.asarray(found["indices"], dtype=np.int32),
         weight=np.asarray(found["w"], dtype=np.float64), sites=int(found.get("m", sites)), count=int(count))
"""
_ERROR_LINES = 3


@dataclass(frozen=True, slots=True)
class CoveringInstance:
    """A problem that ``generator`` makes on demand: ``points`` to cover by few of ``sites``."""

    name: str
    generator: Path
    points: int
    sites: int
    mean_covers: float


@dataclass(frozen=True, slots=True, eq=False)
class CoverLists:
    """Sites that cover point i: ``site[start[i]:start[i + 1]]``; weights (n,); open at most ``count`` of ``sites``."""

    start: Ints
    site: NDArray[np.int32]
    weight: Floats
    sites: int
    count: int

    def __post_init__(self) -> None:
        freeze(self.start, self.site, self.weight)


def read_sizes(generator: Path, file: str, faults: list[Fault]) -> tuple[CoveringInstance, ...]:
    """Return the problems that ``generator`` names in its table SIZES and those of ``LARGE``, by size; nothing runs."""
    remedy = "Give a file with gen(points, sites, mean_covers, seed) and SIZES = {name: (points, sites, mean_covers)}."
    try:
        tree = ast.parse(generator.read_text(encoding="utf-8"), filename=file)
    except OSError as error:
        faults.append(Fault(file, f"the file cannot be read ({error.strerror})", "Check its rights, or copy it anew."))
        return ()
    except (SyntaxError, ValueError) as error:
        faults.append(Fault(file, f"the file is not Python ({error})", remedy))
        return ()
    functions = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    if "gen" not in functions:
        faults.append(Fault(file, "there is no function gen", remedy))
        return ()
    try:
        sizes = _table(tree)
    except (ValueError, TypeError):
        faults.append(Fault(file, "SIZES is no table of three numbers each", remedy))
        return ()
    named = sorted({**LARGE, **sizes}.items(), key=lambda item: item[1])
    return tuple(CoveringInstance(name, generator, *size) for name, size in named)


def _table(tree: ast.Module) -> Mapping[str, tuple[int, int, float]]:
    for node in tree.body:
        if isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id == "SIZES" for t in node.targets):
            found: dict[object, tuple[float, float, float]] = ast.literal_eval(node.value)
            return {str(name): (int(points), int(sites), float(c)) for name, (points, sites, c) in found.items()}
    return {}


def make_lists(instance: CoveringInstance) -> CoverLists:
    """Run the generator in a process of its own and return what it makes.

    Raises InputError where it fails or what it makes does not fit together.
    """
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / "lists.npz"
        size = (instance.points, instance.sites, instance.mean_covers, SEED)
        command = [sys.executable, "-c", _SCRIPT, str(instance.generator), *map(str, size), str(made)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - the user's own file
        if done.returncode != 0 or not made.is_file():
            said = "; ".join(done.stderr.strip().splitlines()[-_ERROR_LINES:]) or f"status {done.returncode}"
            message = f"the generator fails at size {instance.name} ({said})"
            raise InputError([Fault(str(instance.generator), message, "Mend it, or leave the size out (--sizes).")])
        try:
            with np.load(made, allow_pickle=False) as arrays:
                lists = CoverLists(
                    arrays["start"], arrays["site"], arrays["weight"], int(arrays["sites"]), int(arrays["count"])
                )
        except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
            message = f"what it makes at size {instance.name} cannot be read ({error})"
            raise InputError(
                [Fault(str(instance.generator), message, "Free some space for temporary files.")]
            ) from error
    _refuse_misfit(instance, lists)
    return lists


def _refuse_misfit(instance: CoveringInstance, lists: CoverLists) -> None:
    fits = (
        lists.start.ndim == 1
        and len(lists.start) == len(lists.weight) + 1
        and lists.start[0] == 0
        and lists.start[-1] == len(lists.site)
        and bool((np.diff(lists.start) >= 0).all())
        and bool(((lists.site >= 0) & (lists.site < lists.sites)).all())
        and bool((np.isfinite(lists.weight) & (lists.weight >= 0)).all())
    )
    if not fits:
        message = f"cover lists and weights at size {instance.name} do not fit together"
        raise InputError([Fault(str(instance.generator), message, "Return indptr, indices and w as its text says.")])
