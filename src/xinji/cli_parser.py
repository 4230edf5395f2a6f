"""The arguments of every verb, with examples and exit statuses in ``--help``."""

from __future__ import annotations

import argparse
import datetime as dt
import math
from importlib.metadata import version

from xinji import cli_build_arguments as build
from xinji import cli_explain_arguments as explain
from xinji import cli_id_arguments as identity
from xinji import cli_network_arguments as network
from xinji import cli_radio_arguments as radio
from xinji import cli_validate_arguments as validate
from xinji.cli_arguments import add_language, add_region, path, whole

STATUSES = """\
exit status:
  0  done{done}
  2  refused: wrong input, an impossible wish, or a disk that refuses; the reasons stand on
     standard error, one a line, and nothing half-written is left
"""

_EXAMPLES = {
    "new": """\
examples:
  xinji new my_county                     write my_county/region.toml, commented, to fill in
  xinji new plans/2026 --name my_county   the same under another name
""",
    "import": """\
examples:
  xinji import my_county --out regions/my_county
  xinji import my_county/region.toml --data /data/gis --out regions/my_county --overwrite
""",
    "check": """\
examples:
  xinji check xinwu                       the built-in region
  xinji check regions/my_county --json    faults, warnings and figures for a script
""",
    "plan": """\
examples:
  xinji plan xinwu                        plan the built-in region into out/xinwu
  xinji plan regions/my_county --out out/even --set policy.budget=60e6
  xinji plan regions/my_county --out out/parks --set policy.priority.industrial_cluster=5
  xinji plan xinwu --set "policy.budget=[80e6, 70e6, 60e6, 50e6, 40e6]" --set parameters.energy.tariff=0.7
  xinji plan xinwu --floor rural:mobile_outdoor:2028:0.9 --question least_cost
  xinji plan regions/my_county --keep out/even/plan.gpkg --out out/even_2
  xinji plan regions/my_county --ledger ledger.db --last out/first --out out/again   plan the rest around what is let
  xinji plan regions/my_county --ledger ledger.db --at 2027-06-30 --learn-costs --slip N-r12-a:2028 --out out/again
  xinji plan xinwu --json > plan.out      one JSON object; progress goes to standard error

Ctrl-C during the search keeps the best plan found so far, writes it and says so (status 0).
""",
    "report": """\
examples:
  xinji report out/xinwu --language en    make out/xinwu/report.html again, in English
  xinji report out/xinwu --language en --out council.html
""",
    "diff": """\
examples:
  xinji diff out/even out/parks           which assets differ, and what that does
  xinji diff out/even/plan.json out/parks/plan.json --language zh > difference.md
""",
    "parameters": """\
examples:
  xinji parameters                        every figure of profile cn: key, value, unit, range, source
  xinji parameters energy --profile lmic  those whose key holds "energy"
""",
    **radio.EXAMPLES,
    **network.EXAMPLES,
    **validate.EXAMPLES,
    **explain.EXAMPLES,
    **build.EXAMPLES,
    **identity.EXAMPLES,
}
_DONE = {
    "check": " (no fault; warnings do not count)",
    "plan": " (a plan stopped by Ctrl-C during the search too)",
    "diff": " (whether or not the plans differ)",
    **radio.DONE,
    **network.DONE,
    **validate.DONE,
    **explain.DONE,
    **build.DONE,
    **identity.DONE,
}
_HELP = {
    "new": "write a commented region.toml to fill in",
    "import": "make a region from common files by the mapping in its region.toml",
    "check": "list all faults of a region, and how good its data are",
    "plan": "plan a region: what to build where and when, with a proved bound",
    "report": "make the report of a plan again, for example in the other language",
    "diff": "say which assets of two plans differ, and what that does",
    "parameters": "list every cost and technical default with unit, range and source",
    **radio.HELP,
    **network.HELP,
    **validate.HELP,
    **explain.HELP,
    **build.HELP,
    **identity.HELP,
}


