"""Path loss over an area: ITU-R P.1812-8 along rays that share their work."""

from xinji.plan.radio.area.field import loss_at, loss_map
from xinji.plan.radio.area.surface import Climate, Mast, Surface, climate_of, surface_of

__all__ = ["Climate", "Mast", "Surface", "climate_of", "loss_at", "loss_map", "surface_of"]
