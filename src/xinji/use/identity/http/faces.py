"""All HTTP faces of one node, put together."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from xinji.use.identity.certificates import Tokens
from xinji.use.identity.http.digital_link import DigitalLinkFace, ResolverName
from xinji.use.identity.http.doip import DoipFace
from xinji.use.identity.http.handles import Elsewhere, HandlesFace
from xinji.use.identity.http.login import Login
from xinji.use.identity.http.message import Face
from xinji.use.identity.http.sessions import Sessions
from xinji.use.identity.http.sessions_face import SessionsFace
from xinji.use.identity.http.site import Site
from xinji.use.identity.http.view import View
from xinji.use.identity.limits import WRONG_PROOFS, Allowance, RateLimiter
from xinji.use.identity.node import Node
from xinji.use.identity.replica_feed import ReplicaFeed
from xinji.use.identity.secondary import SecondaryFace
from xinji.use.identity.secondary_doip import SecondaryDoipFace


@dataclass(frozen=True, slots=True)
class SiteSettings:
    """What the HTTP faces of a node are told.

    ``service`` is the identifier of the node itself (DOIP), ``resolver`` how it introduces itself as a GS1
    resolver, ``accounts`` which identity (index:handle) each user name of an application stands for, ``failures``
    how many wrong credentials a network may offer, ``elsewhere`` who is asked for handles of other nodes.
    """

    service: str = "0.DOIP/service"
    resolver: ResolverName = field(default_factory=ResolverName)
    accounts: Mapping[str, str] = field(default_factory=dict)
    failures: Allowance = WRONG_PROOFS
    elsewhere: Elsewhere | None = None


def site(node: Node, settings: SiteSettings | None = None, *, more: tuple[Face, ...] = ()) -> Site:
    """Return all HTTP faces of ``node`` as one site; ``more`` faces come after these and before the resolver."""
    chosen = SiteSettings() if settings is None else settings
    view = View(node.store)
    tokens = Tokens()
    login = Login(
        find=lambda handle: node.store.record(handle, private=True),
        sessions=Sessions(),
        bearer=lambda token: tokens.read(token, now_s=int(time.time())),
        failures=RateLimiter(chosen.failures),
    )
    faces = (
        HandlesFace(node, view, login, chosen.elsewhere).face(),
        SecondaryDoipFace(node, login, tokens).face(),
        SessionsFace(login).face(),
        SecondaryFace(node, login, tokens, chosen.accounts).face(),
        DoipFace(node, login, chosen.service).face(),
        ReplicaFeed(node, login).face(),
        *more,
        DigitalLinkFace(view, chosen.resolver).face(),
    )
    return Site(faces, view.refresh, view.rest)
