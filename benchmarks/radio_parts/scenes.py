"""What is computed on: terrain, mast, radius, bands and climate of each configuration."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import rasterio
from rasterio.warp import Resampling, reproject

from xinji.core.grid import Grid
from xinji.core.radio import LossMap
from xinji.plan.radio.area import Climate, Mast, Surface, loss_map

SEED = 7
CELL_M, ANTENNA_M, TERMINAL_M = 30.0, 30.0, 1.5
FIRST_MHZ, FURTHER_MHZ = 2_600.0, 700.0
BANDS_MHZ = (FURTHER_MHZ, FIRST_MHZ)
HURST, ROUGHNESS_M, AT_PIXELS = 0.8, 60.0, 2_048
"""The fractal terrain: its Hurst exponent, and its standard deviation over a square of so many pixels."""

CLUTTER_M, PATCH_PIXELS = (0.0, 0.0, 10.0, 15.0, 20.0), 4
"""Heights of the made-up clutter, each as likely as the others, in square patches of so many pixels."""

REAL_CRS, REAL_RADIUS_M, REAL_LATITUDE_DEG = "EPSG:32722", 5_000.0, -30.05
TIME_PERCENT, GRADIENT, REFRACTIVITY, LATITUDE_DEG = 50.0, 45.0, 325.0, 31.5


@dataclass(frozen=True, slots=True)
class Scene:
    """One configuration: its name, the surface, the mast and how far it is computed [m]."""

    name: str
    surface: Surface
    mast: Mast
    radius_m: float
    climate: Climate

    def map(self, *bands_mhz: float) -> LossMap:
        """Return the path loss of the bands."""
        return loss_map(
            self.surface,
            self.mast,
            frequency_mhz=bands_mhz,
            radius_m=self.radius_m,
            terminal_m=TERMINAL_M,
            climate=self.climate,
        )


def climate(latitude_deg: float = LATITUDE_DEG) -> Climate:
    """Return the climate of every configuration."""
    return Climate(TIME_PERCENT, GRADIENT, REFRACTIVITY, latitude_deg)


def fractal(pixels: int) -> npt.NDArray[np.float32]:
    """Return made-up terrain [m] (pixels, pixels), equally rough from pixel to pixel at any size."""
    rng = np.random.default_rng(SEED)
    down, across = np.fft.fftfreq(pixels)[:, None], np.fft.rfftfreq(pixels)[None]
    wave = np.hypot(down, across)
    wave[0, 0] = 1.0
    spectrum = (rng.normal(size=wave.shape) + 1j * rng.normal(size=wave.shape)) * wave ** (-1.0 - HURST)
    spectrum[0, 0] = 0.0
    height = np.fft.irfft2(spectrum, (pixels, pixels))
    return np.asarray(height / height.std() * ROUGHNESS_M * (pixels / AT_PIXELS) ** HURST, dtype=np.float32)


def patches(pixels: int) -> npt.NDArray[np.float32]:
    """Return made-up clutter heights [m] (pixels, pixels)."""
    side = -(-pixels // PATCH_PIXELS)
    drawn = np.random.default_rng(SEED + 1).choice(np.array(CLUTTER_M, dtype=np.float32), size=(side, side))
    return np.ascontiguousarray(drawn.repeat(PATCH_PIXELS, 0).repeat(PATCH_PIXELS, 1)[:pixels, :pixels])


def surface(ground_m: npt.NDArray[np.float32], clutter_m: npt.NDArray[np.float32]) -> Surface:
    """Return a made-up surface with its south-western corner at the origin."""
    rows, columns = ground_m.shape
    grid = Grid("EPSG:32651", 0.0, rows * CELL_M, CELL_M, rows, columns)
    return Surface(grid, ground_m, clutter_m, np.zeros(ground_m.shape, np.uint8))


def fractal_scenes(pixels: int, radius_m: float) -> tuple[Scene, Scene]:
    """Return the fractal terrain without and with clutter, the mast off the pixels' centres in the middle."""
    ground = fractal(pixels)
    mast = Mast("mast", pixels * CELL_M / 2 + 4.0, pixels * CELL_M / 2 + 9.0, ANTENNA_M)
    bare = surface(ground, np.zeros_like(ground))
    built = surface(ground, patches(pixels))
    return (
        Scene("fractal terrain", bare, mast, radius_m, climate()),
        Scene("fractal terrain with clutter", built, mast, radius_m, climate()),
    )


def real_scene(path: Path) -> Scene:
    """Return the terrain of Porto Alegre on a metric grid, the mast in its middle."""
    with rasterio.open(path) as source:
        box = rasterio.warp.transform_bounds(source.crs, REAL_CRS, *source.bounds)
        columns, rows = (int((box[far] - box[near]) / CELL_M) for near, far in ((0, 2), (1, 3)))
        ground = np.zeros((rows, columns), np.float32)
        frame = rasterio.Affine(CELL_M, 0.0, box[0], 0.0, -CELL_M, box[3])
        reproject(
            rasterio.band(source, 1), ground, dst_transform=frame, dst_crs=REAL_CRS, resampling=Resampling.bilinear
        )
    grid = Grid(REAL_CRS, box[0], box[3], CELL_M, rows, columns)
    mast = Mast("mast", (box[0] + box[2]) / 2 + 4.0, (box[1] + box[3]) / 2 + 9.0, ANTENNA_M)
    made = Surface(grid, ground, np.zeros_like(ground), np.zeros(ground.shape, np.uint8))
    return Scene("Porto Alegre", made, mast, REAL_RADIUS_M, climate(REAL_LATITUDE_DEG))
