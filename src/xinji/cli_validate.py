"""What the verbs that prove do, and what they print."""

from __future__ import annotations

import json
import sys
import time
from argparse import Namespace
from collections.abc import Iterator

from xinji.cli_validate_arguments import DESIGN
from xinji.errors import Fault, InputError, raise_if
from xinji.workflow.validate import exit_status, table, validate_radio
from xinji.workflow.validate_design_result import DesignResult, design_exit_status, design_table
from xinji.workflow.verify import verification_text, verify_plan


def run_validate(arguments: Namespace) -> int:
    """Hold models or engines against what is published and print how each fares; 1 where one fails."""
    raise_if(_misplaced(arguments), InputError)
    return _design(arguments) if arguments.subject == DESIGN else _radio(arguments)


def run_verify(arguments: Namespace) -> int:
    """Prove a plan again from its files and print what was proved; 1 where it is not."""
    found = verify_plan(arguments.folder)
    if arguments.json:
        _say_object(found.record())
    else:
        sys.stdout.write(verification_text(found) + "\n")
    return int(bool(found.findings))


def _misplaced(arguments: Namespace) -> Iterator[Fault]:
    """Yield the options given that the subject has no use for."""
    asked = {"--seconds": arguments.seconds is not None, "--sizes": arguments.sizes, "--jobs": arguments.jobs}
    if arguments.subject == DESIGN:
        asked = {"--details": arguments.details}
    for option, given in asked.items():
        if given:
            yield Fault(option, f"`xinji validate {arguments.subject}` has no such option", "Leave it out.")


def _radio(arguments: Namespace) -> int:
    results = validate_radio(arguments.data)
    if arguments.json:
        _say_object([result.record() for result in results])
    else:
        sys.stdout.write(table(results, details=arguments.details) + "\n")
    return exit_status(results)


def _design(arguments: Namespace) -> int:
    # The engines take seconds to load, and neither radio nor verify has use for them.
    from xinji.workflow.validate_design import design_tasks, in_order, run_tasks  # noqa: PLC0415

    begun = time.monotonic()

    def tell(line: str) -> None:
        sys.stderr.write(f"[{time.monotonic() - begun:6.1f} s] {line}\n")
        sys.stderr.flush()

    tell("Reading instances")
    tasks = design_tasks(arguments.data, seconds=arguments.seconds, sizes=arguments.sizes, told=tell)
    done: list[DesignResult] = []
    try:
        for result in run_tasks(tasks, jobs=arguments.jobs or 1, told=tell):
            done.append(result)
            for failure in result.failures:
                tell(f"FAILED {result.family} {result.instance}: {failure}")
    except KeyboardInterrupt:
        tell(f"stopped by Ctrl-C after {len(done)} of {len(tasks)} instances; these are done")
        _say_design(in_order(done, tasks), as_object=arguments.json)
        raise
    results = in_order(done, tasks)
    _say_design(results, as_object=arguments.json)
    return design_exit_status(results)


def _say_design(results: tuple[DesignResult, ...], *, as_object: bool) -> None:
    if as_object:
        sys.stderr.write(design_table(results) + "\n")
        _say_object([result.record() for result in results])
    else:
        sys.stdout.write(design_table(results) + "\n")
    sys.stdout.flush()


def _say_object(value: object) -> None:
    sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=1, allow_nan=False, default=str) + "\n")
