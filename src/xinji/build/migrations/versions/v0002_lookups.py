"""Version 2: indexes for the events of one project and of one kind."""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the indexes; identifiers are looked up by kind before one is assigned."""
    op.create_index("event_project", "event", ["project"])
    op.create_index("event_kind", "event", ["kind"])
