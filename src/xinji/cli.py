"""The command line: one verb a step. Exit status 0: done; 2: refused, with the reasons on standard error."""

from __future__ import annotations

import os
import sys
from argparse import Namespace
from collections.abc import Callable, Sequence

from xinji.cli_parser import parser
from xinji.errors import XinjiError

DONE, REFUSED = 0, 2


def main(argv: Sequence[str] | None = None) -> int:
    """Run one verb of ``argv`` (the program's own without) and return the exit status.

    What Xinji refuses, an interrupt and a disk that refuses end with status 2 and a message on
    standard error; a reader that closes the pipe early ends the output, not the work.
    """
    try:
        arguments = parser().parse_args(argv)
        status = _runner(arguments.verb)(arguments)
        sys.stdout.flush()
    except BrokenPipeError:
        _close_stdout()
        return DONE
    except KeyboardInterrupt:
        return _refuse("Interrupted. Nothing half-written is left.")
    except XinjiError as error:
        return _refuse(str(error))
    except MemoryError:
        return _refuse("There is not enough memory. Close other programs, or plan a smaller region.")
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        return _refuse(f"{place}{error.strerror or error}. Check the path and the disk.")
    return status


def _runner(verb: str) -> Callable[[Namespace], int]:
    """Return what runs ``verb``, loaded only now.

    Loading the models takes seconds: --help, the ledger and the node need not wait, and Ctrl-C is answered meanwhile.
    """
    if verb == "build":
        from xinji.cli_build import run_build  # noqa: PLC0415

        return run_build
    if verb == "id":
        from xinji.cli_id import run_id  # noqa: PLC0415

        return run_id
    from xinji.cli_verbs import run  # noqa: PLC0415

    return run


def _refuse(message: str) -> int:
    for line in message.splitlines():
        sys.stderr.write(f"xinji: {line}\n")
    return REFUSED


def _close_stdout() -> None:
    """Let nothing more be flushed into the closed pipe when Python ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
