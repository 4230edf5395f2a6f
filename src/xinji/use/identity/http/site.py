"""The faces of one node put together: which face answers which path."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

from xinji.errors import XinjiError
from xinji.use.identity.http.message import Face, Later, Request, Response, problem

LOGGER = logging.getLogger(__name__)

_METHODS = b"GET, HEAD, POST, PUT, DELETE, OPTIONS"
_PREFLIGHT = (
    (b"Access-Control-Allow-Methods", _METHODS),
    (b"Access-Control-Allow-Headers", b"Authorization, Content-Type, Accept, Accept-Language, X-Requested-With"),
    (b"Access-Control-Max-Age", b"86400"),
    (b"Allow", _METHODS),
)
_MISTAKES = (ArithmeticError, AttributeError, LookupError, OSError, RecursionError, TypeError, ValueError, XinjiError)
"""What a mistake of ours could raise; the client learns no more than that there was one."""


def _nothing() -> None:
    pass


@dataclass(frozen=True, slots=True)
class Site:
    """All that is served: ``faces`` in the order in which their prefixes are tried, the last for the rest.

    ``refresh`` is called before requests that came together, ``rest`` about once a second.
    """

    faces: tuple[Face, ...]
    refresh: Callable[[], None] = _nothing
    rest: Callable[[], None] = _nothing

    def face_of(self, path: bytes) -> Face | None:
        """Return the face that serves ``path``, None where none does."""
        for face in self.faces:
            if path.startswith(face.prefixes):
                return face
        return None

    def answer(self, request: Request) -> Response | Later:
        """Return the answer to ``request``; whatever goes wrong is an answer too."""
        face = self.face_of(request.path)
        if face is None:
            return problem(404, "nothing is served under this path")
        if request.method == b"OPTIONS":
            return Response(204, headers=_PREFLIGHT)
        try:
            return face.answer(request)
        except _MISTAKES as error:
            # The text of the error could hold what the client sent, secrets too: its kind is enough to look it up.
            LOGGER.error("%s under %s", type(error).__name__, face.prefixes[0].decode("ascii"), stack_info=False)  # noqa: TRY400
            return face.refuse(500, "the node could not answer; its log says more")

    def refuse(self, path: bytes, status: int, message: str) -> Response:
        """Return the refusal of a request to ``path`` that reached no face."""
        face = self.face_of(path)
        return problem(status, message) if face is None else face.refuse(status, message)
