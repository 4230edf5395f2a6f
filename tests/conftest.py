"""Fixtures that every test may ask for."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.tiny import tiny_region
from xinji.core.policy import Policy
from xinji.core.region import Region

LONGEST = "test_tutorial.py"
"""Begun first: two plans of xinwu, which would keep one core busy long after the other has nothing left."""

SHARED = Path(__file__).resolve().parents[2] / "shared"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the longest file first; all others keep their order."""
    items.sort(key=lambda item: item.path.name != LONGEST)


@pytest.fixture(scope="session")
def tiny() -> tuple[Region, Policy]:
    return tiny_region(1)


@pytest.fixture(scope="session")
def shared() -> Path:
    if not SHARED.is_dir():
        pytest.skip("needs the folder ../shared beside the repository")
    return SHARED
