"""Published figures of the Irregular Terrain Model against ours, one row at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np

from xinji.core.arrays import Floats, Ints
from xinji.errors import Fault, InputError
from xinji.io.validation_tables import Table
from xinji.plan.radio import itm


def area_db(table: Table, rows: Ints) -> tuple[Floats, ...]:
    """Return the loss [dB] (k,) of rows of the area mode; raises InputError if the model refuses one."""

    def loss_db(row: dict[str, float], link: itm.ItmLink, share: itm.Share) -> float:
        tx, rx = (_known(itm.Siting, row[name], name) for name in ("tx_siting", "rx_siting"))
        siting = (itm.Siting(tx), itm.Siting(rx))
        return itm.area_loss(row["distance_km"], row["irregularity_m"], siting, link, share).loss_db

    return (np.array([_loss_db(table, int(row), loss_db) for row in rows]),)


def point_to_point_db(table: Table, rows: Ints) -> tuple[Floats, ...]:
    """Return the loss [dB] (k,) of rows over their profiles; raises InputError if the model refuses one."""
    found = []
    for row in rows:
        step_m, *heights = table.terrain[row]
        terrain = itm.Terrain(float(step_m), np.array(heights))

        def loss_db(_: dict[str, float], link: itm.ItmLink, share: itm.Share, terrain: itm.Terrain = terrain) -> float:
            return itm.point_to_point_loss(terrain, link, share).loss_db

        found.append(_loss_db(table, int(row), loss_db))
    return (np.array(found),)


def _loss_db(table: Table, at: int, loss_db: Callable[[dict[str, float], itm.ItmLink, itm.Share], float]) -> float:
    row = {name: float(column[at]) for name, column in table.numbers.items()}
    link = itm.ItmLink(
        tx_height_m=row["tx_height_m"],
        rx_height_m=row["rx_height_m"],
        frequency_mhz=row["frequency_mhz"],
        vertical=_known((0, 1), row["polarization"], "polarization") == 1,
        permittivity=row["permittivity"],
        conductivity_s_m=row["conductivity_s_m"],
        refractivity=row["refractivity"],
        climate=itm.Climate(_known(itm.Climate, row["climate"], "climate")),
    )
    service, fixed_location, fixed_situation = itm.service_of(int(row["variability_mode"]))
    share = itm.Share(
        service=service,
        time_percent=row["time_percent"],
        location_percent=row["location_percent"],
        situation_percent=row["situation_percent"],
        fixed_location=fixed_location,
        fixed_situation=fixed_situation,
    )
    return loss_db(row, link, share)


def _known(codes: Iterable[int], value: float, name: str) -> int:
    """Return ``value`` as a code, one of ``codes``."""
    allowed = [int(code) for code in codes]
    if value not in allowed:
        raise InputError([Fault("ITM", f"{name} is {value:g}", f"Use one of {', '.join(map(str, allowed))}.")])
    return int(value)
