"""Where a ledger's events lie: a SQLite file, or PostgreSQL for a team; guards and files beside it know SQL, no others.

Both keep the same table, refuse by triggers to change or delete an event, and let one writer in at a
time: SQLite by BEGIN IMMEDIATE on a write-ahead log, PostgreSQL by an advisory lock. That needs no
privilege beyond SELECT and INSERT, where a lock of the table needs those to change and delete what is in it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import URL, Connection, Engine, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from xinji.build.chain import GENESIS
from xinji.build.event import KINDS, Record
from xinji.build.store_files import APPLICATION, made_file, require_ledger, take_away
from xinji.build.store_guards import QUERIES, guard_faults
from xinji.errors import Fault, InputError, OutputError

VERSION = "0003"
"""Version of the database that this code reads and writes."""

WAIT_S = 60
"""How long a writer waits for another before it gives up [s]."""

_AT_ONCE = 400
"""Names in one look-up; databases limit the variables of a statement."""

_REFUSALS = (SQLAlchemyError, UnicodeDecodeError)
"""What a database raises; Python's driver stumbles over its own message where that quotes damaged text."""

_TABLE = sa.table("event", *(sa.column(name) for name in Record._fields))
_LOCK = "SELECT pg_advisory_xact_lock(:ledger, 'event'::regclass::oid::int)"
"""Held until the transaction ends; the table's own number keeps the ledgers of one database apart."""


_SHOWN = ("host", "hostaddr", "port", "dbname", "user", "options", "sslmode", "connect_timeout")
"""Settings in a URL of PostgreSQL that are no secret."""


class ConflictError(InputError):
    """Someone else changed the same facility or project since the caller last looked."""


@dataclass(frozen=True, slots=True)
class Filter:
    """Which events to read: all that every given limit lets through.

    ``first`` and ``last`` are numbers (``last`` 0: no end), ``since`` and ``until`` days, all inclusive.
    """

    kinds: tuple[str, ...] = ()
    facility: str = ""
    project: str = ""
    first: int = 1
    last: int = 0
    since: str = ""
    until: str = ""


class Last(NamedTuple):
    """Number, hash and moment of recording of the last event; that of an empty ledger is 0."""

    number: int
    hash: str
    recorded: str


_EMPTY = Last(0, GENESIS, "")


@dataclass(frozen=True, slots=True)
class Store:
    """An open store of events; ``place`` names it without its password, ``made`` is the file made for it, if any."""

    place: str
    engine: Engine
    made: Path | None = None

    def close(self) -> None:
        """Let go of the database."""
        self.engine.dispose()

    def discard(self) -> None:
        """Let go of the database, and take away the file that was made for it while nothing is recorded in it."""
        if self.made is not None:
            with suppress(OutputError), self.writing() as writer:
                if writer.last() == _EMPTY:
                    take_away(self.made)
        self.close()

    def last(self) -> Last:
        """Return the last event's number, hash and moment of recording."""
        with self._reading() as connection:
            return _last(connection)

    def records(self, wanted: Filter) -> list[Record]:
        """Return the records that ``wanted`` lets through, in order of their numbers.

        Raises InputError if the database cannot be read.
        """
        with self._reading() as connection:
            return _records(connection, _where(wanted))

    @contextmanager
    def writing(self) -> Iterator[Writer]:
        """Let the caller in as the only writer; what it inserts is kept when it leaves without an error.

        Raises OutputError if another writer stays too long or the database fails; then nothing is kept.
        """
        try:
            with _begun(self.engine, write=True) as connection:
                if self.engine.dialect.name == "postgresql":
                    connection.execute(sa.text(_LOCK), {"ledger": APPLICATION})
                yield Writer(connection)
        except _REFUSALS as error:
            raise OutputError(f"{self.place}: {_reason(error)}. Nothing was recorded.") from error

    def guards(self) -> tuple[str, ...]:
        """Return what of the database's own protection is missing or damaged, in words."""
        with self._reading() as connection:
            damage: list[str] = []
            if self.engine.dialect.name == "sqlite":
                checked = connection.execute(sa.text("PRAGMA integrity_check(5)")).scalars()
                damage = [f"the file is damaged: {line}" for line in checked if line != "ok"]
            dialect = self.engine.dialect.name
            rows = connection.execute(sa.text(QUERIES[dialect])).all()
            return (*guard_faults(dialect, rows), *damage)

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        try:
            with _begun(self.engine, write=False) as connection:
                yield connection
        except _REFUSALS as error:
            message = f"{self.place} cannot be read: {_reason(error)}"
            raise InputError([Fault("ledger", message, "Restore the ledger from a backup.")]) from error


