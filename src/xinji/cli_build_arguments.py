"""The arguments of `xinji build`, with help and examples for each of its sub-verbs."""

from __future__ import annotations

import argparse
import datetime as dt
import getpass

from xinji.cli_arguments import add_language, add_sub_verbs, path, whole

HELP = {"build": "keep the ledger of what is planned, let, built and paid, and hold it against the plan"}
EXAMPLES = {
    "build": """\
examples:
  xinji build open xinwu.ledger --plan out/xinwu          the plan becomes the ledger's baseline
  xinji build import xinwu.ledger acceptance_2027_03.xlsx  what was let, built, accepted and paid
  xinji build status xinwu.ledger                         how many facilities are in which state
  xinji build variance xinwu.ledger --out out/variance    plan against actual, earned value, forecast
  xinji build audit xinwu.ledger                          is every record as it was recorded?

LEDGER is a file, or a postgresql:// URL for a team. `xinji build VERB --help` has more.
""",
}
DONE = {"build": "\n  1  audit: something was found; variance: the budget does not reconcile"}

STATUSES = """\
exit status:
  0  done{done}
  2  refused: wrong input or a disk that refuses; the reasons stand on standard error, one a line,
     and nothing is recorded
"""

_HELP = {
    "open": "make a ledger, with a plan as its baseline",
    "baseline": "take a new plan over as the next baseline; what is let or built stays as it is",
    "import": "record acceptance records from CSV or Excel, all or none",
    "status": "list facilities by state, on any day",
    "advance": "record one step of facilities: state, contract, payment",
    "void": "take back what was recorded in error: it stays readable and counts no longer",
    "variance": "plan against actual in cost and time, earned value and forecast",
    "register": "the register of 5G + industrial Internet projects (512), by quarter, industry, scenario and park",
    "audit": "prove the ledger again: chain, signatures, replay, budget, evidence",
    "key": "make a key to sign with, or let a name sign with a key",
}
_EXAMPLES = {
    "open": """\
examples:
  xinji build open xinwu.ledger --plan out/xinwu
  xinji build open xinwu.ledger --plan out/xinwu --areas townships.gpkg --area-column name --day 2026-01-01
  xinji build open postgresql://li@db/xinwu --plan out/xinwu/plan.json --key li.pem
  xinji build open park.ledger --region park --crs EPSG:32650 --currency CNY --years 2027,2028

--areas tells each facility's township or park; without it, areas are the plan's groups of cells.
""",
    "baseline": """\
examples:
  xinji plan regions/my_county --ledger county.ledger --out out/again     plan the rest, as the ledger stands
  xinji build baseline county.ledger --plan out/again --name 2027-07      and take that plan over

What is planned or approved but not in the new plan is cancelled; contracts and all that is built stay.
""",
    "import": """\
examples:
  xinji build import xinwu.ledger records.csv
  xinji build import xinwu.ledger records.xlsx --sheet 3月 --ignore 序号 --evidence scans
  xinji build import xinwu.ledger inventory.csv --new           facilities that no plan has, too
  xinji build import xinwu.ledger records.csv --dry-run         check all, record nothing
  xinji build import xinwu.ledger projects_512.xlsx --projects  projects for the register
  xinji build import new.ledger records.csv --plan out/xinwu    make the ledger first, if it is not there

Columns, in English or Chinese: id 编号, date 日期 (needed); state 状态 (accepted 已验收 without), contract 合同编号,
contractor 施工单位, contract_capex 合同金额, settled_capex 结算金额, paid_total 累计付款, or payment 本次付款 with
payment_reference 付款凭证号, longitude 经度 and latitude 纬度 (WGS-84), or x_m and y_m, survey 测量方法,
evidence 证据文件, project 项目编号, completion 计划竣工日期 (reschedules what is let, with a reason), reason 原因;
of new facilities technology 专业, kind 类型, area 区域, planned_year, planned_capex, planned_opex, length_m. A unit
in brackets counts: 合同金额（万元）. CSV in UTF-8 or GB18030. What the ledger has already is not recorded twice.
""",
    "status": """\
examples:
  xinji build status xinwu.ledger
  xinji build status xinwu.ledger --at 2027-06-30 --language zh     replayed to the end of that day
  xinji build status xinwu.ledger --known 2027-07-15                what was known then
  xinji build status xinwu.ledger --facility R-1066-700             everything recorded of one facility
""",
    "advance": """\
examples:
  xinji build advance xinwu.ledger R-1066 R-1066-700 --to contracted --day 2027-03-01 \\
      --contract HT-2027-018 --contractor "Wuxi Telecom Works" --sum 99748.57
  xinji build advance xinwu.ledger R-1066 --to accepted --day 2027-05-12 --evidence scans/R-1066.pdf
  xinji build advance xinwu.ledger R-1066 --pay 30000 --voucher V-771 --day 2027-05-20
  xinji build advance xinwu.ledger R-1066 --to built --back --reason "acceptance withdrawn" --day 2027-06-01
  xinji build advance xinwu.ledger R-1067 --to cancelled --reason "owner refused" --day 2027-06-01
  xinji build advance xinwu.ledger R-1068 --completion 2028-03-31 --reason "permit late" --day 2027-06-01

States: planned, approved, contracted, under_construction, built, accepted, in_use, retired, cancelled. Steps
between are recorded as passed on the way.
""",
    "void": """\
examples:
  xinji build status xinwu.ledger --facility R-1066             numbers of what was recorded
  xinji build void xinwu.ledger 4711 --reason "paid for R-1067"

Of a facility's states only the last can be voided, of its contracts not the only one of what is let; a facility
itself where nothing else is recorded of it and no plan has it. What the *world* took back is no error: see
`xinji build advance --back`.
""",
    "variance": """\
examples:
  xinji build variance xinwu.ledger
  xinji build variance xinwu.ledger --at 2027-12-31 --by technology,area,project --language zh
  xinji build variance xinwu.ledger --baseline latest --earn 0/100 --cost paid --out out/variance
  xinji build variance xinwu.ledger --json > variance.json

--earn: by state (milestones: shares of the registry, `xinji parameters build`), 50/50 at start of work and
acceptance, or 0/100 at acceptance. --cost: accrued counts work done at the contract's price, because
bills follow work by months; paid counts payments.
""",
    "register": """\
examples:
  xinji build register xinwu.ledger --at 2027-06-30 --language zh --out out/register
  xinji build register xinwu.ledger --json

Import the projects with `xinji build import LEDGER FILE --projects`: columns id 项目编号, name 项目名称, industry
行业代码 (GB/T 4754-2017, such as C39 or 3921), scenario 应用场景 (codes S01 to S20 or names, several with ;),
registered 登记日期 (needed); owner 企业, park 园区, planned_capex 投资额, state 状态 with date 日期, evidence 证据文件.
""",
    "audit": """\
examples:
  xinji build audit xinwu.ledger
  xinji build audit xinwu.ledger --head 4711:9f2c... --trusted keys.txt --evidence scans
  xinji build audit xinwu.ledger --json

Keep the head that `import` and `advance` print elsewhere: with --head nobody can rewrite the ledger unseen.
""",
    "key": """\
examples:
  xinji build key li.pem                                              make a key; prints its public half
  xinji build key --trust ed25519:... --name wang --ledger xinwu.ledger --key li.pem
""",
}
_DONE = {
    "audit": " (nothing found)\n  1  the audit found something; every finding is listed",
    "variance": " (whatever the variance is; 1 where the budget does not reconcile)",
}


