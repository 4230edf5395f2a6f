"""A face's view of the store: one snapshot for requests that came together, let go when nothing comes."""

from __future__ import annotations

from xinji.use.identity.record import Value, decode_values
from xinji.use.identity.store import Reader, Store
from xinji.use.identity.wire import Cursor


class View:
    """Public values as of the last `refresh`; one thread uses it."""

    __slots__ = ("_awake", "_reader", "body")

    def __init__(self, store: Store) -> None:
        self._reader: Reader = store.reader()
        self._awake = True
        self.body = self._reader.body
        """Returns count and public values (encoded) by folded handle, None where nothing is registered."""

    def refresh(self) -> None:
        """See the newest commit."""
        self._reader.refresh()
        self._awake = True

    def rest(self) -> None:
        """Let go of the snapshot until the next `refresh`."""
        if self._awake:
            self._awake = False
            self._reader.rest()

    def values(self, key: bytes) -> tuple[Value, ...] | None:
        """Return the public values under the folded handle ``key``, None where nothing is registered."""
        body = self.body(key)
        return None if body is None else decode_values(Cursor(body))

    def spelling(self, key: bytes) -> str:
        """Return the handle of folded ``key`` as it was registered, empty where nothing is."""
        found = self._reader.find(key)
        return "" if found is None else found.handle