@dataclass(frozen=True, slots=True)
class Writer:
    """What the only writer may do."""

    connection: Connection

    def last(self) -> Last:
        """Return the last event's number, hash and moment of recording."""
        return _last(self.connection)

    def hash_of(self, number: int) -> str:
        """Return the hash of event ``number``, empty if there is none; that of 0 comes before the first."""
        if number == 0:
            return GENESIS
        found = self.connection.execute(sa.select(_TABLE.c.hash).where(_TABLE.c.number == number)).scalar()
        return str(found or "")

    def about(self, facilities: Collection[str], projects: Collection[str], *, after: int = 0) -> list[Record]:
        """Return the records about any of these with numbers beyond ``after``, in order of their numbers."""
        found: dict[int, Record] = {}
        for column, names in ((_TABLE.c.facility, facilities), (_TABLE.c.project, projects)):
            left = iter(sorted(names))
            while some := list(islice(left, _AT_ONCE)):
                rows = _records(self.connection, [column.in_(some), _TABLE.c.number > after])
                found.update((row.number, row) for row in rows)
        return [found[number] for number in sorted(found)]

    def general(self) -> list[Record]:
        """Return the records about no facility and no project, in order of their numbers."""
        return _records(self.connection, [_TABLE.c.facility == "", _TABLE.c.project == ""])

    def of_kinds(self, *wanted: str) -> list[Record]:
        """Return the records of the kinds ``wanted``, in order of their numbers."""
        return _records(self.connection, _where(Filter(kinds=wanted)))

    def insert(self, records: Sequence[Record]) -> None:
        """Append ``records``, whose numbers follow the last."""
        if self.connection.dialect.name == "postgresql":
            self._copy(records)
        else:
            self.connection.execute(sa.insert(_TABLE), [record._asdict() for record in records])

    def _copy(self, records: Sequence[Record]) -> None:
        """Append ``records`` by PostgreSQL's own way for many rows, which takes a third of the time of INSERT."""
        dialect, driver = self.connection.dialect, self.connection.connection.driver_connection
        if dialect.dbapi is None or driver is None:
            raise OutputError("the connection to PostgreSQL is closed. Nothing was recorded.")
        statement = f"COPY event ({', '.join(Record._fields)}) FROM STDIN"
        try:
            with driver.cursor() as cursor, cursor.copy(statement) as rows:
                for record in records:
                    rows.write_row(record)
        except dialect.dbapi.Error as error:
            raise DBAPIError(statement, None, error) from error


def open_store(place: str | Path, *, create: bool) -> Store:
    """Return the store at ``place``: a path, or a URL of SQLite or PostgreSQL.

    An older database is brought to this version. With ``create`` a new one is made, and one that holds
    events is refused. Raises InputError in plain words if there is none, it is newer, or is no ledger.
    """
    url = _url(place)
    _check_file(url, create=create)
    file = Path(str(url.database))
    made = create and url.drivername == "sqlite" and made_file(file)
    store = Store(_shown(url), _engine(url, create=create), file if made else None)
    try:
        _prepare(store, create=create)
    except _REFUSALS as error:
        store.discard()
        message = f"{store.place} cannot be opened: {_reason(error)}"
        raise InputError([Fault("ledger", message, "Name a ledger's file or a database that answers.")]) from error
    except InputError:
        store.discard()
        raise
    return store


def _prepare(store: Store, *, create: bool) -> None:
    """Bring the database of ``store`` to this version, or refuse it."""
    with _begun(store.engine, write=False) as connection:
        version = _version(connection)
    if version == VERSION and not create and store.last() != _EMPTY:
        return
    if version in (None, VERSION) and not create:
        remedy = "Make a ledger there with `Ledger.create`, or name another place."
        raise InputError([Fault("ledger", f"{store.place} holds no ledger", remedy)])
    if version is not None and not (version.isdecimal() and version <= VERSION):
        message = f"{store.place} has version {version}, and this Xinji knows versions up to {VERSION}"
        raise InputError([Fault("ledger", message, "Update Xinji to open it.")])
    if version != VERSION:
        _migrate(store.engine)
    if create and store.last() != _EMPTY:
        raise InputError([Fault("ledger", f"{store.place} holds a ledger already", "Open it, or name another place.")])