def add_build_verbs(made: dict[str, argparse.ArgumentParser]) -> None:
    """Add the sub-verbs of build to its parser in ``made``."""
    epilogs = {name: f"{text}\n{STATUSES.format(done=_DONE.get(name, ''))}" for name, text in _EXAMPLES.items()}
    parsers = add_sub_verbs(made["build"], "build_verb", _HELP, epilogs)
    for name in _HELP.keys() - {"key"}:
        parsers[name].add_argument("ledger", metavar="LEDGER", type=_place, help="a file, or a postgresql:// URL")
    for name in ("open", "baseline", "import", "advance", "void"):
        _add_who(parsers[name])
    for name in ("open", "baseline", "import", "advance"):
        text = "let in days that have not come yet, to rehearse a course of things"
        parsers[name].add_argument("--future", action="store_true", help=text)
    _add_open(parsers["open"])
    _add_baseline(parsers["baseline"])
    _add_import(parsers["import"])
    _add_advance(parsers["advance"])
    _add_void(parsers["void"])
    for name in ("status", "variance", "register"):
        _add_day(parsers[name])
        add_language(parsers[name], default="en")
    _add_reports(parsers)
    _add_audit(parsers["audit"])
    _add_key(parsers["key"])
    for name, parser in parsers.items():
        if name != "key":
            parser.add_argument("--json", action="store_true", help="print one JSON object; money in cents")


