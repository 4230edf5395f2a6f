"""Modulation and coding schemes of 3GPP TS 38.214 V17, with the SINR at which they work.

Made by ``scripts/compile_mcs.py``; do not edit. Modulation order and code rate are those of the
tables named below. SINR and spread are fitted to block error rates simulated by NVlabs Sionna
(Copyright NVIDIA, Apache-2.0; PHY abstraction tables, AWGN, code blocks of 2,000 bits).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Mcs:
    """One modulation and coding scheme.

    ``modulation_order`` [bit/symbol], code rate times 1024, SINR of a resource element [dB] at a
    block error rate of 10 %, and ``spread_db`` [dB], the standard deviation of the normal
    distribution that the error rate falls along. ``simulated`` is false where the SINR is carried
    over from other schemes.
    """

    modulation_order: int
    rate_x1024: float
    sinr_db: float
    spread_db: float
    simulated: bool

    @property
    def efficiency(self) -> float:
        """Bits of data in a resource element [bit] (the tables' spectral efficiency)."""
        return self.modulation_order * self.rate_x1024 / 1024.0


PDSCH_64QAM: tuple[Mcs, ...] = (
    Mcs(2, 120, -6.343, 0.172, simulated=False),
    Mcs(2, 157, -5.060, 0.172, simulated=False),
    Mcs(2, 193, -4.049, 0.172, simulated=False),
    Mcs(2, 251, -2.732, 0.172, simulated=True),
    Mcs(2, 308, -1.667, 0.172, simulated=True),
    Mcs(2, 379, -0.506, 0.172, simulated=True),
    Mcs(2, 449, 0.438, 0.172, simulated=True),
    Mcs(2, 526, 1.412, 0.172, simulated=True),
    Mcs(2, 602, 2.321, 0.172, simulated=True),
    Mcs(2, 679, 3.235, 0.172, simulated=True),
    Mcs(4, 340, 3.571, 0.228, simulated=True),
    Mcs(4, 378, 4.219, 0.228, simulated=True),
    Mcs(4, 434, 5.159, 0.228, simulated=True),
    Mcs(4, 490, 6.067, 0.228, simulated=True),
    Mcs(4, 553, 7.097, 0.228, simulated=True),
    Mcs(4, 616, 8.052, 0.228, simulated=True),
    Mcs(4, 658, 8.689, 0.228, simulated=True),
    Mcs(6, 438, 9.152, 0.265, simulated=True),
    Mcs(6, 466, 9.777, 0.265, simulated=True),
    Mcs(6, 517, 10.738, 0.265, simulated=True),
    Mcs(6, 567, 11.771, 0.265, simulated=True),
    Mcs(6, 616, 12.686, 0.265, simulated=True),
    Mcs(6, 666, 13.704, 0.265, simulated=True),
    Mcs(6, 719, 14.563, 0.265, simulated=True),
    Mcs(6, 772, 15.543, 0.265, simulated=True),
    Mcs(6, 822, 16.500, 0.265, simulated=True),
    Mcs(6, 873, 17.558, 0.265, simulated=True),
    Mcs(6, 910, 18.378, 0.265, simulated=True),
    Mcs(6, 948, 19.531, 0.265, simulated=True),
)
"""3GPP TS 38.214, Table 5.1.3.1-1."""

PDSCH_256QAM: tuple[Mcs, ...] = (
    Mcs(2, 120, -6.343, 0.172, simulated=False),
    Mcs(2, 193, -4.049, 0.172, simulated=False),
    Mcs(2, 308, -1.667, 0.172, simulated=True),
    Mcs(2, 449, 0.438, 0.172, simulated=True),
    Mcs(2, 602, 2.321, 0.172, simulated=True),
    Mcs(4, 378, 4.219, 0.228, simulated=True),
    Mcs(4, 434, 5.159, 0.228, simulated=True),
    Mcs(4, 490, 6.067, 0.228, simulated=True),
    Mcs(4, 553, 7.097, 0.228, simulated=True),
    Mcs(4, 616, 8.052, 0.228, simulated=True),
    Mcs(4, 658, 8.689, 0.228, simulated=True),
    Mcs(6, 466, 9.777, 0.265, simulated=True),
    Mcs(6, 517, 10.738, 0.265, simulated=True),
    Mcs(6, 567, 11.771, 0.265, simulated=True),
    Mcs(6, 616, 12.686, 0.265, simulated=True),
    Mcs(6, 666, 13.704, 0.265, simulated=True),
    Mcs(6, 719, 14.563, 0.265, simulated=True),
    Mcs(6, 772, 15.543, 0.265, simulated=True),
    Mcs(6, 822, 16.500, 0.265, simulated=True),
    Mcs(6, 873, 17.558, 0.265, simulated=True),
    Mcs(8, 682.5, 18.628, 0.319, simulated=True),
    Mcs(8, 711, 19.103, 0.319, simulated=True),
    Mcs(8, 754, 20.099, 0.319, simulated=True),
    Mcs(8, 797, 21.188, 0.319, simulated=True),
    Mcs(8, 841, 22.144, 0.319, simulated=True),
    Mcs(8, 885, 23.257, 0.319, simulated=True),
    Mcs(8, 916.5, 24.108, 0.319, simulated=True),
    Mcs(8, 948, 25.070, 0.319, simulated=True),
)
"""3GPP TS 38.214, Table 5.1.3.1-2."""

PDSCH_LOW: tuple[Mcs, ...] = (
    Mcs(2, 30, -12.635, 0.172, simulated=False),
    Mcs(2, 40, -11.356, 0.172, simulated=False),
    Mcs(2, 50, -10.357, 0.172, simulated=False),
    Mcs(2, 64, -9.243, 0.172, simulated=False),
    Mcs(2, 78, -8.342, 0.172, simulated=False),
    Mcs(2, 99, -7.243, 0.172, simulated=False),
    Mcs(2, 120, -6.343, 0.172, simulated=False),
    Mcs(2, 157, -5.060, 0.172, simulated=False),
    Mcs(2, 193, -4.049, 0.172, simulated=False),
    Mcs(2, 251, -2.732, 0.172, simulated=True),
    Mcs(2, 308, -1.667, 0.172, simulated=True),
    Mcs(2, 379, -0.506, 0.172, simulated=True),
    Mcs(2, 449, 0.438, 0.172, simulated=True),
    Mcs(2, 526, 1.412, 0.172, simulated=True),
    Mcs(2, 602, 2.321, 0.172, simulated=True),
    Mcs(4, 340, 3.571, 0.228, simulated=True),
    Mcs(4, 378, 4.219, 0.228, simulated=True),
    Mcs(4, 434, 5.159, 0.228, simulated=True),
    Mcs(4, 490, 6.067, 0.228, simulated=True),
    Mcs(4, 553, 7.097, 0.228, simulated=True),
    Mcs(4, 616, 8.052, 0.228, simulated=True),
    Mcs(6, 438, 9.152, 0.265, simulated=True),
    Mcs(6, 466, 9.777, 0.265, simulated=True),
    Mcs(6, 517, 10.738, 0.265, simulated=True),
    Mcs(6, 567, 11.771, 0.265, simulated=True),
    Mcs(6, 616, 12.686, 0.265, simulated=True),
    Mcs(6, 666, 13.704, 0.265, simulated=True),
    Mcs(6, 719, 14.563, 0.265, simulated=True),
    Mcs(6, 772, 15.543, 0.265, simulated=True),
)
"""3GPP TS 38.214, Table 5.1.3.1-3."""

PDSCH_1024QAM: tuple[Mcs, ...] = (
    Mcs(2, 120, -6.343, 0.172, simulated=False),
    Mcs(2, 193, -4.049, 0.172, simulated=False),
    Mcs(2, 449, 0.438, 0.172, simulated=True),
    Mcs(4, 378, 4.219, 0.228, simulated=True),
    Mcs(4, 490, 6.067, 0.228, simulated=True),
    Mcs(4, 616, 8.052, 0.228, simulated=True),
    Mcs(6, 466, 9.777, 0.265, simulated=True),
    Mcs(6, 517, 10.738, 0.265, simulated=True),
    Mcs(6, 567, 11.771, 0.265, simulated=True),
    Mcs(6, 616, 12.686, 0.265, simulated=True),
    Mcs(6, 666, 13.704, 0.265, simulated=True),
    Mcs(6, 719, 14.563, 0.265, simulated=True),
    Mcs(6, 772, 15.543, 0.265, simulated=True),
    Mcs(6, 822, 16.500, 0.265, simulated=True),
    Mcs(6, 873, 17.558, 0.265, simulated=True),
    Mcs(8, 682.5, 18.628, 0.319, simulated=True),
    Mcs(8, 711, 19.103, 0.319, simulated=True),
    Mcs(8, 754, 20.099, 0.319, simulated=True),
    Mcs(8, 797, 21.188, 0.319, simulated=True),
    Mcs(8, 841, 22.144, 0.319, simulated=True),
    Mcs(8, 885, 23.257, 0.319, simulated=True),
    Mcs(8, 916.5, 24.108, 0.319, simulated=True),
    Mcs(8, 948, 25.070, 0.319, simulated=True),
    Mcs(10, 805.5, 26.301, 0.319, simulated=False),
    Mcs(10, 853, 27.609, 0.319, simulated=False),
    Mcs(10, 900.5, 29.016, 0.319, simulated=False),
    Mcs(10, 948, 30.576, 0.319, simulated=False),
)
"""3GPP TS 38.214, Table 5.1.3.1-4."""

PUSCH_64QAM: tuple[Mcs, ...] = (
    Mcs(2, 120, -6.343, 0.172, simulated=False),
    Mcs(2, 157, -5.060, 0.172, simulated=False),
    Mcs(2, 193, -4.049, 0.172, simulated=False),
    Mcs(2, 251, -2.732, 0.172, simulated=True),
    Mcs(2, 308, -1.667, 0.172, simulated=True),
    Mcs(2, 379, -0.506, 0.172, simulated=True),
    Mcs(2, 449, 0.438, 0.172, simulated=True),
    Mcs(2, 526, 1.412, 0.172, simulated=True),
    Mcs(2, 602, 2.321, 0.172, simulated=True),
    Mcs(2, 679, 3.235, 0.172, simulated=True),
    Mcs(4, 340, 3.571, 0.228, simulated=True),
    Mcs(4, 378, 4.219, 0.228, simulated=True),
    Mcs(4, 434, 5.159, 0.228, simulated=True),
    Mcs(4, 490, 6.067, 0.228, simulated=True),
    Mcs(4, 553, 7.097, 0.228, simulated=True),
    Mcs(4, 616, 8.052, 0.228, simulated=True),
    Mcs(4, 658, 8.689, 0.228, simulated=True),
    Mcs(6, 466, 9.777, 0.265, simulated=True),
    Mcs(6, 517, 10.738, 0.265, simulated=True),
    Mcs(6, 567, 11.771, 0.265, simulated=True),
    Mcs(6, 616, 12.686, 0.265, simulated=True),
    Mcs(6, 666, 13.704, 0.265, simulated=True),
    Mcs(6, 719, 14.563, 0.265, simulated=True),
    Mcs(6, 772, 15.543, 0.265, simulated=True),
    Mcs(6, 822, 16.500, 0.265, simulated=True),
    Mcs(6, 873, 17.558, 0.265, simulated=True),
    Mcs(6, 910, 18.378, 0.265, simulated=True),
    Mcs(6, 948, 19.531, 0.265, simulated=True),
)
"""3GPP TS 38.214, Table 6.1.4.1-1."""

PUSCH_LOW: tuple[Mcs, ...] = (
    Mcs(2, 30, -12.635, 0.172, simulated=False),
    Mcs(2, 40, -11.356, 0.172, simulated=False),
    Mcs(2, 50, -10.357, 0.172, simulated=False),
    Mcs(2, 64, -9.243, 0.172, simulated=False),
    Mcs(2, 78, -8.342, 0.172, simulated=False),
    Mcs(2, 99, -7.243, 0.172, simulated=False),
    Mcs(2, 120, -6.343, 0.172, simulated=False),
    Mcs(2, 157, -5.060, 0.172, simulated=False),
    Mcs(2, 193, -4.049, 0.172, simulated=False),
    Mcs(2, 251, -2.732, 0.172, simulated=True),
    Mcs(2, 308, -1.667, 0.172, simulated=True),
    Mcs(2, 379, -0.506, 0.172, simulated=True),
    Mcs(2, 449, 0.438, 0.172, simulated=True),
    Mcs(2, 526, 1.412, 0.172, simulated=True),
    Mcs(2, 602, 2.321, 0.172, simulated=True),
    Mcs(2, 679, 3.235, 0.172, simulated=True),
    Mcs(4, 378, 4.219, 0.228, simulated=True),
    Mcs(4, 434, 5.159, 0.228, simulated=True),
    Mcs(4, 490, 6.067, 0.228, simulated=True),
    Mcs(4, 553, 7.097, 0.228, simulated=True),
    Mcs(4, 616, 8.052, 0.228, simulated=True),
    Mcs(4, 658, 8.689, 0.228, simulated=True),
    Mcs(4, 699, 9.260, 0.228, simulated=True),
    Mcs(4, 772, 10.339, 0.228, simulated=True),
    Mcs(6, 567, 11.771, 0.265, simulated=True),
    Mcs(6, 616, 12.686, 0.265, simulated=True),
    Mcs(6, 666, 13.704, 0.265, simulated=True),
    Mcs(6, 772, 15.543, 0.265, simulated=True),
)
"""3GPP TS 38.214, Table 6.1.4.1-2."""
