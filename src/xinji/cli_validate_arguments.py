"""The arguments of the verbs that prove: validate and verify, with their help and examples."""

from __future__ import annotations

import argparse

from xinji.cli_arguments import above_zero, path, whole

RADIO, DESIGN = SUBJECTS = ("radio", "design")

HELP = {
    "validate": "hold the radio models against published figures, or the design engines against published optima",
    "verify": "prove a plan again from its files alone: feasibility, cost and bound",
}
EXAMPLES = {
    "validate": """\
examples:
  xinji validate radio --data shared/validation           one row a set: cases, passed, worst error, tolerance
  xinji validate radio --data shared/validation --json    the same for a script
  xinji validate design --data shared/instances           one row an instance: value, bound, known optimum, gaps
  xinji validate design --data shared/instances --seconds 10 --jobs 2
  xinji validate design --data shared/instances --sizes 10k,1m --json

design: the folder may hold steiner/*.gr, pcstp/*.stp, cflp/*.txt, pmedian/*.txt (all also as .gz) and
mclp_generator.py, whose code is then run. Ctrl-C prints what is done.
""",
    "verify": """\
examples:
  xinji verify out/xinwu                  value, bound and spending, each computed again
  xinji verify out/xinwu --json           the same for a script, with every finding

Nothing is planned: no solver runs, and no file but those of the plan is read.
""",
}
DONE = {
    "validate": (
        " (radio: every case passed; design: every answer holds)\n"
        "  1  a case failed, or an answer breaks a rule or contradicts a proved optimum"
    ),
    "verify": " (all is proved)\n  1  not proved; every finding is listed",
}


def add_validate_verbs(made: dict[str, argparse.ArgumentParser]) -> None:
    """Add the arguments of validate and verify to their parsers in ``made``."""
    validate, verify = made["validate"], made["verify"]
    validate.add_argument("subject", choices=SUBJECTS, help="radio models or design engines")
    text = "folder of validation sets or of instances"
    validate.add_argument("--data", type=path, required=True, metavar="DIR", help=text)
    text = "radio: list every failure, not the first of each set alone"
    validate.add_argument("--details", action="store_true", help=text)
    validate.add_argument(
        "--seconds",
        type=above_zero,
        metavar="N",
        help="design: processor seconds for each instance (default: by family and size, 6 to 60)",
    )
    text = "design: covering problems to generate, by name (default: all but the largest)"
    validate.add_argument("--sizes", type=_sizes, default=(), metavar="SIZE,SIZE", help=text)
    text = "design: processes that solve instances side by side (default: 1)"
    validate.add_argument("--jobs", type=whole, metavar="N", help=text)
    validate.add_argument("--json", action="store_true", help="print a list of one object a set or instance")
    verify.add_argument("folder", type=path, metavar="PLAN", help="a folder that `xinji plan` wrote")
    verify.add_argument("--json", action="store_true", help="print one JSON object")


def _sizes(text: str) -> tuple[str, ...]:
    parts = tuple(part.strip() for part in text.split(",") if part.strip())
    if not parts:
        raise argparse.ArgumentTypeError(f"found {text!r}, expected names of sizes such as 10k,100k")
    return parts
