"""What a ledger left of a plan when it was made again: frozen assets, and money to the cent; data only."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from xinji.errors import Fault, InputError, raise_if

TREATMENTS = ("stands", "committed", "waits", "beyond", "outside", "cancelled", "retired", "paid")
"""What becomes of a ledger's asset when the plan is made again.

It ``stands``; is ``committed`` to its year; ``waits`` for its fibre or for what it stands on; is finished
``beyond`` the planned years; is ``outside`` what the region offers, so that its money counts and its service
does not; was ``cancelled`` or ``retired``; or is not frozen, but money was ``paid`` for it.
"""

FROZEN_TREATMENTS = TREATMENTS[:5]


@dataclass(frozen=True, slots=True)
class LedgerAsset:
    """One asset of the ledger that is no longer the plan's to choose, or that cost money.

    ``state`` is a name of ``xinji.core.facilities.STATES``, ``treatment`` one of ``TREATMENTS``. ``year``
    is that of completion, real or expected (-1 none); ``serves`` the year from which the plan counts on it
    (0 from the start, -1 never). ``cost`` [cents] is what it costs in all: ``paid`` pairs calendar years
    with payments [cents], ``owed`` [cents] is still to pay, in ``due`` (-1 where nothing is).
    ``planned_cost`` [cents] is what the ledger's plan had; ``moved_m`` [m] how far from its planned place
    it stands (0 where no place was measured).
    """

    id: str
    technology: str
    kind: str
    state: str
    treatment: str
    year: int
    serves: int
    planned_cost: int
    cost: int
    paid: tuple[tuple[int, int], ...]
    owed: int
    due: int
    moved_m: float


@dataclass(frozen=True, slots=True)
class YearMoney:
    """Where one year's money goes [cents]: ``policy`` + ``moved`` is the sum of the other five.

    ``policy`` is the budget that was asked for, ``moved`` what past years left over (negative in the year
    that it leaves); ``paid`` stands in the ledger, ``committed`` is still owed for what is frozen,
    ``planned`` is capex of what the plan chooses, ``opex`` runs all that stands. ``unallocated`` is
    negative where money carried over from an earlier year is spent.
    """

    year: int
    policy: int
    moved: int
    paid: int
    committed: int
    planned: int
    opex: int
    unallocated: int

    @property
    def rest(self) -> int:
        """What is left when everything is paid [cents]; ``unallocated`` must say the same."""
        return self.policy + self.moved - self.paid - self.committed - self.planned - self.opex


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """All money of the policy's years, those past and those to come; checks itself to the cent.

    Raises InputError where a year does not add up, or money is moved that no other year misses.
    """

    years: tuple[YearMoney, ...]

    def __post_init__(self) -> None:
        raise_if(self._faults(), InputError)

    @property
    def total(self) -> YearMoney:
        """The sum over all years; its ``year`` is 0."""
        names = [name for name in YearMoney.__slots__ if name != "year"]
        return YearMoney(0, *(sum(getattr(line, name) for line in self.years) for name in names))

    def _faults(self) -> Iterator[Fault]:
        for line in self.years:
            if line.rest != line.unallocated:
                message = f"{line.year} leaves {line.rest} cents, {line.unallocated} are said to be unallocated"
                yield Fault("reconciliation", message, "Plan again; the file was changed.")
        if self.years and self.total.moved:
            message = f"{self.total.moved} cents are moved that no year misses"
            yield Fault("reconciliation", message, "Plan again; the file was changed.")


@dataclass(frozen=True, slots=True)
class LearnedCost:
    """A unit cost that the ledger taught: parameter ``key`` was ``before`` and is ``after`` [currency/m].

    ``count`` trenches were let or built for ``real`` [cents], which the plan had at ``planned`` [cents].
    """

    key: str
    before: float
    after: float
    count: int
    planned: int
    real: int


@dataclass(frozen=True, slots=True)
class Replanned:
    """A plan made again from a ledger as it stood at the end of the day ``at`` (ISO 8601).

    ``assets`` are in the ledger's order; ``notes`` say in plain words what a reader would not expect.
    """

    at: str
    assets: tuple[LedgerAsset, ...]
    reconciliation: Reconciliation
    learned: tuple[LearnedCost, ...]
    notes: tuple[str, ...]
