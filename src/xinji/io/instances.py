"""The published optimisation instances in a folder: which there are, of which family, and their known optima.

Folders may be nested and files compressed. ``.gr`` and ``.stp`` files are Steiner problems wherever they lie;
``.txt`` files are facility location problems in a folder ``cflp`` and p-median problems in a folder
``pmedian``, and elsewhere are told apart by their first line; ``mclp_generator.py`` makes covering problems.
Known optima come from a file of the same name with the ending ``.opt``, from ``optima.csv`` or ``bounds.txt`` in
the instance's folder or one above it, and from SOURCES.md.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeAlias

from xinji.errors import Fault, InputError, raise_if
from xinji.io.instances_covering import GENERATOR, CoveringInstance, read_sizes
from xinji.io.instances_facility import FacilityInstance, MedianInstance, read_facility, read_median
from xinji.io.instances_files import (
    Known,
    capacities,
    known_in_prose,
    known_table,
    last_number,
    plain_name,
    read_text,
    read_words,
)
from xinji.io.instances_graph import PrizeInstance, SteinerInstance, read_graph

STEINER, PRIZE, FACILITY, MEDIAN, COVERING = FAMILIES = ("steiner", "pcstp", "cflp", "pmedian", "covering")
"""The families, by their names in folders and results."""

Instance: TypeAlias = SteinerInstance | PrizeInstance | FacilityInstance | MedianInstance | CoveringInstance

_GRAPHS = (".gr", ".stp")
_LISTS = (".txt", ".dat", "")
_HELPERS = re.compile(r"bounds.*|optim.*|.*opt|.*readme.*|.*licen[cs]e.*|sources.*|copying|notice", re.IGNORECASE)
_TABLES = re.compile(r"bounds.*|optim.*|.*opt", re.IGNORECASE)
_REMEDY = "Name a folder with steiner/*.gr, pcstp/*.stp, cflp/*.txt, pmedian/*.txt or mclp_generator.py."


@dataclass(frozen=True, slots=True)
class _Optima:
    """Tables of known optima by the folder they lie in, and what stands beside single instances."""

    tables: tuple[tuple[Path, Mapping[str, Known]], ...]
    beside: Mapping[tuple[Path, str], Known]
    prose: Mapping[str, Known]

    def of(self, folder: Path, name: str) -> Known | None:
        """Return what is known of the instance ``name`` that lies in ``folder``."""
        key = name.lower()
        if (folder, key) in self.beside:
            return self.beside[folder, key]
        # Tables in the own folder first, then those above, the nearest first, then any other.
        above = [folder, *folder.parents]
        ranked = sorted(self.tables, key=lambda item: above.index(item[0]) if item[0] in above else len(above))
        return next((table[key] for _, table in ranked if key in table), self.prose.get(key))

    def numbers_behind(self, name: str) -> tuple[str, ...]:
        """Return the capacities that the tables name for ``name``, rising."""
        found = {word for _, table in self.tables for word in capacities(table, name)}
        return tuple(sorted(found, key=float))


def read_instances(data: Path) -> tuple[Instance, ...]:
    """Return every instance under the folder ``data``, by family and name.

    Raises InputError with every fault of every file, or where there is no instance at all.
    """
    if not data.is_dir():
        message = "it is no folder" if data.exists() else "there is no such folder"
        raise InputError([Fault(str(data), message, _REMEDY)])
    files = sorted(_files(data))
    faults: list[Fault] = []
    optima = _optima(files, data, faults)
    found = [instance for path in files for instance in _instances(path, data, optima, faults)]
    raise_if(faults, InputError)
    if not found:
        raise InputError([Fault(str(data), "the folder holds no instance", _REMEDY)])
    return tuple(sorted(_distinct(found, data), key=_order))


def _files(data: Path) -> Iterator[Path]:
    """Yield every file under ``data`` that is not hidden; links to folders are followed, once each."""
    seen: set[str] = set()
    for folder, inner, names in os.walk(data, followlinks=True):
        seen.add(os.path.realpath(folder))
        # A link back to a folder above would never end.
        inner[:] = [
            name for name in inner if not name.startswith(".") and os.path.realpath(f"{folder}/{name}") not in seen
        ]
        yield from (Path(folder) / name for name in names if not name.startswith("."))


def family_of(instance: Instance) -> str:
    """Return the family of ``instance``."""
    kinds = (SteinerInstance, PrizeInstance, FacilityInstance, MedianInstance, CoveringInstance)
    return FAMILIES[kinds.index(type(instance))]


def _instances(path: Path, data: Path, optima: _Optima, faults: list[Fault]) -> Iterator[Instance]:
    file = str(path.relative_to(data))
    name = plain_name(path.name)
    ending = _ending(path)
    if path.name.lower() == GENERATOR:
        yield from read_sizes(path, file, faults)
    elif ending in _GRAPHS:
        text = read_text(path, file, faults)
        graph = None if text is None else read_graph(text, file, name, optima.of(path.parent, name), faults)
        if graph is not None:
            yield graph
    elif ending in _LISTS and _HELPERS.fullmatch(name) is None:
        yield from _located(path, data, optima, faults)


def _located(path: Path, data: Path, optima: _Optima, faults: list[Fault]) -> Iterator[Instance]:
    """Yield the location problems in a file of numbers."""
    file, name = str(path.relative_to(data)), plain_name(path.name)
    family = _folder_family(path, data)
    text = read_text(path, file, faults) if family in ("", FACILITY, MEDIAN) else None
    if text is None:
        return
    spoken = _spoken_family(text)
    if not spoken and (not family or _ending(path) != ".txt"):
        # A note, not an instance.
        return
    words = read_words(text, file)
    if (family or spoken) == MEDIAN:
        median = read_median(words, name, optima.of(path.parent, name), faults)
        if median is not None:
            yield median
    else:
        asked = optima.numbers_behind(name)
        yield from read_facility(words, name, lambda one: optima.of(path.parent, one), asked, faults)


def _spoken_family(text: str) -> str:
    """Return the family that the first line of numbers speaks of: two begin facility location, three p-median."""
    rows = (row.split() for row in text.splitlines() if row.strip() and not row.lstrip().upper().startswith("FILE:"))
    words = next(rows, [])
    whole = all(word.isdigit() for word in words)
    return {2: FACILITY, 3: MEDIAN}.get(len(words), "") if whole else ""


def _folder_family(path: Path, data: Path) -> str:
    """Return the family that the folder of ``path``, or the nearest one above it, is named after."""
    parts = [*data.resolve().parts[-1:], *path.relative_to(data).parts[:-1]]
    for part in reversed(parts):
        plain = re.sub(r"[^a-z]", "", part.lower())
        for family in (STEINER, PRIZE, FACILITY, MEDIAN):
            if family in plain:
                return family
    return ""


def _ending(path: Path) -> str:
    name = path.name.lower().removesuffix(".gz")
    stem, dot, ending = name.rpartition(".")
    return f".{ending}" if dot and stem else ""


def _optima(files: list[Path], data: Path, faults: list[Fault]) -> _Optima:
    tables: list[tuple[Path, Mapping[str, Known]]] = []
    beside: dict[tuple[Path, str], Known] = {}
    prose: dict[str, Known] = {}
    for path in files:
        ending, name = _ending(path), plain_name(path.name)
        told = ending == ".md" and name.lower().removesuffix(".md") in ("sources", "readme")
        listed = ending in (".csv", ".txt") and _TABLES.fullmatch(plain_name(name.removesuffix(".csv"))) is not None
        if not (told or listed or ending == ".opt"):
            continue
        text = read_text(path, str(path.relative_to(data)), faults)
        if text is None:
            continue
        if told:
            prose |= known_in_prose(text)
        elif listed:
            tables.append((path.parent, known_table(text)))
        else:
            last = last_number(text)
            stem = plain_name(name.lower().removesuffix(".gz").removesuffix(".opt"))
            if last is not None:
                beside[path.parent, stem.lower()] = last
    return _Optima(tuple(tables), beside, prose)


def _distinct(found: list[Instance], data: Path) -> Iterator[Instance]:
    """Yield instances with names that no other of their family has: the path where the file's name is used twice."""
    count = Counter((family_of(one), one.name.lower()) for one in found)
    for one in found:
        if count[family_of(one), one.name.lower()] == 1:
            yield one
        elif isinstance(one, CoveringInstance):
            yield replace(one, name=f"{one.generator.parent.relative_to(data)}/{one.name}")
        else:
            yield replace(one, name=f"{Path(one.file).parent}/{one.name}")


def _order(instance: Instance) -> tuple[int, int, tuple[tuple[str, int], ...]]:
    """Return a key that sorts by family, generated problems by size, and others by name."""
    size = instance.points if isinstance(instance, CoveringInstance) else 0
    return FAMILIES.index(family_of(instance)), size, _natural(instance.name)


def _natural(name: str) -> tuple[tuple[str, int], ...]:
    """Return a key that sorts pmed2 before pmed10."""
    return tuple((text.lower(), int(digits or 0)) for text, digits in re.findall(r"(\D*)(\d*)", name))