def _migrate(engine: Engine) -> None:
    # Loading the migrations takes longer than opening a ledger that needs none.
    from xinji.build.store_migrations import migrate  # noqa: PLC0415

    with _begun(engine, write=True) as connection:
        if engine.dialect.name == "postgresql":
            # There is no table to lock yet; the number is this ledger's own (application_id in SQLite).
            connection.execute(sa.text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": APPLICATION})
        else:
            connection.execute(sa.text(f"PRAGMA application_id = {APPLICATION}"))
        if _version(connection) != VERSION:
            migrate(connection, version=VERSION)


def _version(connection: Connection) -> str | None:
    """Return the version of the database, None if it holds no ledger."""
    if not sa.inspect(connection).has_table("alembic_version"):
        return None
    found = connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalars().all()
    return str(found[0]) if len(found) == 1 else None


def _url(place: str | Path) -> URL:
    """Return the URL of ``place``, with the driver that is used."""
    text = str(place)
    if isinstance(place, Path) or "://" not in text:
        return URL.create("sqlite", database=text)
    try:
        url = make_url(text)
    except ArgumentError:
        url = URL.create("unknown")
    drivers = {"sqlite": "sqlite", "postgresql": "postgresql+psycopg", "postgres": "postgresql+psycopg"}
    name = url.drivername.partition("+")[0]
    if name not in drivers or (name == "sqlite" and not url.database):
        remedy = "Give a file's path, sqlite:///PATH or postgresql://USER@HOST/DATABASE."
        raise InputError([Fault("ledger", "the place of the ledger is no URL that is known", remedy)])
    return url.set(drivername=drivers[name])


def shown_place(place: str | Path) -> str:
    """Return ``place`` of a ledger as it may be shown: without a password. Raises InputError if it is none."""
    return _shown(_url(place))


def _shown(url: URL) -> str:
    if url.drivername == "sqlite":
        return str(url.database)
    # A password may stand among the settings after the question mark, too, under more names than one.
    plain = {name: value for name, value in url.query.items() if name in _SHOWN}
    return url.set(drivername="postgresql", query=plain).render_as_string(hide_password=True)


def _check_file(url: URL, *, create: bool) -> None:
    """Raise InputError if ``url`` names a file that is there but should not be, or the other way round."""
    if url.drivername != "sqlite":
        return
    path = Path(str(url.database))
    if create and not path.parent.is_dir():
        raise InputError([Fault("ledger", f"there is no folder {path.parent}", "Make the folder first.")])
    if not create and not path.is_file():
        raise InputError([Fault("ledger", f"there is no file {path}", "Make a ledger there, or name another file.")])
    require_ledger(path, create=create, wait_s=WAIT_S)


def _engine(url: URL, *, create: bool) -> Engine:
    try:
        if url.drivername == "sqlite":
            arguments: dict[str, Any] = {"timeout": WAIT_S, "isolation_level": None, "uri": True}
            mode = "rwc" if create else "rw"
            file = Path(str(url.database)).absolute().as_uri()
            engine = sa.create_engine(
                "sqlite://", creator=lambda: sqlite3.connect(f"{file}?mode={mode}", **arguments), poolclass=NullPool
            )
            sa.event.listen(engine, "connect", _tune_sqlite)
            return engine
        return sa.create_engine(url, poolclass=NullPool, connect_args={"connect_timeout": 10})
    except (NoSuchModuleError, ModuleNotFoundError) as error:
        remedy = "Run `pip install xinji[team]`."
        raise InputError([Fault("ledger", "the driver for PostgreSQL is not installed", remedy)]) from error


def _tune_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    # FULL: what was recorded outlives a power cut, at one wait for the disk a batch.
    connection.execute("PRAGMA journal_mode = WAL").close()
    connection.execute("PRAGMA synchronous = FULL").close()


@contextmanager
def _begun(engine: Engine, *, write: bool) -> Iterator[Connection]:
    """Yield a connection in a transaction, which is kept if the caller leaves without an error."""
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            # Python's driver begins too late by itself: at the first change, not at the first look.
            connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")
        elif write:
            connection.execute(sa.text(f"SET LOCAL lock_timeout = '{WAIT_S}s'"))
        else:
            connection.execute(sa.text("SET TRANSACTION READ ONLY"))
        yield connection
        connection.commit()


def _last(connection: Connection) -> Last:
    columns = (_TABLE.c.number, _TABLE.c.hash, _TABLE.c.recorded)
    row = connection.execute(sa.select(*columns).order_by(_TABLE.c.number.desc()).limit(1)).first()
    return Last(*row) if row is not None else _EMPTY


def _where(wanted: Filter) -> list[sa.ColumnElement[bool]]:
    column = _TABLE.c
    limits = (
        (bool(wanted.kinds) and set(wanted.kinds) != set(KINDS), column.kind.in_(wanted.kinds)),
        (wanted.facility != "", column.facility == wanted.facility),
        (wanted.project != "", column.project == wanted.project),
        (wanted.first > 1, column.number >= wanted.first),
        (wanted.last > 0, column.number <= wanted.last),
        (wanted.since != "", column.day >= wanted.since),
        (wanted.until != "", column.day <= wanted.until),
    )
    return [limit for given, limit in limits if given]


def _records(connection: Connection, where: Sequence[sa.ColumnElement[bool]]) -> list[Record]:
    rows = connection.execute(sa.select(_TABLE).where(*where).order_by(_TABLE.c.number))
    return [Record._make(row) for row in rows]


def _reason(error: SQLAlchemyError | UnicodeDecodeError) -> str:
    """Return what the database itself said, without the statement and its values."""
    if isinstance(error, UnicodeDecodeError):
        return "the file is damaged: it holds text that is not UTF-8"
    cause = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
    lines = str(cause).strip().splitlines()
    return lines[0] if lines else type(cause).__name__
