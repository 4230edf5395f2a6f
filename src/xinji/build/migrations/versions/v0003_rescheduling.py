"""Version 3: events of the kind ``completion_rescheduled``; the tables stay as they are.

A Xinji that does not know the kind would leave such events out of what it tells: the version keeps it away.
"""

from __future__ import annotations

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Change nothing but the version."""
