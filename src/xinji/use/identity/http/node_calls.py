"""What more than one face asks of the node."""

from __future__ import annotations

from itertools import islice

from xinji.use.identity.errors import Code, refuse
from xinji.use.identity.names import prefix_of
from xinji.use.identity.node import Node, Outcome
from xinji.use.identity.record import Value
from xinji.use.identity.trust import Requester

DEEPEST = 100_000
"""Handles that a listing passes over at most; more would keep others waiting."""


def submit(
    node: Node, kind: str, handle: str, values: tuple[Value, ...], indexes: tuple[int, ...], requester: Requester
) -> Outcome:
    """Ask ``node`` for a change of ``kind`` (create, replace, add, put, remove, delete) and return its future.

    Raises IdentifierError where the change is refused before it waits for the store.
    """
    if kind == "delete":
        return node.delete(handle, requester)
    if kind == "remove":
        return node.remove(handle, indexes, requester)
    if kind in ("add", "put"):
        return node.add(handle, values, requester, overwrite=kind == "put")
    return node.create(handle, values, requester, overwrite=kind == "replace")


def list_handles(node: Node, begin: str, requester: Requester, *, start: int, size: int) -> tuple[int, tuple[str, ...]]:
    """Return how many handles lie under the prefix of ``begin``, and ``size`` that start so from number ``start``.

    ``begin`` is a prefix, or a prefix, a slash and the beginning of a suffix. Raises IdentifierError to who may
    not list them, and where ``start`` is too deep.
    """
    prefix = prefix_of(begin) or begin
    if start + size > DEEPEST:
        message = f"number {start + size} lies deeper than {DEEPEST}"
        raise refuse(Code.OPERATION_NOT_SUPPORTED, "page", message, "Export the store instead.")
    found = node.handles(prefix, requester)
    if "/" in begin:
        found = node.store.keys(begin)
    total = node.store.prefixes().get(prefix.upper(), 0)
    return total, tuple(islice(found, start, start + size))
