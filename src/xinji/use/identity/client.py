"""A resolver that finds the responsible server from a root by service records and referrals.

Source: RFC 3652, sections 3.1 (bootstrapping), 3.2 (query) and 3.4 (service referral).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from xinji.use.identity.client_link import Address, Answered, Asked, Identity, ask, succeeded
from xinji.use.identity.doirp.bodies import Body, Elements, Query, Referral
from xinji.use.identity.doirp.codes import OpCode, OpFlag, ResponseCode
from xinji.use.identity.doirp.message import Header
from xinji.use.identity.errors import Code, IdentifierError, refuse
from xinji.use.identity.names import ancestors, check_handle, fold, prefix_handle, prefix_of
from xinji.use.identity.record import Record, Value
from xinji.use.identity.value_data import (
    SERV,
    SERVICE_ADMIN,
    SERVICE_QUERY,
    SITE,
    SITE_PREFIX,
    TCP,
    UDP,
    Site,
    decode_site,
    server_of,
)

MOST_HOPS = 10
"""Referrals and service handles followed for one request before a loop is assumed."""

MOST_SITES = 4
"""Sites of a service asked one after the other: hundreds that are silent could hold a request for hours."""

MOST_SERVICES = 10_000
"""Prefixes whose services are remembered."""

SERVICE_TYPES = (SITE, SERV, SITE_PREFIX)

REFERRALS = (ResponseCode.SERVICE_REFERRAL, ResponseCode.PREFIX_REFERRAL)


@dataclass(frozen=True, slots=True)
class ResolverOptions:
    """How to resolve: over UDP where a server offers it, with signed answers, within ``timeout_s`` for each hop.

    What is known of services is kept for ``keep_s`` at most [s].
    """

    udp: bool = False
    certified: bool = False
    timeout_s: float = 5.0
    keep_s: float = 3_600.0


@dataclass(slots=True)
class Resolver:
    """Resolves from ``roots``, the sites of the root service; remembers the services of prefixes."""

    roots: tuple[Site, ...]
    options: ResolverOptions = field(default_factory=ResolverOptions)
    clock: Callable[[], float] = time.monotonic
    services: dict[str, tuple[float, tuple[Site, ...]]] = field(default_factory=dict)

    async def resolve(
        self,
        handle: str,
        *,
        types: tuple[str, ...] = (),
        indexes: tuple[int, ...] = (),
        identity: Identity | None = None,
    ) -> Record:
        """Return the record of ``handle`` with the values that are asked for and may be read by ``identity``.

        Raises IdentifierError: with the code of the server that refuses, or NOT_RESPONSIBLE where none is found.
        """
        check_handle(handle)
        body = succeeded(await self.ask(OpCode.RESOLUTION, Query(handle, indexes, types), identity=identity), handle)
        if not isinstance(body, Elements):
            raise refuse(Code.ERROR, handle, "the answer holds no values", "Ask another server.")
        return Record(body.handle, body.values)

    async def ask(self, op: int, body: Body, *, identity: Identity | None = None) -> Answered:
        """Return the answer of the server that is responsible for the handle in ``body`` to the operation ``op``."""
        handle = str(getattr(body, "handle", ""))
        sites = await self.sites_of(prefix_of(handle))
        for _ in range(MOST_HOPS):
            answered = await self._try(sites, handle, op, body, identity)
            if answered.code not in REFERRALS or not isinstance(answered.body, Referral):
                return answered
            sites = await self._referred(answered.body)
        raise _lost(handle, f"{MOST_HOPS} referrals were followed")

    async def sites_of(self, prefix: str) -> tuple[Site, ...]:
        """Return the sites that serve ``prefix``; raises IdentifierError where none do."""
        if prefix.upper() == "0.NA" or not prefix:
            return self.roots
        known = self.services.get(prefix.upper())
        if known is not None and known[0] > self.clock():
            return known[1]
        sites, keep_s = await self._locate(prefix)
        if len(self.services) >= MOST_SERVICES:
            self.services.clear()
        self.services[prefix.upper()] = (self.clock() + min(keep_s, self.options.keep_s), sites)
        return sites

    async def _locate(self, prefix: str) -> tuple[tuple[Site, ...], float]:
        for own in ancestors(prefix):
            values = await self._service_values(prefix_handle(own))
            # What an ancestor says of its own records does not hold for the prefixes below it.
            kinds = (SITE, SERV) if own == prefix else (SITE_PREFIX,)
            chosen = [value for value in values if value.type in kinds]
            if chosen:
                keep_s = min(self._ttl_s(value) for value in chosen)
                return await self._sites(tuple(chosen)), keep_s
        # A root that holds no record of the prefix may still serve it, or know who does.
        return self.roots, self.options.keep_s

    def _ttl_s(self, value: Value) -> float:
        return max(value.ttl_s - time.time(), 0.0) if value.ttl_absolute else float(value.ttl_s)

    async def _service_values(self, handle: str) -> tuple[Value, ...]:
        """Return the service values of ``handle``, asking from the roots on; none where it does not exist."""
        query, sites = Query(handle, (), SERVICE_TYPES), self.roots
        for _ in range(MOST_HOPS):
            answered = await self._try(sites, handle, OpCode.RESOLUTION, query, None)
            if isinstance(answered.body, Referral) and answered.code in REFERRALS:
                sites = await self._referred(answered.body)
                continue
            found = answered.code == ResponseCode.SUCCESS and isinstance(answered.body, Elements)
            return answered.body.values if found and isinstance(answered.body, Elements) else ()
        raise _lost(handle, f"{MOST_HOPS} referrals were followed")

    async def _referred(self, referral: Referral) -> tuple[Site, ...]:
        if referral.handle.upper() == "0.NA/0.NA":
            # RFC 3652, section 3.4: one's own copy of the root's service information, always.
            return self.roots
        values = referral.values or await self._service_values(referral.handle)
        return await self._sites(values)

    async def _sites(self, values: tuple[Value, ...], hops: int = MOST_HOPS) -> tuple[Site, ...]:
        """Return the sites in ``values``, following service handles."""
        sites = tuple(decode_site(value.data) for value in values if value.type in (SITE, SITE_PREFIX))
        if sites:
            return sites
        for value in values:
            if value.type == SERV and hops:
                return await self._sites(await self._service_values(value.text), hops - 1)
        raise _lost("service", "no site is named")

    async def _try(
        self, sites: tuple[Site, ...], handle: str, op: int, body: Body, identity: Identity | None
    ) -> Answered:
        """Ask one site after the other until one answers."""
        query = op == OpCode.RESOLUTION
        flags = OpFlag.PO if query and identity is None else 0
        failure = _lost(handle, "no server offers what is needed")
        for site in sorted(sites, key=lambda site: not site.primary)[:MOST_SITES]:
            if not query and not site.primary:
                continue
            address = self._address(site, handle, SERVICE_QUERY if query else SERVICE_ADMIN)
            if address is None:
                continue
            header = Header(op, flags=flags, site_serial=site.serial)
            asked = Asked(header, body, identity, self.options.certified, self.options.timeout_s)
            try:
                return await ask(address, asked)
            except IdentifierError as error:
                failure = error
        raise failure

    def _address(self, site: Site, handle: str, service: int) -> Address | None:
        """Return where the server of ``site`` that is responsible for ``handle`` offers ``service``."""
        if not site.servers:
            return None
        server = server_of(site, fold(handle))
        offered = [i for i in server.interfaces if i.service & service and i.protocol in (UDP, TCP)]
        if not offered:
            return None
        wanted = UDP if self.options.udp else TCP
        chosen = next((i for i in offered if i.protocol == wanted), offered[0])
        return Address(server.address, chosen.port, chosen.protocol == UDP, server.public_key)


def _lost(place: str, message: str) -> IdentifierError:
    return refuse(Code.NOT_RESPONSIBLE, place, message, "Check the root's address and the prefix's service record.")


async def resolve_at(address: Address, handle: str, *, certified: bool = False) -> Record:
    """Return the record of ``handle`` as the one server at ``address`` answers it; raises IdentifierError."""
    asked = Asked(Header(OpCode.RESOLUTION, flags=OpFlag.PO), Query(check_handle(handle)), certified=certified)
    body = succeeded(await ask(address, asked), handle)
    if not isinstance(body, Elements):
        raise refuse(Code.ERROR, handle, "the answer holds no values", "Ask another server.")
    return Record(body.handle, body.values)


async def administer(address: Address, op: int, body: Body, identity: Identity) -> Body:
    """Have the server at ``address`` carry out ``op`` on ``body`` for ``identity``; raises IdentifierError."""
    asked = Asked(Header(op, flags=OpFlag.AT), body, identity)
    return succeeded(await ask(address, asked), str(getattr(body, "handle", "")))
