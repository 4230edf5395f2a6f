"""Compile the link adaptation tables of the package from simulated block error rates.

    python scripts/compile_mcs.py [PHY_FOLDER]

Reads ``bler_tables/*.json`` (block error rate over SINR by MCS and code block size, in AWGN;
NVlabs Sionna, Apache-2.0) and writes ``src/xinji/plan/radio/mcs.py``; the outcome is the same on
every run. The curves are sampled every 1.6 to 1.8 dB, which is wider than the fall of one curve,
so that no MCS can be read off by itself. Instead the whole set is fitted at once: the SINR of a
modulation order and code rate, over the least SINR of bit-interleaved coded modulation, runs
linearly in the rate, and each pair may depart from that line by about ``DEPARTURE_DB``. MCS
without a curve (the lowest, and 1024QAM) lie on the line; they are marked.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.optimize import brentq, minimize
from scipy.special import log_ndtr, ndtr, ndtri

from xinji.core.arrays import Floats, Ints

ROOT = Path(__file__).resolve().parents[1]
TARGET = ROOT / "src" / "xinji" / "plan" / "radio" / "mcs.py"
BLOCK_BITS = "2000"
"""The largest code block that was simulated."""

WEIGHT = 300.0
"""Blocks that a sampled rate counts for; fewer than the 3,000 simulated, as the curve's shape is assumed."""

DEPARTURE_DB = 0.1
SIMULATED_BPS = 8
"""1024QAM was simulated below its falls only; it takes the line of 256QAM."""

_HERMITE = np.polynomial.hermite.hermgauss(48)

_LOW = ((2, 30), (2, 40), (2, 50), (2, 64), (2, 78), (2, 99), (2, 120), (2, 157), (2, 193), (2, 251), (2, 308))
_16QAM = ((4, 378), (4, 434), (4, 490), (4, 553), (4, 616))
_64QAM = ((6, 517), (6, 567), (6, 616), (6, 666), (6, 719), (6, 772), (6, 822), (6, 873))
_256QAM = ((8, 682.5), (8, 711), (8, 754), (8, 797), (8, 841), (8, 885), (8, 916.5), (8, 948))
_1024QAM = ((10, 805.5), (10, 853), (10, 900.5), (10, 948))

Rows = tuple[tuple[int, float], ...]

TABLES: dict[str, tuple[str, str, Rows]] = {
    "PDSCH_64QAM": (
        "PDSCH_table1.json",
        "Table 5.1.3.1-1",
        (
            *_LOW[6:],
            (2, 379),
            (2, 449),
            (2, 526),
            (2, 602),
            (2, 679),
            (4, 340),
            *_16QAM,
            (4, 658),
            (6, 438),
            (6, 466),
            *_64QAM,
            (6, 910),
            (6, 948),
        ),
    ),
    "PDSCH_256QAM": (
        "PDSCH_table2.json",
        "Table 5.1.3.1-2",
        ((2, 120), (2, 193), (2, 308), (2, 449), (2, 602), *_16QAM, (4, 658), (6, 466), *_64QAM, *_256QAM),
    ),
    "PDSCH_LOW": (
        "PDSCH_table3.json",
        "Table 5.1.3.1-3",
        (*_LOW, (2, 379), (2, 449), (2, 526), (2, 602), (4, 340), *_16QAM, (6, 438), (6, 466), *_64QAM[:-2]),
    ),
    "PDSCH_1024QAM": (
        "PDSCH_table4.json",
        "Table 5.1.3.1-4",
        ((2, 120), (2, 193), (2, 449), (4, 378), (4, 490), (4, 616), (6, 466), *_64QAM, *_256QAM, *_1024QAM),
    ),
    "PUSCH_64QAM": (
        "PUSCH_table1.json",
        "Table 6.1.4.1-1",
        (
            (2, 120),
            *_LOW[7:],
            (2, 379),
            (2, 449),
            (2, 526),
            (2, 602),
            (2, 679),
            (4, 340),
            *_16QAM,
            (4, 658),
            (6, 466),
            *_64QAM,
            (6, 910),
            (6, 948),
        ),
    ),
    "PUSCH_LOW": (
        "PUSCH_table2.json",
        "Table 6.1.4.1-2",
        (
            *_LOW,
            (2, 379),
            (2, 449),
            (2, 526),
            (2, 602),
            (2, 679),
            *_16QAM,
            (4, 658),
            (4, 699),
            (4, 772),
            *_64QAM[1:4],
            (6, 772),
        ),
    ),
}
"""Name, file of curves, table of 3GPP TS 38.214, and its modulation orders and code rates x 1024.

The PUSCH tables are read without pi/2-BPSK (q = 2).
"""

