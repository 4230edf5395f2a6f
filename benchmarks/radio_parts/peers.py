"""Other packages on the same profiles: pycraf (ITU-R P.452-16) and itmlogic (Irregular Terrain Model).

Each profile is handed over ready-made: bare terrain in equal steps of one pixel, so that the path is
rounded to whole pixels. The time is for one band, on one core, the sampling not counted.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import importlib.util
import logging
import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType

import numpy as np
from radio_parts.accuracy import COAST_KM, INLAND, draw, equal_steps_profile, link
from radio_parts.scenes import ANTENNA_M, CELL_M, FIRST_MHZ, REFRACTIVITY, TERMINAL_M, TIME_PERCENT, Scene
from radio_parts.speed import cpu_seconds

from xinji.core.arrays import Floats
from xinji.plan.radio.itm import Climate, ItmLink, Service, Share, Terrain, point_to_point_loss
from xinji.plan.radio.p1812 import Profile, basic_transmission_loss

PERMITTIVITY, CONDUCTIVITY_S_M = 22.0, 0.003
TEMPERATURE_K, PRESSURE_HPA = 293.15, 1013.25
NO_CLUTTER = -1


@dataclass(frozen=True, slots=True)
class Peer:
    """A method: pixels a second of processor time, and how far it is from ``against`` [dB], empty for our own."""

    method: str
    pixels_per_second: float
    against: str
    median_db: float
    worst_db: float


@dataclass(frozen=True, slots=True)
class Paths:
    """Profiles in steps of one pixel, and what our float64 reference says of them (n,)."""

    profiles: list[Profile]
    loss_db: Floats
    ducting_percent: Floats


def missing(package: str) -> bool:
    """Return whether a package is not installed."""
    return importlib.util.find_spec(package) is None


def paths(scene: Scene, n: int) -> Paths:
    """Return the profiles of ``n`` pixels of a scene."""
    sample = draw(scene, scene.map(FIRST_MHZ), n)
    profiles = []
    for k in range(len(sample.x)):
        own = equal_steps_profile(scene, sample, k)
        step_km = np.arange(len(own), dtype=float) * (CELL_M / 1e3)
        profiles.append(Profile(step_km, own.height_m, np.zeros(len(own)), np.full(len(own), INLAND)))
    found = [basic_transmission_loss(profile, link(scene, FIRST_MHZ)) for profile in profiles]
    return Paths(
        profiles, np.array([one.loss_db for one in found]), np.array([one.ducting_time_percent for one in found])
    )


def _peer(method: str, work: Callable[[], Floats], against: str, wanted: Floats) -> Peer:
    found = work()
    gap = np.abs(found - wanted)
    return Peer(method, len(found) / cpu_seconds(work), against, float(np.median(gap)), float(gap.max()))


def reference(scene: Scene, given: Paths) -> Peer:
    """Return the speed of our float64 ITU-R P.1812-8."""
    at = link(scene, FIRST_MHZ)

    def work() -> Floats:
        return np.array([basic_transmission_loss(profile, at).loss_db for profile in given.profiles])

    return _peer("xinji, float64 reference, P.1812-8", work, "", given.loss_db)


def _pycraf() -> tuple[ModuleType, ModuleType]:
    """Return pycraf's and astropy's modules; importing them warns of their own old parts."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        unit = importlib.import_module("astropy.units")
        logging.getLogger("astropy").setLevel(logging.ERROR)
        return importlib.import_module("pycraf.pathprof"), unit


def pycraf(scene: Scene, given: Paths) -> Peer:
    """Return the speed of pycraf's compiled batch function, each pixel with its own profile; its maps share them."""
    pathprof, unit = _pycraf()
    pathprof.set_num_threads(1)
    data = _pycraf_data(scene, given)

    def work() -> Floats:
        found = pathprof.atten_map_fast(
            FIRST_MHZ * unit.MHz,
            TEMPERATURE_K * unit.K,
            PRESSURE_HPA * unit.hPa,
            ANTENNA_M * unit.m,
            TERMINAL_M * unit.m,
            TIME_PERCENT * unit.percent,
            data,
            polarization=int(scene.climate.vertical),
            version=16,
        )
        return np.asarray(found["L_b"].value[:, 0])

    version = importlib.metadata.version("pycraf")
    return _peer(f"pycraf {version}, P.452-16", work, "P.1812-8 reference", given.loss_db)


