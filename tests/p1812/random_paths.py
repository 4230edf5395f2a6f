"""Random profiles and links of ITU-R P.1812 for tests."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from xinji.plan.radio.p1812 import Link, Profile


def random_profile(seed: int, *, longest_km: float = 150.0) -> Profile:
    """Return a rough profile of 5 to 80 points at uneven distances, over land and sea."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(5, 81))
    steps = rng.uniform(0.2, 1.0, n - 1)
    distance = np.concatenate(([0.0], np.cumsum(steps)))
    distance *= np.exp(rng.uniform(np.log(0.3), np.log(longest_km))) / distance[-1]
    height = np.abs(np.cumsum(rng.normal(0.0, rng.choice([1.0, 10.0, 60.0]), n)))
    zone = np.repeat(rng.choice([1, 3, 4], n), 3)[:n] if rng.random() < 0.5 else np.full(n, 4)
    return Profile(distance, height, np.where(zone == 1, 0.0, rng.uniform(0.0, 25.0, n)), zone)


def random_link(seed: int) -> Link:
    """Return a link with any valid parameters, for half of the places."""
    rng = np.random.default_rng([seed, 1])
    return Link(
        frequency_ghz=float(np.exp(rng.uniform(np.log(0.03), np.log(6.0)))),
        time_percent=float(rng.choice([1.0, 50.0, rng.uniform(1.0, 50.0)])),
        location_percent=50.0,
        sigma_db=float(rng.uniform(0.0, 10.0)),
        tx_height_m=float(np.exp(rng.uniform(0.0, np.log(300.0)))),
        rx_height_m=float(np.exp(rng.uniform(0.0, np.log(50.0)))),
        polarization="horizontal" if rng.random() < 0.5 else "vertical",
        tx_latitude_deg=float(rng.uniform(-75.0, 75.0)),
        tx_longitude_deg=float(rng.uniform(-170.0, 170.0)),
        rx_latitude_deg=float(rng.uniform(-75.0, 75.0)),
        rx_longitude_deg=float(rng.uniform(-170.0, 170.0)),
        refractivity_gradient=float(rng.uniform(30.0, 80.0)),
        surface_refractivity=float(rng.uniform(290.0, 390.0)),
        tx_coast_km=float(rng.uniform(0.0, 10.0)),
        rx_coast_km=float(rng.uniform(0.0, 10.0)),
    )


def nearby(link: Link) -> Link:
    """Return the link with both ends at one place, so that the path's centre is the same from either."""
    return replace(link, rx_latitude_deg=link.tx_latitude_deg, rx_longitude_deg=link.tx_longitude_deg)


def swapped(profile: Profile, link: Link) -> tuple[Profile, Link]:
    """Return the same path seen from the other end."""
    back = Profile(
        profile.distance_km[-1] - profile.distance_km[::-1],
        profile.height_m[::-1].copy(),
        profile.clutter_m[::-1].copy(),
        profile.zone[::-1].copy(),
    )
    return back, replace(
        link,
        tx_height_m=link.rx_height_m,
        rx_height_m=link.tx_height_m,
        tx_latitude_deg=link.rx_latitude_deg,
        tx_longitude_deg=link.rx_longitude_deg,
        rx_latitude_deg=link.tx_latitude_deg,
        rx_longitude_deg=link.tx_longitude_deg,
        tx_coast_km=link.rx_coast_km,
        rx_coast_km=link.tx_coast_km,
    )
