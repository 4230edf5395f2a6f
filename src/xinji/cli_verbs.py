"""What each verb does: call the workflow, and say what came of it."""

from __future__ import annotations

import json
import sys
from argparse import Namespace
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict
from pathlib import Path

from xinji import cli_explain, cli_network, cli_radio, cli_validate
from xinji.cli_progress import steps
from xinji.cli_summary import plan_object, plan_text
from xinji.core.facilities import Facilities
from xinji.core.parameters import Parameters
from xinji.core.policy import Floor
from xinji.errors import Fault, InputError
from xinji.io.check import CheckReport
from xinji.io.importing import RegionSummary
from xinji.show.diff import render_diff
from xinji.workflow import planning
from xinji.workflow.replanning import replanned_object, replanned_text
from xinji.workflow.replanning_ledger import read_ledger

DONE, REFUSED = 0, 2

_PLAN_STEPS = {
    "read": "Reading and checking the region",
    "demand": "Forecasting demand",
    "offers": "Finding what can be built",
    "search": "Searching for the best plan and proving its bound",
    "compare": "Planning one technology after the other, to compare",
    "check": "Checking the plan without the solver",
    "write": "Writing maps, tables and the report",
}


def run(arguments: Namespace) -> int:
    """Run the verb of ``arguments`` (from ``xinji.cli_parser``), one of those that plan, and return the exit status.

    Raises XinjiError for what is refused.
    """
    verbs: Mapping[str, Callable[[Namespace], int]] = {
        "new": _new,
        "import": _import,
        "check": _check,
        "plan": _plan,
        "report": _report,
        "diff": _diff,
        "parameters": _parameters,
        "coverage": cli_radio.run_coverage,
        "calibrate": cli_radio.run_calibrate,
        "network": cli_network.run_network,
        "validate": cli_validate.run_validate,
        "verify": cli_validate.run_verify,
        "explain": cli_explain.run_explain,
        "frontier": cli_explain.run_frontier,
    }
    return verbs[arguments.verb](arguments)


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")


def _say_object(value: object) -> None:
    _say(json.dumps(value, ensure_ascii=False, indent=1, allow_nan=False, default=str))


def _warn(faults: Iterable[Fault], word: str) -> None:
    sys.stdout.flush()
    for fault in faults:
        sys.stderr.write(f"xinji: {word}{fault}\n")


def _new(arguments: Namespace) -> int:
    path = planning.new_region(arguments.folder, arguments.name or arguments.folder.resolve().name)
    _say(f"Wrote {path}. Fill in [import], then run `xinji import {arguments.folder} --out REGION`.")
    return DONE


def _import(arguments: Namespace) -> int:
    with steps({}) as progress:
        made = planning.import_folder(
            arguments.source,
            arguments.out,
            data=arguments.data,
            overwrite=arguments.overwrite,
            progress=lambda step, number, _total: progress(f"{step}", number, 1),
        )
    _warn(made.warnings, "warning: ")
    if arguments.json:
        _say_object(asdict(made))
    else:
        _say(_import_text(made))
    return DONE


def _import_text(made: RegionSummary) -> str:
    groups = ", ".join(f"{count:,} {group}" for group, count in made.group_cells.items())
    facilities = ", ".join(f"{count:,} {kind}" for kind, count in made.facilities.items() if count)
    lines = [
        f"Imported {made.name} into {made.folder} ({made.bytes / 1e6:.1f} MB)",
        f"  cells       {made.cells:,} ({groups})",
        f"  people      {made.residents:,.0f} residents, {made.workers:,.0f} workers",
        f"  roads       {made.road_edges:,} edges, {made.road_nodes:,} nodes",
        f"  facilities  {facilities}",
        *(f"  note: {note}" for note in made.notes),
        f"Next: `xinji check {made.folder}`, then `xinji plan {made.folder}`.",
    ]
    return "\n".join(lines)


def _check(arguments: Namespace) -> int:
    found = planning.check_region(arguments.region)
    if arguments.json:
        _say_object(_check_object(found))
    else:
        for line in found.quality:
            _say(f"  {line.name:<42}{line.value:>16,.6g} {line.unit}".rstrip())
    _warn(found.warnings, "warning: ")
    _warn(found.faults, "")
    if found.faults:
        sys.stderr.write(
            f"xinji: {len(found.faults)} faults, {len(found.warnings)} warnings: no plan is possible yet\n"
        )
        return REFUSED
    if not arguments.json:
        _say(f"No fault, {len(found.warnings)} warnings: ready for `xinji plan {arguments.region}`.")
    return DONE


def _check_object(found: CheckReport) -> dict[str, object]:
    return {
        "faults": [asdict(fault) for fault in found.faults],
        "warnings": [asdict(fault) for fault in found.warnings],
        "quality": [asdict(line) for line in found.quality],
    }


def _plan(arguments: Namespace) -> int:
    out: Path = arguments.out or planning.default_out(arguments.region)
    planning.require_writable(out)
    settings = planning.PlanSettings(
        changes=tuple(arguments.changes),
        floors=tuple(Floor(*parts) for parts in arguments.floors),
        question=arguments.question or "",
        keep=arguments.keep,
        ledger=_ledger(arguments),
        slips=tuple(arguments.slips),
        learn_costs=arguments.learn_costs,
        last=arguments.last,
        tries=arguments.effort,
        seconds=arguments.seconds,
        seed=arguments.seed,
    )
    with steps(_PLAN_STEPS) as progress:
        made = planning.plan_region(arguments.region, settings=settings, progress=progress)
        files = planning.write_study(made, out, language=arguments.language, progress=progress)
    text, found = plan_text(made, files), plan_object(made, files)
    if made.replanned is not None:
        text += "\n" + replanned_text(made.replanned, made.study.region.currency)
        found["replanned"] = replanned_object(made.replanned)
    if arguments.json:
        sys.stderr.write(text)
        _say_object(found)
    else:
        sys.stdout.write(text)
    return DONE


def _ledger(arguments: Namespace) -> Facilities | None:
    """Return what the ledger says that the plan is to be made again from; None without one."""
    if arguments.ledger is not None:
        return read_ledger(arguments.ledger, arguments.region, at=arguments.at or "")
    if arguments.at:
        raise InputError([Fault("--at", "there is no ledger to read", "Give --ledger, too.")])
    return None


def _report(arguments: Namespace) -> int:
    path = planning.report(arguments.folder, language=arguments.language, out=arguments.out)
    _say(f"Report: {path}")
    return DONE


def _diff(arguments: Namespace) -> int:
    found = planning.diff(arguments.a, arguments.b)
    if arguments.json:
        _say_object(asdict(found))
    else:
        sys.stdout.write(render_diff(found, language=arguments.language))
    return DONE


def _parameters(arguments: Namespace) -> int:
    registry = planning.registry(arguments.profile)
    chosen = {key: entry for key, entry in registry.entries.items() if arguments.part in key}
    if arguments.json:
        _say_object({key: asdict(entry) for key, entry in chosen.items()})
    else:
        _list(Parameters(registry.profile, chosen))
    return DONE


def _list(parameters: Parameters) -> None:
    for key, entry in parameters.entries.items():
        year = f", {entry.year}" if entry.year else ""
        span = f"{entry.low:g} to {entry.high:g}"
        _say(f"{key} = {entry.value:g} {entry.unit}  ({span}; {entry.status}{year}; {entry.source})")