def _add_who(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("--who", default="", help="who records (default: the name you are logged in with)")
    verb.add_argument("--key", type=path, metavar="FILE", help="sign what is recorded with the key in FILE")


def _add_plan(verb: argparse.ArgumentParser, text: str, *, required: bool = False) -> None:
    verb.add_argument("--plan", type=path, required=required, metavar="PLAN", help=text)
    verb.add_argument("--areas", type=path, metavar="FILE", help="polygons of townships or parks, to tell the area")
    verb.add_argument("--area-column", default="name", metavar="NAME", help="their column (default: name)")


def _add_open(verb: argparse.ArgumentParser) -> None:
    _add_plan(verb, "a folder that `xinji plan` wrote, or its plan.json")
    verb.add_argument("--day", type=day, metavar="DATE", help="day of opening (default: the plan's first)")
    verb.add_argument("--name", default="plan", help="name of the baseline (default: plan)")
    verb.add_argument("--region", default="", help="without --plan: the region's name")
    verb.add_argument("--crs", default="", help="without --plan: a projected CRS, for example EPSG:32650")
    verb.add_argument("--currency", default="", help="without --plan: for example CNY")
    verb.add_argument("--years", type=_years, default=(), metavar="Y,Y", help="without --plan: the years planned")


def _add_baseline(verb: argparse.ArgumentParser) -> None:
    _add_plan(verb, "a folder that `xinji plan` wrote, or its plan.json", required=True)
    verb.add_argument("--day", type=day, metavar="DATE", help="when it was taken over (default: the ledger's latest)")
    verb.add_argument("--name", required=True, help="name of the baseline, used nowhere else in the ledger")


def _add_import(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("file", type=path, metavar="FILE", help="CSV file or Excel workbook")
    _add_plan(verb, "make the ledger from this plan first, if it is not there")
    verb.add_argument("--projects", action="store_true", help="FILE lists projects, not facilities")
    verb.add_argument("--new", action="store_true", help="let in facilities that the ledger does not know")
    verb.add_argument("--sheet", default="", help="sheet of the workbook (default: the first with known headings)")
    verb.add_argument("--ignore", type=_names, default=(), metavar="COLUMN,COLUMN", help="columns to pass over")
    verb.add_argument("--evidence", type=path, metavar="DIR", help="folder that evidence is named from")
    verb.add_argument("--places-checked", action="store_true", help="places far from the planned ones are right")
    verb.add_argument("--dry-run", action="store_true", help="check everything and record nothing")


def _add_advance(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("facilities", nargs="+", metavar="ID", help="facilities, by id")
    verb.add_argument("--to", default="", metavar="STATE", help="the state that they come into")
    verb.add_argument("--day", type=day, required=True, metavar="DATE", help="when, as 2027-03-05")
    verb.add_argument("--back", action="store_true", help="go back by one state; needs --reason")
    verb.add_argument("--reason", default="", help="why; needed to cancel, to go back and to reschedule")
    verb.add_argument("--completion", type=day, metavar="DATE", help="reschedule completion to DATE; needs --reason")
    verb.add_argument("--contract", default="", metavar="NO", help="contract under which they are let")
    verb.add_argument("--contractor", default="", metavar="NAME", help="who builds")
    verb.add_argument("--sum", default="", metavar="AMOUNT", help="contract sum of each facility, to the cent")
    verb.add_argument("--pay", default="", metavar="AMOUNT", help="payment for each facility; negative: money back")
    verb.add_argument("--voucher", default="", metavar="NO", help="of the payment")
    verb.add_argument("--evidence", type=path, nargs="+", default=[], metavar="FILE", help="files that prove it")
    verb.add_argument("--head", default="", metavar="N:HASH", help="refuse if they changed since this head")


def _add_void(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("number", type=whole, metavar="NUMBER", help="of the event, as `xinji build status` lists it")
    verb.add_argument("--reason", required=True, help="why the record was wrong")
    verb.add_argument("--head", default="", metavar="N:HASH", help="refuse if its facility changed since this head")


def _add_day(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("--at", type=day, metavar="DATE", help="end of this day (default: the latest)")
    verb.add_argument("--known", type=_known, metavar="WHEN", help="what was recorded by then: a day, or event number")


def _add_reports(parsers: dict[str, argparse.ArgumentParser]) -> None:
    status, variance, register = parsers["status"], parsers["variance"], parsers["register"]
    status.add_argument("--facility", default="", metavar="ID", help="list what was recorded of one facility")
    text = "plan to compare with: first, latest or a name (default: first)"
    variance.add_argument("--baseline", default="first", metavar="NAME", help=text)
    text = "groupings: stage, technology, area, kind, project (default: stage,technology,area)"
    variance.add_argument("--by", type=_names, default=("stage", "technology", "area"), metavar="A,B", help=text)
    variance.add_argument("--earn", choices=("milestones", "50/50", "0/100"), default="milestones", help="earning rule")
    variance.add_argument("--cost", choices=("accrued", "paid"), default="accrued", help="what actual cost is")
    for verb in (variance, register):
        verb.add_argument("--out", type=path, metavar="DIR", help="write CSV files and an Excel workbook")


def _add_audit(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("--head", default="", metavar="N:HASH", help="a head that was kept elsewhere")
    verb.add_argument("--trusted", type=path, metavar="FILE", help='lines "ed25519:... NAME": trust these keys alone')
    text = "folder of evidence files (default: that of a LEDGER file)"
    verb.add_argument("--evidence", type=path, metavar="DIR", help=text)


def _add_key(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("file", nargs="?", type=path, metavar="FILE", help="the new key")
    verb.add_argument("--trust", default="", metavar="KEY", help="public half of a key, to be recorded in --ledger")
    verb.add_argument("--name", default="", help="whose key it is")
    verb.add_argument("--ledger", type=_place, metavar="LEDGER", help="where to record it")
    _add_who(verb)


def who_of(given: str) -> str:
    """Return who records: ``given``, or the name of the login."""
    return given or getpass.getuser()


def day(text: str) -> str:
    """Return ``text`` as a day (ISO 8601). Raises ArgumentTypeError where it is none."""
    try:
        return dt.date.fromisoformat(text).isoformat()
    except ValueError:
        raise argparse.ArgumentTypeError(f"found {text!r}, expected a day such as 2027-03-05") from None


def _known(text: str) -> str | int:
    return whole(text) if text.isdigit() else day(text)


def _place(text: str) -> str:
    return text if "://" in text else str(path(text))


def _years(text: str) -> tuple[int, ...]:
    return tuple(whole(part.strip()) for part in text.split(","))


def _names(text: str) -> tuple[str, ...]:
    parts = tuple(part.strip() for part in text.replace("，", ",").split(",") if part.strip())
    if not parts:
        raise argparse.ArgumentTypeError(f"found {text!r}, expected names with commas between")
    return parts
