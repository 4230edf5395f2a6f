"""Small instances of every family, written as their authors write them."""

from __future__ import annotations

import gzip
from pathlib import Path

STEINER = """\
SECTION Graph
Nodes 5
Edges 6
E 1 2 5
E 1 3 2
E 2 3 2
E 3 4 2
E 4 5 2
E 3 5 2
END

SECTION Terminals
Terminals 3
T 1
T 2
T 5
END

EOF
"""
"""Two triangles that share node 3: 1, 2 and 5 are joined by 1-3, 2-3 and 3-5."""

STEINER_BEST = 6.0

PRIZE = """\
33D32945 STP File, STP Format Version 1.0

SECTION Comments
Name "path"
END

SECTION Graph
Nodes 3
Edges 2
E 1 2 2
E 2 3 9
END

SECTION Terminals
Terminals 3
TP 1 5
TP 2 7
TP 3 4
END

EOF
"""
"""A path: 1-2 is worth its cost 2, going on to 3 is not worth 9."""

PRIZE_BEST = 6.0

FACILITY = """\
 2 3
 2 10.
 2 1.
 1
 1.0 4.0
 1
 2.0 4.0
 1
 3.0 1.5
"""
"""Two sites that hold two customers each must both open for three."""

FACILITY_BEST = 10.0 + 1.0 + 1.0 + 2.0 + 1.5

WORD = FACILITY.replace(" 2 10.", " capacity 10.").replace(" 2 1.", " capacity 1.")

WORD_BEST = 1.0 + 4.0 + 4.0 + 1.5
"""With room for three the cheap site does alone."""

MEDIAN_EDGES = "4 4 1\n1 2 9\n2 3 2\n3 4 3\n2 1 1\n"
"""A path of four nodes; its first edge stands twice, and the later length counts."""

MEDIAN_BEST = 1.0 + 2.0 + 5.0

MEDIAN_MATRIX = "FILE: three.txt\n3 3 1\n1 0 0 1 3\n2 0 1 0 2\n3 0 3 2 0\n"

GENERATOR = '''\
"""Make covering problems."""
import numpy as np

SIZES = {"tiny": (6, 3, 2)}


def gen(n, m, cov, seed=0):
    indptr = np.arange(n + 1) * 2
    indices = np.array([(i + k) % m for i in range(n) for k in (0, 1)], dtype=np.int32)
    return dict(indptr=indptr, indices=indices, w=np.arange(1.0, n + 1), n=n, m=m)


def pf(m, cov):
    return 1
'''

COVERING_BEST = 2.0 + 3.0 + 5.0 + 6.0


def write_all(folder: Path) -> Path:
    """Write an instance of every family below ``folder`` and return it."""
    for family in ("steiner", "pcstp", "cflp", "pmedian"):
        (folder / family).mkdir(parents=True)
    (folder / "steiner" / "pair.gr.gz").write_bytes(gzip.compress(STEINER.encode()))
    (folder / "steiner" / "optima.csv").write_text("file,nodes,lower,upper\npair.gr.gz,5,6,6\n", encoding="utf-8")
    (folder / "pcstp" / "path.stp").write_text(PRIZE, encoding="utf-8")
    (folder / "cflp" / "pair.txt").write_text(FACILITY, encoding="utf-8")
    (folder / "cflp" / "capx.txt").write_text(WORD, encoding="utf-8")
    lines = [f"pair\t{FACILITY_BEST}\t{FACILITY_BEST}", f"capx_2 {FACILITY_BEST}", f"capx_3 9.5 {WORD_BEST}"]
    (folder / "cflp" / "bounds.txt").write_text("\n".join(lines), encoding="utf-8")
    (folder / "pmedian" / "path.txt").write_text(MEDIAN_EDGES, encoding="utf-8")
    (folder / "pmedian" / "path.txt.opt").write_text(f"-1 -1 -1\n {MEDIAN_BEST:.0f}\n", encoding="utf-8")
    (folder / "mclp_generator.py").write_text(GENERATOR, encoding="utf-8")
    return folder
