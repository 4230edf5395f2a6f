"""Which published model serves where, and which may be added to which: written once, enforced, printable.

A link's loss is a chain: one model of the whole path, then additions to it, along the path first, into the
building last. What one link of the chain has counted, no other may count again: clutter, walls, gas and rain
enter once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from xinji.core.arrays import Bools, Codes, Floats
from xinji.errors import Fault, InputError, raise_if

EFFECTS = ("terrain", "clutter", "gas", "rain", "entry")
"""What a model may count: obstacles of the ground; buildings and trees; gas; rain; walls of the terminal's house."""

PLACES = ("outdoor", "office", "factory", "fixed")
"""Where the far end is: outdoors, in an office or factory with its antenna inside, or on a mast of a microwave hop."""

_STEPS = ("path", "air", "clutter", "entry")


@dataclass(frozen=True, slots=True)
class Model:
    """A published model: its frequencies [GHz], distances [km] and what it counts (of ``EFFECTS``).

    ``serves`` lists the ``PLACES`` that ``model_for`` chooses it for. ``onto`` names the models it may
    be added to; a model of the whole path has none. ``why`` gives the reason in one sentence.
    """

    name: str
    frequency_ghz: tuple[float, float]
    distance_km: tuple[float, float]
    counts: frozenset[str]
    serves: tuple[str, ...]
    onto: frozenset[str]
    why: str

    @property
    def whole_path(self) -> bool:
        """Whether this is a model of the whole path rather than an addition to one."""
        return not self.onto

    @property
    def step(self) -> int:
        """Return its turn in a chain: whole path, gas and rain, clutter at the ends, walls."""
        if self.whole_path:
            return _STEPS.index("path")
        last = "entry" if "entry" in self.counts else "clutter" if "clutter" in self.counts else "air"
        return _STEPS.index(last)


_FREE, _BARE, _ITM, _TERRAIN, _STREET = "P.525", "P.526", "ITM", "P.1812", "TR 38.901"
_OFFICE, _FACTORY = "TR 38.901 InH", "TR 38.901 InF"
_OUTDOOR = frozenset({_FREE, _BARE, _ITM, _TERRAIN, _STREET})
_ALL = _OUTDOOR | {_OFFICE, _FACTORY}

MODELS = (
    Model(
        _TERRAIN,
        (0.03, 6.0),
        (0.25, 3_000.0),
        frozenset({"terrain", "clutter"}),
        ("outdoor",),
        frozenset(),
        "ITU-R P.1812-8 along the profile with its clutter; its section 1 gives 0.03 to 6 GHz and 0.25 km up.",
    ),
    Model(
        _STREET,
        (0.5, 100.0),
        (0.01, 5.0),
        frozenset({"clutter"}),
        ("outdoor",),
        frozenset(),
        "RMa, UMa and UMi hold buildings in their sight and loss; nearer and higher than P.1812 reaches.",
    ),
    Model(
        _OFFICE,
        (0.5, 100.0),
        (0.001, 0.15),
        frozenset({"clutter", "entry"}),
        ("office",),
        frozenset(),
        "Antenna and terminal share the floor; no outer wall lies between.",
    ),
    Model(
        _FACTORY,
        (0.5, 100.0),
        (0.001, 0.6),
        frozenset({"clutter", "entry"}),
        ("factory",),
        frozenset(),
        "Antenna and terminal share the hall; machines are its clutter.",
    ),
    Model(
        "P.530",
        (1.0, 100.0),
        (0.0, 60.0),
        frozenset({"rain"}),
        ("fixed",),
        frozenset({_FREE, _BARE}),
        "Outage of a hop by multipath and rain, over the margin left after free-space and gaseous loss.",
    ),
    Model(
        _FREE,
        (0.001, 1_000.0),
        (0.0, np.inf),
        frozenset(),
        (),
        frozenset(),
        "Free space: what a clear hop loses, and what others are measured against.",
    ),
    Model(
        _BARE,
        (0.03, 1_000.0),
        (0.0, np.inf),
        frozenset({"terrain"}),
        (),
        frozenset(),
        "Diffraction over bare terrain, free space with it; knows no clutter.",
    ),
    Model(
        _ITM,
        (0.02, 20.0),
        (1.0, 2_000.0),
        frozenset({"terrain"}),
        (),
        frozenset(),
        "Longley-Rice over bare terrain, to compare with.",
    ),
    Model(
        "P.676",
        (1.0, 1_000.0),
        (0.0, np.inf),
        frozenset({"gas"}),
        (),
        _ALL,
        "Oxygen and water vapour, which none of the models of the path holds.",
    ),
    Model(
        "P.838",
        (1.0, 1_000.0),
        (0.0, np.inf),
        frozenset({"rain"}),
        (),
        _OUTDOOR,
        "Rain, outdoors; P.530 holds it already.",
    ),
    Model(
        "P.2108",
        (0.03, 100.0),
        (0.0, np.inf),
        frozenset({"clutter"}),
        (),
        frozenset({_FREE, _BARE, _ITM}),
        "Clutter at the ends, only onto models that know none.",
    ),
    Model(
        "P.2109",
        (0.08, 100.0),
        (0.0, np.inf),
        frozenset({"entry"}),
        (),
        _OUTDOOR,
        "Walls, onto an outdoor loss at the façade.",
    ),
    Model(
        "TR 38.901 O2I",
        (0.5, 100.0),
        (0.0, 5.0),
        frozenset({"entry"}),
        (),
        frozenset({_STREET}),
        "Walls by TR 38.901, onto its own outdoor loss, in place of P.2109.",
    ),
)
"""Every model, in the order in which ``model_for`` tries them."""

