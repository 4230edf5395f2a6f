from __future__ import annotations

from collections.abc import Iterator

import pytest

from support.http_node import Served, served
from xinji.use.identity.http.faces import SiteSettings
from xinji.use.identity.keys import SigningKey, new_key
from xinji.use.identity.limits import Allowance


@pytest.fixture(scope="session")
def admin_key() -> SigningKey:
    return new_key(2048)


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory, admin_key: SigningKey) -> Iterator[Served]:
    settings = SiteSettings(
        service="88.123.1/service", accounts={"admin": "300:88.123.1/ADMIN"}, failures=Allowance(1e6, 1e6)
    )
    with served(tmp_path_factory.mktemp("node") / "store", settings=settings, key=admin_key) as found:
        yield found
