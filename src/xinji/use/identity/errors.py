"""The one error of the identifier node, and the codes that all its faces answer with.

Source: DO-IRP specification v3.0 (DONA Foundation), response codes; RFC 3652 section 2.2.2.3.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum

from xinji.errors import Fault, InputError


class Code(IntEnum):
    """What an operation came to: the response codes of DO-IRP."""

    SUCCESS = 1
    ERROR = 2
    SERVER_BUSY = 3
    PROTOCOL_ERROR = 4
    OPERATION_NOT_SUPPORTED = 5
    RECURSION_LIMIT = 6
    READ_ONLY = 7
    HANDLE_NOT_FOUND = 100
    HANDLE_EXISTS = 101
    INVALID_HANDLE = 102
    VALUES_NOT_FOUND = 200
    VALUE_EXISTS = 201
    INVALID_VALUE = 202
    OUT_OF_DATE_SITE = 300
    NOT_RESPONSIBLE = 301
    SERVICE_REFERRAL = 302
    PREFIX_REFERRAL = 303
    INVALID_ADMIN = 400
    INSUFFICIENT_PERMISSIONS = 401
    AUTHENTICATION_NEEDED = 402
    AUTHENTICATION_FAILED = 403
    INVALID_CREDENTIAL = 404
    AUTHENTICATION_TIMEOUT = 405
    AUTHENTICATION_ERROR = 406
    SESSION_TIMEOUT = 500
    SESSION_FAILED = 501
    INVALID_SESSION_KEY = 502
    INVALID_SESSION_SETUP = 504
    DUPLICATE_SESSION_COUNTER = 505
    SESSION_MESSAGE_REJECTED = 506


class IdentifierError(InputError):
    """A name, value, message or operation that the identifier node refuses; ``code`` says on what ground."""

    def __init__(self, faults: Iterable[Fault], code: Code = Code.ERROR) -> None:
        super().__init__(faults)
        self.code = code

    def __reduce__(self) -> tuple[type[IdentifierError], tuple[tuple[Fault, ...], Code]]:  # type: ignore[override]
        # As its parent's, with the code; a longer tuple is no subtype of the parent's.
        return type(self), (self.faults, self.code)


def refuse(code: Code, place: str, message: str, remedy: str) -> IdentifierError:
    """Return the error for one fault at ``place``: what was found and expected, and how to mend it."""
    return IdentifierError([Fault(place, message, remedy)], code)
