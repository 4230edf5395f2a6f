"""The GS1 Digital Link face: redirects, linksets and the description of the resolver.

Source: GS1-Conformant resolver standard, release 1.2.0; RFC 9264.
"""

from __future__ import annotations

import html
import re
from dataclasses import dataclass

from xinji.use.identity.errors import Code, IdentifierError
from xinji.use.identity.gs1 import PRIMARY_KEYS, handle_of
from xinji.use.identity.gs1_links import (
    CURIE,
    LINKSET,
    VOCABULARY,
    Link,
    Wanted,
    choose,
    link_json,
    links_of,
    linkset_json,
    linkset_text,
    relation_of,
)
from xinji.use.identity.gs1_uri import DigitalLink, names_gs1, parse, uri_path
from xinji.use.identity.http.message import Face, Headers, Json, Request, Response, problem, said, write_json
from xinji.use.identity.http.negotiation import Wish, best_media, wishes
from xinji.use.identity.http.view import View
from xinji.use.identity.names import fold

DESCRIPTION_PATH = b"/.well-known/gs1resolver"
LINKSET_JSON = "application/linkset+json"
_LINKSET_TEXT = "application/linkset"
_MEDIA = (LINKSET_JSON, "application/json", "application/ld+json", _LINKSET_TEXT, "text/html")
_DESCRIBED_KEYS = tuple(key for key in PRIMARY_KEYS if key != "416")
"""The schema of the description file names no 416."""
_CONTEXT = (
    b'<https://ref.gs1.org/standards/resolver/linkset-context>; rel="http://www.w3.org/ns/json-ld#context"; '
    b'type="application/ld+json"'
)
_OPEN: Headers = (
    (b"Access-Control-Allow-Methods", b"GET, HEAD, OPTIONS"),
    (b"Access-Control-Expose-Headers", b"Link, Content-Length"),
    (b"Vary", b"Accept, Accept-Language"),
)
_HOST = re.compile(rb"[A-Za-z0-9.\-]{1,253}(:\d{1,5})?|\[[0-9A-Fa-f:.]{2,45}\](:\d{1,5})?")
_STATUS = {Code.OPERATION_NOT_SUPPORTED: 501}

Context = tuple[str, tuple[Link, ...], str]
"""Anchor, links and description of one level of a path."""


@dataclass(frozen=True, slots=True)
class ResolverName:
    """How the resolver introduces itself: its ``root`` URI (empty: as the client addressed it), name and contact."""

    root: str = ""
    name: str = "Xinji identifier node"
    contact: str = ""