def parser() -> argparse.ArgumentParser:
    """Return the parser of the whole command line."""
    whole = argparse.ArgumentParser(
        prog="xinji",
        description="Plan a region's 5G, fibre and computing together, under yearly budgets, with a proved bound.",
        epilog=STATUSES.format(done="") + "\n`xinji VERB --help` has examples.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    whole.add_argument("--version", action="version", version=f"xinji {version('xinji')}")
    verbs = whole.add_subparsers(dest="verb", required=True, metavar="VERB")
    made = {
        name: verbs.add_parser(
            name,
            help=text,
            description=f"{text[0].upper()}{text[1:]}.",
            epilog=f"{_EXAMPLES[name]}\n{STATUSES.format(done=_DONE.get(name, ''))}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )
        for name, text in _HELP.items()
    }
    _add_region_verbs(made)
    _add_plan(made["plan"])
    _add_plan_verbs(made)
    radio.add_radio_verbs(made)
    network.add_network_verb(made)
    validate.add_validate_verbs(made)
    explain.add_explain_verbs(made)
    build.add_build_verbs(made)
    identity.add_id_verbs(made)
    return whole


def _add_region_verbs(made: dict[str, argparse.ArgumentParser]) -> None:
    new, source, check = made["new"], made["import"], made["check"]
    new.add_argument("folder", type=path, metavar="FOLDER", help="where to write region.toml")
    new.add_argument("--name", help="the region's name (the folder's name without)")
    source.add_argument("source", type=path, metavar="SOURCE", help="a region.toml with [import], or its folder")
    source.add_argument("--out", type=path, required=True, metavar="REGION", help="the region folder to make")
    source.add_argument("--data", type=path, metavar="DIR", help="folder of the sources (that of region.toml without)")
    source.add_argument("--overwrite", action="store_true", help="replace REGION whatever it holds")
    source.add_argument("--json", action="store_true", help="print the summary as one JSON object")
    add_region(check)
    check.add_argument("--json", action="store_true", help="print faults, warnings and figures as one JSON object")


def _add_plan(verb: argparse.ArgumentParser) -> None:
    add_region(verb)
    verb.add_argument("--out", type=path, metavar="DIR", help="folder of the plan (default: out/<name of the region>)")
    verb.add_argument("--json", action="store_true", help="print one JSON object on standard output")
    add_language(verb)
    verb.add_argument(
        "--question",
        choices=("most_value", "least_cost"),
        help="most value for the budgets, or least money for the floors",
    )
    verb.add_argument(
        "--keep", type=path, metavar="PLAN.gpkg", help="an edited plan: what is fixed or forbidden in it holds"
    )
    verb.add_argument(
        "--ledger", metavar="LEDGER",
        help="plan again from this ledger (a file or a postgresql:// address): what is let or built is frozen",
    )  # fmt: skip
    verb.add_argument("--at", type=_day, metavar="DATE", help="the ledger as of this day (default: its latest)")
    verb.add_argument(
        "--slip", dest="slips", action="append", default=[], type=_slip, metavar="ID:YEAR",
        help="with --ledger: what is let and not built is finished in YEAR; may be given again",
    )  # fmt: skip
    verb.add_argument(
        "--learn-costs", action="store_true",
        help="with --ledger: price trenches still to dig by what the ledger's trenches cost",
    )  # fmt: skip
    verb.add_argument(
        "--last", type=path, metavar="PLAN",
        help="with --ledger: the last plan (its folder or plan.json), which the report explains the difference to",
    )  # fmt: skip
    verb.add_argument(
        "--set", dest="changes", action="append", default=[], type=_change, metavar="KEY=VALUE",
        help="change policy.<key> or parameters.<key> for this plan; may be given again",
    )  # fmt: skip
    verb.add_argument(
        "--floor", dest="floors", action="append", default=[], type=_floor, metavar="GROUP:SERVICE:YEAR:SHARE",
        help="universal-service floor from YEAR on; may be given again",
    )  # fmt: skip
    verb.add_argument(
        "--effort", type=whole, default=100, metavar="N",
        help="tries of the search (default: 100); below 50 a quick look, with a looser bound",
    )  # fmt: skip
    verb.add_argument(
        "--seconds", type=_seconds, default=120.0, metavar="S",
        help="end the search after S seconds at the latest (default: 120); then the same seed may give another plan",
    )  # fmt: skip
    verb.add_argument("--seed", type=whole, default=0, metavar="N", help="of the random numbers (default: 0)")


def _add_plan_verbs(made: dict[str, argparse.ArgumentParser]) -> None:
    report, diff, parameters = made["report"], made["diff"], made["parameters"]
    report.add_argument("folder", type=path, metavar="DIR", help="a folder that `xinji plan` wrote")
    report.add_argument("--out", type=path, metavar="FILE", help="the page to write (default: DIR/report.html)")
    add_language(report)
    diff.add_argument("a", type=path, metavar="A", help="a plan's folder or its plan.json")
    diff.add_argument("b", type=path, metavar="B", help="the other one")
    diff.add_argument("--json", action="store_true", help="print one JSON object")
    add_language(diff, default="en")
    parameters.add_argument("part", nargs="?", default="", metavar="PART", help="list keys that hold PART only")
    parameters.add_argument("--profile", choices=("cn", "lmic"), default="cn", help="country profile (default: cn)")
    parameters.add_argument("--json", action="store_true", help="print one JSON object")


def _change(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals or not key.strip() or not value.strip():
        message = f"found {text!r}, expected KEY=VALUE, for example policy.budget=60e6"
        raise argparse.ArgumentTypeError(message)
    return key.strip(), value.strip()


def _floor(text: str) -> tuple[str, str, int, float]:
    parts = text.split(":")
    try:
        group, service, year, share = parts
        return group, service, int(year), float(share)
    except ValueError:
        example = "rural:mobile_outdoor:2028:0.9"
        message = f"found {text!r}, expected GROUP:SERVICE:YEAR:SHARE, for example {example}"
        raise argparse.ArgumentTypeError(message) from None


def _day(text: str) -> str:
    try:
        return dt.date.fromisoformat(text).isoformat()
    except ValueError:
        message = f"found {text!r}, expected a day as YEAR-MONTH-DAY, for example 2027-06-30"
        raise argparse.ArgumentTypeError(message) from None


def _slip(text: str) -> tuple[str, int]:
    name, colon, year = text.rpartition(":")
    if not (colon and name and year.isdecimal()):
        message = f"found {text!r}, expected ID:YEAR, for example N-r12-a:2028"
        raise argparse.ArgumentTypeError(message)
    return name, int(year)


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not value > 0:
        raise argparse.ArgumentTypeError(f"found {text!r}, expected a number of seconds above 0")
    return value
