"""Answers for what other nodes serve: asked of them once, kept, and given to all who ask meanwhile."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from concurrent.futures import Future

from xinji.use.identity.cache import RecordCache, chosen, is_absence
from xinji.use.identity.doirp.bodies import Elements, Query
from xinji.use.identity.doirp.codes import OpFlag, ResponseCode
from xinji.use.identity.doirp.operations import REFERRALS, resolve
from xinji.use.identity.doirp.service import Ask, Handler, Outcome, Pending, Service, Step, failed
from xinji.use.identity.errors import Code, IdentifierError, refuse
from xinji.use.identity.http.handles import Elsewhere
from xinji.use.identity.names import fold
from xinji.use.identity.record import Record

MOST_ASKED = 256
"""Handles that other nodes are asked for at once."""

SHARE = 4
"""No prefix takes more than one in so many of these places: whose nodes are silent holds up its own handles alone."""

DEADLINE_S = 15.0
"""Longest that one handle may take [s], over all nodes that are asked for it."""

Fetch = Callable[[str], Awaitable[Record]]
"""Returns the public record of a handle from the node that serves it; raises IdentifierError."""

ELSEWHERE = (*REFERRALS, ResponseCode.SERVER_NOT_RESP)
"""Answers of a node that does not serve a handle itself."""


class CachingResolver:
    """Resolves through ``fetch`` and keeps what it answers in ``cache``; for one event loop."""

    def __init__(
        self, fetch: Fetch, cache: RecordCache, *, most_asked: int = MOST_ASKED, deadline_s: float = DEADLINE_S
    ) -> None:
        self.cache = cache
        self._fetch = fetch
        self._most_asked = most_asked
        self._deadline_s = deadline_s
        self._prefixes: Counter[bytes] = Counter()
        self._asking: dict[bytes, asyncio.Task[Record]] = {}

    async def resolve(self, handle: str, *, types: tuple[str, ...] = (), indexes: tuple[int, ...] = ()) -> Record:
        """Return the public values of ``handle`` that are asked for.

        Raises IdentifierError: what the responsible node says, or SERVER_BUSY where too many are being asked.
        """
        record = self.cache.find(handle)
        if record is None:
            record = await self._asked(handle)
        return chosen(record, types, indexes)

    async def _asked(self, handle: str) -> Record:
        """Ask, or wait with those who asked already."""
        key = fold(handle)
        task = self._asking.get(key)
        if task is None:
            prefix = key.partition(b"/")[0]
            if len(self._asking) >= self._most_asked or self._prefixes[prefix] * SHARE >= self._most_asked:
                message = "too many other handles are being asked for"
                raise refuse(Code.SERVER_BUSY, handle, message, "Ask again in a moment.")
            task = asyncio.create_task(self._ask(handle))
            self._asking[key] = task
            self._prefixes[prefix] += 1
            task.add_done_callback(lambda done: self._answered(key, done))
        # Who goes away must not take the answer from those who wait too.
        return await asyncio.shield(task)

    async def _ask(self, handle: str) -> Record:
        try:
            async with asyncio.timeout(self._deadline_s):
                record = await self._fetch(handle)
        except TimeoutError:
            message = f"the nodes that serve it have not answered within {self._deadline_s:g} s"
            raise refuse(Code.SERVER_BUSY, handle, message, "Ask again later.") from None
        except IdentifierError as error:
            if is_absence(error):
                self.cache.keep_absent(handle)
            raise
        self.cache.keep(handle, record)
        return record

    def _answered(self, key: bytes, task: asyncio.Task[Record]) -> None:
        self._asking.pop(key, None)
        prefix = key.partition(b"/")[0]
        self._prefixes[prefix] -= 1
        if not self._prefixes[prefix]:
            del self._prefixes[prefix]
        if not task.cancelled():
            # Looked at, or asyncio logs it as forgotten where all who waited are gone.
            task.exception()


def elsewhere(resolver: CachingResolver) -> Elsewhere:
    """Return what the faces ask for handles of other nodes; to be called in the resolver's own event loop."""
    loop = asyncio.get_running_loop()

    async def asked(handle: str, types: tuple[str, ...], indexes: tuple[int, ...]) -> Record | None:
        return await resolver.resolve(handle, types=types, indexes=indexes)

    def ask(handle: str, types: tuple[str, ...], indexes: tuple[int, ...]) -> Future[Record | None]:
        return asyncio.run_coroutine_threadsafe(asked(handle, types, indexes), loop)

    return ask


def recursive(ask_elsewhere: Elsewhere) -> Handler:
    """Return the handler of a resolution that asks other nodes for a client who wants that (flag REC).

    Who wants the authoritative answer (flag AT) is told whom to ask. Source: RFC 3652 sections 2.2.2.3, 3.2.
    """

    def handle(service: Service, ask: Ask) -> Step:
        step = resolve(service, ask)
        flags = ask.message.header.flags
        wanted = flags & OpFlag.REC and not flags & OpFlag.AT
        if not wanted or not isinstance(step, Outcome) or step.code not in ELSEWHERE:
            return step
        query = ask.body
        if not isinstance(query, Query):
            return step
        future = ask_elsewhere(query.handle, query.types, query.indexes)

        def then() -> Step:
            record = future.result()
            if record is None:
                return failed(ResponseCode.ID_NOT_FOUND)
            return Outcome(ResponseCode.SUCCESS, Elements(query.handle, record.values), authoritative=False)

        return Pending(future, then)

    return handle
