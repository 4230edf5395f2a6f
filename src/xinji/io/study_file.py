"""A study as one file of arrays, so that its report can be made again without planning again.

The file is a zip of NumPy arrays (``numpy.savez_compressed``) named by their place in the study;
what is no array stands as JSON in ``facts``. The region is not in it: its folder lies beside.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import typing
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TypeVar

import numpy as np

from xinji.core.arrays import AnyArray
from xinji.core.demand import Demand
from xinji.core.offer import Offer, Trenches
from xinji.core.plan import Plan
from xinji.core.policy import Policy
from xinji.core.problem import Problem
from xinji.core.region import Region
from xinji.core.study import Outcome, Study
from xinji.errors import Fault, InputError
from xinji.io.atomic import atomic_file

FORMAT = 3
"""Raised when an older reader would misread the file."""

_REMEDY = "Run `xinji plan` again."
_INDEXES = ("option_offer", "option_place", "row_cell", "row_service")
_FACTS = "facts"

Type = TypeVar("Type")


def write_study_file(path: Path, study: Study, region_folder: Path) -> Path:
    """Write all of ``study`` but its region and policy, which ``region_folder`` holds, to ``path``.

    Raises OutputError where the disk refuses.
    """
    arrays: dict[str, AnyArray] = {}
    facts: dict[str, object] = {"format": FORMAT, "offers": len(study.offers), "region": folder_digest(region_folder)}
    for name, value in _parts(study):
        if isinstance(value, np.ndarray):
            arrays[name] = value
        else:
            facts[name] = dict(value) if isinstance(value, Mapping) else value
    arrays[_FACTS] = np.array(json.dumps(facts))
    with atomic_file(path) as fresh, fresh.open("wb") as file:
        _save(file, arrays)
    return path


def read_study_file(path: Path, region: Region, policy: Policy, region_folder: Path) -> Study:
    """Return the study in ``path``, made of ``region`` and ``policy``, which ``region_folder`` holds.

    Raises InputError where the file is missing, damaged or of another format, or where the region's
    folder was changed since.
    """
    if not path.is_file():
        raise InputError([Fault(str(path), "there is no such file", "Name a folder that `xinji plan` wrote.")])
    try:
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        facts = json.loads(str(arrays.pop(_FACTS)))
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise InputError([Fault(str(path), f"the file is damaged ({error})", _REMEDY)]) from error
    if facts.get("format") != FORMAT:
        message = f"the format is {facts.get('format')!r}, this version reads {FORMAT}"
        raise InputError([Fault(str(path), message, _REMEDY)])
    if facts.get("region") != folder_digest(region_folder):
        message = "the folder was changed after the plan was made"
        raise InputError([Fault(str(region_folder), message, f"Undo the change, or plan the new region. {_REMEDY}")])
    try:
        return _study(region, policy, arrays, facts)
    except (KeyError, TypeError) as error:
        raise InputError([Fault(str(path), f"the file is not whole ({error})", _REMEDY)]) from error


def folder_digest(folder: Path) -> str:
    """Return the SHA-256 over names and contents of the files of ``folder``, in hexadecimal."""
    digest = hashlib.sha256()
    for file in sorted(file for file in folder.iterdir() if file.is_file()):
        content = hashlib.sha256(file.read_bytes()).hexdigest()
        digest.update(f"{file.name}\0{content}\n".encode())
    return digest.hexdigest()


def _parts(study: Study) -> Iterator[tuple[str, object]]:
    for name in ("demand", "trenches", "problem", "plan", "outcome", "sequential", "sequential_outcome"):
        yield from _flat(name, getattr(study, name))
    for number, offer in enumerate(study.offers):
        yield from _flat(f"offer{number}", offer)
    for name in _INDEXES:
        yield name, getattr(study, name)


def _flat(name: str, value: object) -> Iterator[tuple[str, object]]:
    """Yield what ``value`` holds, field by field, under dotted names."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        for item in dataclasses.fields(value):
            yield from _flat(f"{name}.{item.name}", getattr(value, item.name))
    else:
        yield name, value


def _save(file: typing.IO[bytes], arrays: Mapping[str, AnyArray]) -> None:
    """Write ``arrays`` in the form of ``numpy.savez_compressed``, with no time in it: same study, same bytes."""
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, array in arrays.items():
            info = zipfile.ZipInfo(f"{name}.npy")
            info.compress_type = zipfile.ZIP_DEFLATED
            with archive.open(info, "w", force_zip64=True) as member:
                np.lib.format.write_array(member, np.asarray(array, order="C"), allow_pickle=False)


def _study(region: Region, policy: Policy, arrays: Mapping[str, AnyArray], facts: Mapping[str, object]) -> Study:
    known: dict[str, object] = {**facts, **arrays}
    option_offer, option_place, row_cell, row_service = (arrays[name] for name in _INDEXES)
    return Study(
        region=region,
        policy=policy,
        demand=_build(Demand, "demand", known),
        trenches=_build(Trenches, "trenches", known),
        offers=tuple(_build(Offer, f"offer{number}", known) for number in range(int(str(facts["offers"])))),
        problem=_build(Problem, "problem", known),
        option_offer=option_offer,
        option_place=option_place,
        row_cell=row_cell,
        row_service=row_service,
        plan=_build(Plan, "plan", known),
        outcome=_build(Outcome, "outcome", known),
        sequential=_build(Plan, "sequential", known),
        sequential_outcome=_build(Outcome, "sequential_outcome", known),
    )


def _build(kind: type[Type], name: str, known: Mapping[str, object]) -> Type:
    hints = typing.get_type_hints(kind)
    values: dict[str, object] = {}
    for field, hint in hints.items():
        place = f"{name}.{field}"
        nested = isinstance(hint, type) and dataclasses.is_dataclass(hint)
        values[field] = _build(hint, place, known) if nested else known[place]
    return kind(**values)
