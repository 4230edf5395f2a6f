"""The writing side of the store: a thread that commits waiting changes together."""

from __future__ import annotations

import queue
import threading
import time
from collections import Counter
from concurrent.futures import Future

import lmdb

from xinji.errors import OutputError
from xinji.use.identity import store_log
from xinji.use.identity.changes import Change, apply_change
from xinji.use.identity.entry import HAS_PRIVATE, Times, body_of, encode_entry, flags_of, spelling_of, times_of
from xinji.use.identity.errors import IdentifierError
from xinji.use.identity.names import check_handle, fold
from xinji.use.identity.record import Record, decode_values
from xinji.use.identity.shape_table import RAW
from xinji.use.identity.shapes import Kind, kind_of, learn
from xinji.use.identity.store_tables import Layout, Transaction
from xinji.use.identity.wire import Cursor

MOST_TOGETHER = 2_000
"""Most changes in one transaction."""

LEARN_AFTER = 64
"""Records of one kind that are written raw before the kind gets a shape."""

KINDS_WATCHED = 10_000

Waiting = tuple[Change, "Future[Record | None]"]
Outcome = Record | IdentifierError | None


class Writer:
    """A thread that takes the changes that wait, makes them in one transaction and then answers for them all."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._queue: queue.SimpleQueue[Waiting | None] = queue.SimpleQueue()
        self._unshaped = Counter[Kind]()
        self._stopped = False
        self._thread = threading.Thread(target=self._run, name="identifier store", daemon=True)
        self._thread.start()

    def submit(self, change: Change) -> Future[Record | None]:
        """Queue ``change`` and return where its outcome will be."""
        future: Future[Record | None] = Future()
        if self._stopped:
            raise OutputError("the store no longer takes changes: it was closed, or its disk failed")
        self._queue.put((change, future))
        return future

    def stop(self) -> None:
        """Finish what waits and end the thread."""
        self._stopped = True
        self._queue.put(None)
        self._thread.join()

    def _run(self) -> None:
        batch: list[Waiting] = []
        try:
            while True:
                batch, last = self._take()
                if batch:
                    self._commit(batch)
                    batch = []
                if last:
                    return
        finally:
            self._stopped = True
            while not self._queue.empty():
                waiting = self._queue.get()
                batch += [waiting] if waiting is not None else []
            for _, future in batch:
                if not future.done():
                    future.set_exception(OutputError("the store stopped before the change was made"))

    def _take(self) -> tuple[list[Waiting], bool]:
        batch: list[Waiting] = []
        waiting = self._queue.get()
        while waiting is not None:
            batch.append(waiting)
            if len(batch) == MOST_TOGETHER or self._queue.empty():
                return batch, False
            waiting = self._queue.get()
        return batch, True

    def _commit(self, batch: list[Waiting]) -> None:
        layout, known = self._layout, len(self._layout.shapes)
        live = [(change, future) for change, future in batch if future.set_running_or_notify_cancel()]
        try:
            with layout.environment.begin(write=True) as txn:
                layout.learn_shapes(txn)
                deltas = Counter[bytes]()
                outcomes = [self._make(txn, change, deltas) for change, _ in live]
                layout.tables.tally(txn, deltas)
                if layout.log is not None:
                    made = zip(live, outcomes, strict=True)
                    keys = [fold(change.handle) for (change, _), was in made if not isinstance(was, IdentifierError)]
                    store_log.append(txn, layout.log, keys)
        except lmdb.Error as error:
            layout.forget_shapes(known)
            for _, future in live:
                future.set_exception(OutputError(f"the store could not be written: {error}"))
            return
        for (_, future), outcome in zip(live, outcomes, strict=True):
            if isinstance(outcome, IdentifierError):
                future.set_exception(outcome)
            else:
                future.set_result(outcome)

    def _make(self, txn: Transaction[bytes], change: Change, deltas: Counter[bytes]) -> Outcome:
        try:
            key = fold(check_handle(change.handle))
            before, times = self._stands(txn, key)
            now_s = int(time.time())
            after = apply_change(before, change, now_s)
            times = Times(times.created_s if times else now_s, now_s)
            entry = encode_entry(after, times, self._layout.shapes) if after is not None else None
        except IdentifierError as error:
            return error
        tables = self._layout.tables
        if after is None or entry is None:
            txn.delete(key, db=tables.records)
            txn.delete(key, db=tables.private)
        else:
            txn.put(key, entry.public, db=tables.records)
            if entry.private:
                txn.put(key, entry.private, db=tables.private)
            elif before is not None:
                txn.delete(key, db=tables.private)
            if entry.public[:2] == RAW:
                self._watch(txn, after)
        deltas[key.partition(b"/")[0]] += (after is not None) - (before is not None)
        return after

    def _stands(self, txn: Transaction[bytes], key: bytes) -> tuple[Record | None, Times | None]:
        layout = self._layout
        entry = txn.get(key, db=layout.tables.records)
        if entry is None:
            return None, None
        values = decode_values(Cursor(body_of(entry, layout.shapes.expanders)))
        if flags_of(entry) & HAS_PRIVATE:
            values += decode_values(Cursor(txn.get(key, b"", db=layout.tables.private)))
        return Record(spelling_of(key, entry), values), times_of(entry)

    def _watch(self, txn: Transaction[bytes], record: Record) -> None:
        public = [value for value in record.values if value.public]
        kind = kind_of(public)
        if not public or self._layout.shapes.knows(kind):
            return
        self._unshaped[kind] += 1
        if self._unshaped[kind] >= LEARN_AFTER:
            self._layout.add_shapes(txn, learn([public]))
            del self._unshaped[kind]
        elif len(self._unshaped) > KINDS_WATCHED:
            # Records of ever new kinds share nothing worth keeping.
            self._unshaped.clear()
