"""Brings the database of a ledger to this version; the only module that knows alembic."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext, RevisionStep
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

FOLDER = Path(__file__).with_name("migrations")


def migrate(connection: Connection, *, version: str) -> None:
    """Bring the database behind ``connection`` to ``version``, within the transaction that is open on it."""
    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    config.set_main_option("path_separator", "os")
    script = ScriptDirectory.from_config(config)

    def steps(revision: Any, _context: MigrationContext) -> list[RevisionStep]:  # noqa: ANN401 - alembic's own types differ
        return script._upgrade_revs(version, revision)  # noqa: SLF001 - as alembic's own `upgrade` command does

    with EnvironmentContext(config, script, fn=steps, destination_rev=version) as environment:
        environment.configure(connection=connection, transactional_ddl=True)
        environment.run_migrations()