NAMES = tuple(model.name for model in MODELS)


def model_for(frequency_ghz: Floats, distance_km: Floats, place: str) -> Codes:
    """Return which of ``MODELS`` serves each link, as positions (uint8, of the broadcast shape).

    Outdoors P.1812 comes first (0.03 to 6 GHz from 0.25 km), then TR 38.901 (nearer, or above 6
    GHz). Raises InputError for an unknown place and for links that no model serves.
    """
    if place not in PLACES:
        raise InputError([Fault("models", f"place {place!r} is unknown", f"Use one of {', '.join(PLACES)}.")])
    frequency, distance = np.broadcast_arrays(frequency_ghz, distance_km)
    code = np.full(frequency.shape, len(MODELS), dtype=np.uint8)
    for k, model in enumerate(MODELS):
        if place in model.serves:
            code[(code == len(MODELS)) & _within(model, frequency, distance)] = k
    lost = code == len(MODELS)
    if lost.any():
        found = f"{int(lost.sum())} links have no model, such as {frequency[lost][0]:g} GHz at {distance[lost][0]:g} km"
        reach = "; ".join(_reach(model) for model in MODELS if place in model.serves)
        raise InputError([Fault(f"models, {place}", found, f"Within reach are {reach}.")])
    return code


def require_chain(names: Sequence[str]) -> None:
    """Raise InputError unless ``names``, in order, make one loss in which nothing counts twice.

    All faults are listed: unknown names, no or several models of the whole path, additions that do not
    fit it or come too early, effects counted twice.
    """
    raise_if(_chain_faults(names), InputError)


def rules_table() -> tuple[tuple[str, ...], ...]:
    """Return ``MODELS`` as rows of text with a header: model, GHz, km, counts, serves, added to, why."""
    header = ("model", "frequency [GHz]", "distance [km]", "counts", "serves", "added to", "why")
    rows = (
        (
            model.name,
            _span(model.frequency_ghz),
            _span(model.distance_km),
            ", ".join(effect for effect in EFFECTS if effect in model.counts) or "none",
            ", ".join(model.serves) or "when named",
            ", ".join(name for name in NAMES if name in model.onto) or "nothing: whole path",
            model.why,
        )
        for model in MODELS
    )
    return (header, *rows)


def _within(model: Model, frequency_ghz: Floats, distance_km: Floats) -> Bools:
    band, reach = model.frequency_ghz, model.distance_km
    fits = (frequency_ghz >= band[0]) & (frequency_ghz <= band[1])
    return np.asarray(fits & (distance_km >= reach[0]) & (distance_km <= reach[1]))


def _span(limits: tuple[float, float]) -> str:
    low, high = limits
    if np.isinf(high):
        return "any" if low == 0.0 else f"from {low:g}"
    return f"{low:g} to {high:g}"


def _reach(model: Model) -> str:
    return f"{model.name} ({_span(model.frequency_ghz)} GHz, {_span(model.distance_km)} km)"


def _chain_faults(names: Sequence[str]) -> Iterator[Fault]:
    unknown = [name for name in names if name not in NAMES]
    for name in unknown:
        yield Fault("models", f"{name!r} is unknown", f"Use some of {', '.join(NAMES)}.")
    chain = [MODELS[NAMES.index(name)] for name in names if name not in unknown]
    bases = [model for model in chain if model.whole_path]
    if len(bases) != 1:
        found = f"{len(bases)} models of the whole path in {' + '.join(names) or 'an empty chain'}"
        yield Fault("models", found, "Name exactly one, such as P.1812, and the additions after it.")
        return
    yield from _misfits(chain, bases[0])
    yield from _twice(chain)
    for before, after in pairwise(chain):
        if before.step > after.step:
            found = f"{after.name} comes after {before.name}"
            yield Fault("models", found, "Order them: whole path, gas and rain, clutter, walls.")


def _misfits(chain: Sequence[Model], base: Model) -> Iterator[Fault]:
    """Yield each addition that ``base`` does not take, with the effects that it holds already."""
    for model in chain:
        if model.whole_path or base.name in model.onto:
            continue
        shared = ", ".join(sorted(model.counts & base.counts))
        reason = f": {shared} would count twice" if shared else ""
        onto = ", ".join(name for name in NAMES if name in model.onto)
        found = f"{model.name} cannot be added to {base.name}{reason}"
        yield Fault("models", found, f"Leave it out, or start from {onto}.")


def _twice(chain: Sequence[Model]) -> Iterator[Fault]:
    """Yield each effect that several additions count."""
    for effect in EFFECTS:
        counting = [model.name for model in chain if effect in model.counts and not model.whole_path]
        if len(counting) > 1:
            yield Fault("models", f"{effect} is counted by {' and '.join(counting)}", "Keep one of them.")
