"""The arguments of the verbs that ask why and what if: explain and frontier, with their help and examples."""

from __future__ import annotations

import argparse
import math

from xinji.cli_arguments import above_zero, add_language, path, whole

HELP = {
    "explain": "say why something is in a plan or out of it, and what the opposite costs, solved again",
    "frontier": "plan again for other budgets and other priorities, and say what each brings",
}
EXAMPLES = {
    "explain": """\
examples:
  xinji explain out/xinwu cand_grid_0456             a site: why, for whom, what binds, what the opposite costs
  xinji explain out/xinwu cand_grid_0456 --year 2028 the same built in 2028
  xinji explain out/xinwu t01234 room_17 --effort 50 --json

NAME is the id of a site, a carrier, a room or any other option, or of a trench, as in plan.gpkg.
""",
    "frontier": """\
examples:
  xinji frontier out/xinwu                           budgets by half up and down, priorities from equal to strong
  xinji frontier xinwu --out out/xinwu               plan first, then the same
  xinji frontier out/xinwu --budgets 0.8,1,1.2 --priorities 0,1,3 --jobs 2
  xinji frontier out/xinwu --restarts 4 --cluster tcp://10.0.0.5:8786

The same input gives the same result in one process, in several and on a cluster.
""",
}
DONE = {
    "explain": " (also where something cannot be forced: the text says why)",
    "frontier": " (also where a budget is too small for the floors: the point says so)",
}


def add_explain_verbs(made: dict[str, argparse.ArgumentParser]) -> None:
    """Add the arguments of explain and frontier to their parsers in ``made``."""
    explain, frontier = made["explain"], made["frontier"]
    explain.add_argument("folder", type=path, metavar="PLAN", help="a folder that `xinji plan` wrote")
    explain.add_argument("names", nargs="+", metavar="NAME", help="id of an option or of a trench")
    text = "what building in YEAR costs (default: the opposite of what the plan does)"
    explain.add_argument("--year", type=whole, default=0, metavar="YEAR", help=text)
    _add_effort(explain, tries=20, seconds=60.0, of="each name")
    explain.add_argument("--json", action="store_true", help="print a list of one object a name")
    text = "a folder that `xinji plan` wrote, a built-in region's name, or a region folder"
    frontier.add_argument("source", metavar="PLAN", help=text)
    text = "folder of the plan to make of a region (default: out/<name of the region>)"
    frontier.add_argument("--out", type=path, metavar="DIR", help=text)
    text = "yearly budgets, as multiples of the plan's (default: 0.5,0.75,1,1.25,1.5)"
    frontier.add_argument("--budgets", type=_numbers, default=(0.5, 0.75, 1.0, 1.25, 1.5), metavar="X,X", help=text)
    text = "priorities: 0 counts everybody the same, 1 as the plan does, 2 twice as unevenly (default: 0,0.5,1,1.5,2)"
    frontier.add_argument("--priorities", type=_numbers, default=(0.0, 0.5, 1.0, 1.5, 2.0), metavar="X,X", help=text)
    _add_effort(frontier, tries=30, seconds=600.0, of="each search")
    text = "searches of each point, from seeds one after the other; the best counts (default: 1)"
    frontier.add_argument("--restarts", type=whole, default=1, metavar="N", help=text)
    text = "processes of this machine that search side by side (default: 1)"
    frontier.add_argument("--jobs", type=whole, default=1, metavar="N", help=text)
    frontier.add_argument("--cluster", default="", metavar="ADDRESS", help="search on the Dask cluster there")
    frontier.add_argument("--json", action="store_true", help="print one JSON object, as in frontier.json")
    add_language(frontier)


def _add_effort(verb: argparse.ArgumentParser, *, tries: int, seconds: float, of: str) -> None:
    text = f"tries of {of} (default: {tries})"
    verb.add_argument("--effort", type=whole, default=tries, metavar="N", help=text)
    text = f"end {of} after S seconds (default: {seconds:g}); then the same seed may give another result"
    verb.add_argument("--seconds", type=above_zero, default=seconds, metavar="S", help=text)
    verb.add_argument("--seed", type=whole, default=0, metavar="N", help="of the random numbers (default: 0)")


def _numbers(text: str) -> tuple[float, ...]:
    try:
        values = tuple(float(part) for part in text.split(","))
    except ValueError:
        values = (math.nan,)
    if not all(0 <= value < math.inf for value in values):
        raise argparse.ArgumentTypeError(f"found {text!r}, expected numbers of at least 0 such as 0.5,1,1.5")
    return tuple(sorted(set(values)))
