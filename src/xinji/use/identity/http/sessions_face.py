"""``/api/sessions``: sessions of Handle.Net's HTTP authentication.

Source: Handle.Net technical manual 9 section 14.6.4.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass

from xinji.use.identity.errors import Code, IdentifierError, refuse
from xinji.use.identity.http.login import Login, handle_parameters
from xinji.use.identity.http.message import (
    Face,
    Json,
    Request,
    Response,
    is_json,
    object_of,
    read_json,
    said,
    write_json,
)
from xinji.use.identity.http.sessions import Session

PREFIX = b"/api/sessions"


@dataclass(frozen=True, slots=True)
class SessionsFace:
    """The face over the logins of a node."""

    login: Login

    def face(self) -> Face:
        """Return the face."""
        return Face((PREFIX,), self.answer, self.refuse)

    def refuse(self, status: int, message: str) -> Response:
        """Return a refusal."""
        return Response(status, write_json({"error": message}))

    def answer(self, request: Request) -> Response:
        """Start a session (POST), prove an identity in it (PUT or POST to ``this``), show it (GET), end it (DELETE)."""
        place = request.path.removeprefix(PREFIX).strip(b"/")
        if place not in (b"", b"this"):
            return self.refuse(404, "sessions are called this")
        if not request.client.secure:
            return self.refuse(403, "sessions need HTTPS")
        try:
            parameters = _parameters(request)
            if not place:
                return self._start(request)
            return self._this(request, parameters)
        except IdentifierError as error:
            status = 503 if error.code == Code.SERVER_BUSY else 400 if error.code == Code.PROTOCOL_ERROR else 401
            return self.refuse(status, said(error))

    def _start(self, request: Request) -> Response:
        if request.method != b"POST":
            return self.refuse(405, "sessions are started by POST")
        session = self.login.sessions.start()
        return Response(201, _shown(session), headers=((b"Location", PREFIX + b"/this"),))

    def _this(self, request: Request, parameters: dict[str, str]) -> Response:
        session = self.login.sessions.find(parameters.get("sessionid", ""))
        if session is None:
            return self.refuse(403, "there is no such session; start one by POST to /api/sessions")
        if request.method == b"DELETE":
            self.login.sessions.end(session.name)
            return Response(204, b"", b"")
        if request.method in (b"PUT", b"POST") and "signature" in parameters:
            self.login.prove(request.client, lambda: self.login.by_handle_header(parameters, request.client)[0])
            session = self.login.sessions.find(session.name) or session
        return Response(200, _shown(session))


def _parameters(request: Request) -> dict[str, str]:
    """Return the parameters of the Authorization: Handle header and of the body, the header's first."""
    scheme, _, rest = request.headers.get(b"authorization", b"").decode("latin-1").strip().partition(" ")
    found = handle_parameters(rest) if scheme.lower() == "handle" else {}
    if is_json(request) and request.body:
        for name, value in object_of(read_json(request.body), "body").items():
            if not isinstance(value, str):
                raise refuse(Code.PROTOCOL_ERROR, "body", f"{name[:40]} is no text", "Give text.")
            found.setdefault(name.lower(), value)
    return found


def _shown(session: Session) -> bytes:
    found: dict[str, Json] = {"sessionId": session.name}
    if session.nonce:
        found["nonce"] = base64.b64encode(session.nonce).decode("ascii")
    if session.requester is not None:
        found |= {"authenticated": True, "id": f"{session.requester.index}:{session.requester.handle}"}
    return write_json(found)
