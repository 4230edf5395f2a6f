"""Constants and conversions; names end in their unit."""

from __future__ import annotations

SPEED_OF_LIGHT_M_S = 299_792_458.0
CENTS_PER_UNIT = 100
HOURS_PER_YEAR = 8_760
SECONDS_PER_HOUR = 3_600
DAYS_PER_MONTH = 365.25 / 12.0
BITS_PER_BYTE = 8
MEGABITS_PER_GIGABYTE = 8_000.0
METRES_PER_KM = 1_000.0
M2_PER_KM2 = 1_000_000.0