HEADER = '''"""Modulation and coding schemes of 3GPP TS 38.214 V17, with the SINR at which they work.

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

'''


@dataclass(frozen=True, slots=True, eq=False)
class Samples:
    """Sampled error rates (n,): which pair of order and rate, SINR [dB], error rate."""

    pair: Ints
    sinr_db: Floats
    error: Floats


def main(folder: Path) -> int:
    """Write the module from ``folder`` and say how well it fits; return the exit status."""
    text, worst = compiled(folder)
    TARGET.write_text(text, encoding="utf-8")
    print(f"{TARGET.relative_to(ROOT)}: root mean square of the error rates' misfit {worst:.3f}")
    return 0


def compiled(folder: Path) -> tuple[str, float]:
    """Return the text of the module made from ``folder``, and the misfit of its error rates."""
    pairs = sorted({pair for _, _, rows in TABLES.values() for pair in rows})
    samples = _samples(folder, pairs)
    median, spread = fit(samples, np.array([p[0] for p in pairs]), np.array([p[1] for p in pairs]) / 1024.0)
    low = np.full(len(pairs), np.inf)
    np.minimum.at(low, samples.pair[samples.error < 0.5], samples.sinr_db[samples.error < 0.5])
    simulated = np.isfinite(low)
    working = median - ndtri(0.1) * spread
    parts = [HEADER]
    for name, (_, table, rows) in TABLES.items():
        lines = [f"    Mcs({q}, {rate}, {working[i]:.3f}, {spread[i]:.3f}, simulated={simulated[i]}),"
                 for q, rate, i in ((*pair, pairs.index(pair)) for pair in rows)]  # fmt: skip
        parts.append("\n".join([f"\n{name}: tuple[Mcs, ...] = (", *lines, ")", f'"""3GPP TS 38.214, {table}."""\n']))
    fitted = ndtr(-(samples.sinr_db - median[samples.pair]) / spread[samples.pair])
    return "".join(parts), float(np.sqrt(np.mean((fitted - samples.error) ** 2)))