@dataclass(frozen=True, slots=True)
class DigitalLinkFace:
    """The resolver over a view of the store."""

    view: View
    name: ResolverName

    def face(self) -> Face:
        """Return the face; it takes every path that no other face has."""
        return Face((b"/",), self.answer, self.refuse)

    def refuse(self, status: int, message: str) -> Response:
        """Return a refusal as RFC 9457 has it; the resolver standard asks for the status alone."""
        return problem(status, message)._replace(headers=_OPEN)

    def answer(self, request: Request) -> Response:
        """Answer a GS1 Digital Link request."""
        if request.method not in (b"GET", b"HEAD"):
            return self.refuse(405, "a resolver is read by GET")._replace(headers=(*_OPEN, (b"Allow", b"GET, HEAD")))
        if request.path.rstrip(b"/") == DESCRIPTION_PATH:
            return Response(200, write_json(self._description(request)), headers=_OPEN)
        try:
            link = parse(request.path, request.query)
            return self._resolve(request, link)
        except IdentifierError as error:
            status = 400 if names_gs1(request.path) or request.path != b"/" else 404
            return self.refuse(_STATUS.get(error.code, status), said(error))

    def _resolve(self, request: Request, link: DigitalLink) -> Response:
        root = self._root(request)
        contexts = self._contexts(link, root)
        if not contexts:
            return self.refuse(404, "nothing is registered under this key")
        asked = link.first("linkType")
        accepted = request.headers.get(b"accept", b"")
        if asked in {LINKSET, "all"} or (not asked and _wants_linkset(accepted)):
            return self._linkset(accepted, contexts, link, root)
        links = _nearest(contexts)
        relation = relation_of(asked) if asked else ""
        found = choose(links, relation, _wanted(request, link))
        if len(found) == 1:
            return self._redirect(found[0], link, root)
        if found:
            return self._several(found, accepted)
        if relation:
            return self.refuse(404, "there is no link of this type here")
        # Without a default link the linkset is the default, as the description file says.
        return self._linkset(accepted, contexts, link, root)

    def _contexts(self, link: DigitalLink, root: str) -> tuple[Context, ...]:
        """Return what is registered for each level of the path, the most particular first."""
        found: list[Context] = []
        for level in link.levels:
            handle = handle_of(level)
            key = fold(handle)
            values = self.view.values(key)
            # Handles are equal in either case, values of GS1 keys are not.
            if values is not None and self.view.spelling(key) == handle:
                links, description = links_of(values)
                found.append((root + link.stem + uri_path(level), links, description))
        return tuple(found)

    def _redirect(self, found: Link, link: DigitalLink, root: str) -> Response:
        target = found.href
        if link.query and found.forwards:
            target = _with_query(target, link.query)
        linkset = f'<{root}{link.stem}{link.uri_path}?linkType={LINKSET}>; rel="{LINKSET}"; type="{LINKSET_JSON}"'
        headers = (*_OPEN, (b"Location", target.encode("ascii")), (b"Link", linkset.encode("ascii")))
        return Response(307, b"", b"", headers)

    def _several(self, found: tuple[Link, ...], accepted: bytes) -> Response:
        if best_media(accepted, ("application/json", "text/html")) == "text/html":
            return Response(300, _page(found), b"text/html;charset=UTF-8", _OPEN)
        entries: list[Json] = [link_json(link) for link in found]
        return Response(300, write_json({found[0].relation: entries}), headers=_OPEN)

    def _linkset(self, accepted: bytes, contexts: tuple[Context, ...], link: DigitalLink, root: str) -> Response:
        media = best_media(accepted, _MEDIA) or LINKSET_JSON
        canonical = f'<{root}{link.stem}{link.uri_path}>; rel="canonical"'.encode("ascii")
        headers = (*_OPEN, (b"Link", _CONTEXT + b", " + canonical))
        if media == "text/html":
            page = _page(tuple(item for _, links, _ in contexts for item in links))
            return Response(200, page, b"text/html;charset=UTF-8", headers)
        if media == _LINKSET_TEXT:
            return Response(
                200, linkset_text(contexts).encode("utf-8", "replace"), _LINKSET_TEXT.encode("ascii"), headers
            )
        return Response(200, write_json(linkset_json(contexts)), media.encode("ascii"), headers)

    def _root(self, request: Request) -> str:
        if self.name.root:
            return self.name.root.rstrip("/")
        host = request.headers.get(b"host", b"")
        if not _HOST.fullmatch(host):
            host = b"localhost"
        scheme = "https" if request.client.tls else "http"
        return f"{scheme}://{host.decode('ascii')}"

    def _description(self, request: Request) -> dict[str, Json]:
        return {
            "name": self.name.name,
            "resolverRoot": self._root(request),
            "supportedPrimaryKeys": list(_DESCRIBED_KEYS),
            "supportedLinkType": [{"namespace": VOCABULARY, "prefix": CURIE}],
            "linkTypeDefaultCanBeLinkset": True,
            "contact": {"fn": self.name.contact or self.name.name},
        }


def _wants_linkset(accepted: bytes) -> bool:
    """Return whether a linkset is what ``accepted`` (an Accept header) names before anything else."""
    named = [wish for wish in wishes(accepted) if wish.weight > 0]
    return bool(named) and named[0].range in {LINKSET_JSON, _LINKSET_TEXT}


def _nearest(contexts: tuple[Context, ...]) -> tuple[Link, ...]:
    """Return the links of all levels; a link type counts at the most particular level that has it."""
    found: list[Link] = []
    known: set[str] = set()
    for _, links, _ in contexts:
        found += [link for link in links if link.relation not in known]
        known |= {link.relation for link in links}
    return tuple(found)


def _wanted(request: Request, link: DigitalLink) -> Wanted:
    media, language = link.first("mediaType"), link.first("lang")
    asked = wishes(request.headers.get(b"accept", b""))
    return Wanted(
        (Wish(media.lower(), 1.0),) if media else tuple(wish for wish in asked if wish.range != "*/*"),
        (Wish(language.lower(), 1.0),) if language else wishes(request.headers.get(b"accept-language", b"")),
        link.first("context"),
    )


def _with_query(target: str, query: str) -> str:
    address, mark, fragment = target.partition("#")
    return f"{address}{'&' if '?' in address else '?'}{query}{mark}{fragment}"


def _page(links: tuple[Link, ...]) -> bytes:
    """Return a page that lists ``links``."""
    rows = "".join(
        f'<li><a href="{html.escape(link.href)}"'
        + (f' hreflang="{html.escape(link.languages[0])}"' if link.languages else "")
        + f">{html.escape(link.title or link.href)}</a> ({html.escape(link.relation.removeprefix(VOCABULARY))})</li>"
        for link in links
    )
    return f'<!DOCTYPE html><html lang="en"><title>Links</title><ul>{rows}</ul></html>'.encode("utf-8", "replace")
