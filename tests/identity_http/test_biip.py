"""biip, a GS1 parser that others wrote, reads our Digital Link URIs, and we read its."""

from __future__ import annotations

from urllib.parse import unquote

import pytest
from hypothesis import assume, given, settings

from support.gs1_keys import EXAMPLES, mended, qualified
from xinji.use.identity.gs1 import PRIMARY_KEYS
from xinji.use.identity.gs1_uri import parse, uri_path

biip = pytest.importorskip("biip", reason="needs biip (PyPI), in the test group")

ROOT = "https://id.example.org"
# As of 5.2 biip takes these for no primary keys; of the qualifiers it has neither 235 nor 7040.
KNOWN = tuple(key for key in PRIMARY_KEYS if key not in {"410", "411", "412", "413", "415", "416"})


def read(uri: str) -> tuple[tuple[str, str], ...]:
    """Return identifiers and values that biip finds in ``uri``."""
    found = biip.parse(uri).gs1_digital_link_uri
    assert found is not None, uri
    return tuple((unquote(item.ai.ai), item.value) for item in found.element_strings)


@pytest.mark.parametrize("key", KNOWN)
def test_biip_reads_every_key_that_it_knows(key: str) -> None:
    path = ((key, mended(key, EXAMPLES[key])),)
    assert read(ROOT + uri_path(path)) == path


@settings(deadline=None)
@given(qualified())
def test_biip_reads_what_we_write(path: tuple[tuple[str, str], ...]) -> None:
    assume(path[0][0] in KNOWN and not {"235", "7040"}.intersection(dict(path)))
    assert read(ROOT + uri_path(path)) == path


def test_we_read_what_biip_writes() -> None:
    # (01) 09506000134352 (10) ABC123 as it stands in a bar code.
    written = biip.parse("010950600013435210ABC123").gs1_message
    assert written is not None
    uri = written.as_gs1_digital_link_uri().as_uri(domain="id.example.org")
    assert parse(uri.removeprefix(ROOT).encode()).path == (("01", "09506000134352"), ("10", "ABC123"))