def fit(samples: Samples, order: Ints, rate: Floats) -> tuple[Floats, Floats]:
    """Return the SINR of an error rate of one half and the spread [dB] for each pair (both (pairs,)).

    Penalised maximum likelihood. Free: a line in the rate and a spread for each order, and a departure for
    each pair.
    """
    limit = np.array([limit_db(int(q), float(r)) for q, r in zip(order, rate, strict=True)])
    orders = np.arange(2, SIMULATED_BPS + 1, 2)
    group = np.minimum(order, SIMULATED_BPS) // 2 - 1
    seen = np.zeros(len(order), dtype=bool)
    seen[samples.pair[samples.error < 0.5]] = True
    edges = [(rate[seen & (order == q)].min(), rate[seen & (order == q)].max()) for q in orders]
    inside = np.array([np.clip(r, *edges[g]) for r, g in zip(rate, group, strict=True)])
    k = len(orders)

    def unpack(x: Floats) -> tuple[Floats, Floats]:
        line = x[:k][group] + x[k : 2 * k][group] * (inside - 0.5)
        return limit + line + x[3 * k :], np.exp(x[2 * k : 3 * k])[group]

    def cost(x: Floats) -> tuple[float, Floats]:
        median, spread = unpack(x)
        own = spread[samples.pair]
        z = (samples.sinr_db - median[samples.pair]) / own
        lost, kept = log_ndtr(-z), log_ndtr(z)
        value = -WEIGHT * (samples.error * lost + (1.0 - samples.error) * kept).sum()
        by_z = -samples.error * np.exp(log_density(z) - lost) + (1.0 - samples.error) * np.exp(log_density(z) - kept)
        by_median = WEIGHT * np.bincount(samples.pair, by_z / own, len(order))
        by_spread = WEIGHT * np.bincount(group[samples.pair], by_z * z, k)
        departure = x[3 * k :] / DEPARTURE_DB
        line = (np.bincount(group, by_median, k), np.bincount(group, by_median * (inside - 0.5), k))
        slope = np.concatenate([*line, by_spread, by_median + departure / DEPARTURE_DB])
        return float(value + 0.5 * (departure**2).sum()), slope

    start = np.concatenate([np.full(k, 0.7), np.zeros(k), np.full(k, np.log(0.3)), np.zeros(len(order))])
    best = minimize(cost, start, jac=True, method="L-BFGS-B", options={"maxiter": 5_000, "ftol": 1e-14, "gtol": 1e-6})
    return unpack(best.x)


def log_density(z: Floats) -> Floats:
    """Return the logarithm of the standard normal density."""
    return np.asarray(-0.5 * z**2 - 0.5 * np.log(2.0 * np.pi))


def limit_db(order: int, rate: float) -> float:
    """Return the SINR [dB] at which Gray-labelled QAM of ``order`` bits carries ``rate`` (Caire et al., 1998)."""
    return float(brentq(lambda sinr_db: mutual_information(order, sinr_db) - order * rate, -25.0, 45.0))


def mutual_information(order: int, sinr_db: float) -> float:
    """Return the bit-wise mutual information of square QAM in AWGN [bit/symbol] (Caire et al., 1998, eq. 15)."""
    bits = order // 2
    level = np.arange(2**bits)
    gray = level ^ (level >> 1)
    amplitude = (2.0 * level - (2**bits - 1)) * np.sqrt(1.5 / (2.0**order - 1.0))
    spread = np.sqrt(0.5 * 10.0 ** (-sinr_db / 10.0))
    node, weight = _HERMITE
    received = amplitude[:, None] + np.sqrt(2.0) * spread * node
    density = np.exp(-((received[:, :, None] - amplitude) ** 2) / (2.0 * spread**2))
    everything, total = density.sum(axis=2), 0.0
    for bit in range(bits):
        own = (gray >> bit) & 1
        same = (density * (own[:, None, None] == own)).sum(axis=2)
        total += 1.0 - float((np.log2(everything / same) * weight).sum(axis=1).mean() / np.sqrt(np.pi))
    return 2.0 * total


def _samples(folder: Path, pairs: list[tuple[int, float]]) -> Samples:
    """Return all sampled error rates of the largest code block."""
    rows = list(_read(folder, pairs))
    pair, sinr, error = (np.concatenate(column) for column in zip(*rows, strict=True))
    return Samples(pair.astype(np.int64), sinr, error)


def _read(folder: Path, pairs: list[tuple[int, float]]) -> Iterator[tuple[Floats, Floats, Floats]]:
    for file, _, schemes in TABLES.values():
        document = json.loads((folder / "bler_tables" / file).read_text(encoding="utf-8"))
        (category,) = document["category"].values()
        (table,) = category["index"].values()
        for index, curve in table["MCS"].items():
            sinr = np.array(curve["SNR_db"])
            error = np.array(curve["CBS"][BLOCK_BITS]["BLER"])
            yield np.full(len(sinr), float(pairs.index(schemes[int(index)]))), sinr, error


if __name__ == "__main__":
    given = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT.parent / "shared" / "validation" / "phy"
    sys.exit(main(given))
