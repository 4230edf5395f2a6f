"""Fixtures that every test may ask for."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.tiny import tiny_region
from xinji.core.policy import Policy
from xinji.core.region import Region

SHARED = Path(__file__).resolve().parents[2] / "shared"


@pytest.fixture(scope="session")
def tiny() -> tuple[Region, Policy]:
    return tiny_region(1)


@pytest.fixture(scope="session")
def shared() -> Path:
    if not SHARED.is_dir():
        pytest.skip("needs the folder ../shared beside the repository")
    return SHARED