def _pycraf_data(scene: Scene, given: Paths) -> dict[str, object]:
    """Return what ``pathprof.height_map_data`` would, as a map one pixel wide, from our own profiles."""
    n = len(given.profiles)
    last = np.array([len(profile) - 1 for profile in given.profiles])
    step = np.arange(last.max() + 1) * (CELL_M / 1e3)
    height = np.zeros((n, len(step)))
    for k, profile in enumerate(given.profiles):
        height[k, : len(profile)] = profile.height_m
    column, number = step[last][:, None], np.full((n, 1), NO_CLUTTER, np.int32)
    same = {name: np.full((n, 1), value) for name, value in _pycraf_figures(scene).items()}
    return {
        "xcoords": np.zeros(1),
        "ycoords": np.zeros(n),
        "lon_t": 0.0,
        "lat_t": scene.climate.latitude_deg,
        "hprof_step": CELL_M,
        "path_idx_map": np.arange(n, dtype=np.int32)[:, None],
        "dist_end_idx_map": last.astype(np.int32)[:, None],
        "dist_map": column,
        "beta0_map": given.ducting_percent[:, None],
        "zone_t_map": number,
        "zone_r_map": number,
        "d_tm_map": column,
        "d_lm_map": column,
        "dist_prof": step,
        "height_profs": height,
        "zheight_prof": np.zeros_like(step),
        **same,
    }


def _pycraf_figures(scene: Scene) -> dict[str, float]:
    climate = scene.climate
    return {
        "delta_N_map": climate.refractivity_gradient,
        "N0_map": climate.surface_refractivity,
        "d_ct_map": COAST_KM,
        "d_cr_map": COAST_KM,
        "omega_map": 0.0,
    }


def our_itm(given: Paths) -> tuple[Peer, Floats]:
    """Return the speed of our float64 Irregular Terrain Model, and its losses [dB] (n,)."""
    at = ItmLink(
        tx_height_m=ANTENNA_M,
        rx_height_m=TERMINAL_M,
        frequency_mhz=FIRST_MHZ,
        vertical=True,
        permittivity=PERMITTIVITY,
        conductivity_s_m=CONDUCTIVITY_S_M,
        refractivity=REFRACTIVITY,
        climate=Climate.CONTINENTAL_TEMPERATE,
    )
    half = Share(
        service=Service.BROADCAST,
        time_percent=50.0,
        location_percent=50.0,
        situation_percent=50.0,
        fixed_location=True,
    )
    grounds = [Terrain(CELL_M, profile.height_m) for profile in given.profiles]

    def work() -> Floats:
        return np.array([point_to_point_loss(ground, at, half).loss_db for ground in grounds])

    found = work()
    return _peer("xinji, float64 reference, ITM 1.2.2", work, "", found), found


def itmlogic(given: Paths, wanted: Floats) -> Peer:
    """Return the speed of itmlogic, called as its own point-to-point script does, for one share of time."""
    prepare = importlib.import_module("itmlogic.preparatory_subroutines.qlrps").qlrps
    profile = importlib.import_module("itmlogic.preparatory_subroutines.qlrpfl").qlrpfl
    vary = importlib.import_module("itmlogic.statistics.avar").avar
    lists = [(len(one) - 1, one.height_m.tolist()) for one in given.profiles]

    def loss(intervals: int, heights: list[float]) -> float:
        wave, curvature, refractivity, impedance = prepare(
            FIRST_MHZ, _system_height(heights), REFRACTIVITY, 1, PERMITTIVITY, CONDUCTIVITY_S_M
        )
        link_state = {
            "fmhz": FIRST_MHZ,
            "hg": [ANTENNA_M, TERMINAL_M],
            "pfl": [intervals, CELL_M, *heights],
            "wn": wave,
            "gme": curvature,
            "ens": refractivity,
            "zgnd": impedance,
            "klim": 5,
            "klimx": 0,
            "mdvarx": 13,
            "lvar": 5,
            "kwx": 0,
        }
        link_state = profile(link_state)
        more, link_state = vary(0.0, 0.0, 0.0, link_state)
        return 8.685890 * math.log(2.0 * wave * link_state["dist"]) + float(more)

    def work() -> Floats:
        return np.array([loss(*one) for one in lists])

    version = importlib.metadata.version("itmlogic")
    return _peer(f"itmlogic {version}, ITM 1.2.2", work, "our ITM", wanted)


def _system_height(heights: list[float]) -> float:
    """Return the mean height of the middle four fifths of a path [m], as point-to-point programs take it."""
    skipped = (len(heights) - 1) // 10
    middle = heights[skipped : len(heights) - skipped]
    return sum(middle) / len(middle)
