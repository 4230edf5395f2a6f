"""What ``xinji network`` does, and what it prints."""

from __future__ import annotations

import json
import sys
from argparse import Namespace
from pathlib import Path

from xinji.cli_progress import steps

_STEPS = {"network": "Designing the access network and looking for weak points"}


def run_network(arguments: Namespace) -> int:
    """Design the network of a plan, write its files and say what it needs; 0 where done."""
    # The engines take seconds to load, and no other verb of plans has use for them.
    from xinji.workflow.access import write_network  # noqa: PLC0415

    plan: Path = arguments.folder
    out: Path = arguments.out or plan.resolve().with_name(f"{plan.resolve().name}_network")
    with steps(_STEPS) as progress:
        progress("network", 0, 1)
        made = write_network(plan, out, microwave=arguments.microwave)
    text = f"{made.text()}\nFiles: {out}\n"
    if arguments.json:
        sys.stderr.write(text)
        record = made.record() | {"files": {name: str(path) for name, path in made.files.items()}}
        sys.stdout.write(json.dumps(record, ensure_ascii=False, indent=1, allow_nan=False) + "\n")
    else:
        sys.stdout.write(text)
    return 0
