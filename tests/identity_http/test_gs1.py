"""GS1 keys and Digital Link URIs, against the examples of the standards and against digital-link.js."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.gs1_keys import EXAMPLES, mended, qualified
from xinji.use.identity.errors import Code, IdentifierError
from xinji.use.identity.gs1 import PRIMARY_KEYS, check_value, gmn_check_characters, handle_of
from xinji.use.identity.gs1_uri import parse, uri_path

PACKAGE = "digital-link.js@1.4.3"


def test_there_is_an_example_of_every_primary_key() -> None:
    assert set(EXAMPLES) == set(PRIMARY_KEYS)


@pytest.mark.parametrize("identifier", PRIMARY_KEYS)
def test_every_primary_key_is_read(identifier: str) -> None:
    value = mended(identifier, EXAMPLES[identifier])
    link = parse(f"/{identifier}/{value}".encode())
    assert link.path == ((identifier, value),)
    assert handle_of(link.path) == f"GS1/{identifier}/{value}"


@pytest.mark.parametrize("value", ["09506000134352", "00614141123452", "05412345000013", "09780345418913"])
def test_published_gtins_are_right(value: str) -> None:
    assert check_value("01", value) == value
    with pytest.raises(IdentifierError, match="check digit"):
        check_value("01", value[:-1] + str((int(value[-1]) + 1) % 10))


def test_short_gtins_are_filled() -> None:
    assert check_value("01", "9780345418913") == "09780345418913"
    assert check_value("01", "614141123452") == "00614141123452"
    assert check_value("01", "95050003") == "00000095050003"


def test_the_published_gmn_is_right() -> None:
    assert gmn_check_characters("1987654Ad4X4bL5ttr2310c") == "2K"
    with pytest.raises(IdentifierError, match="check characters"):
        check_value("8013", "1987654Ad4X4bL5ttr2310c2L")


@pytest.mark.parametrize(
    ("path", "qualifiers"),
    [
        ("/01/09506000134352/22/2A/10/ABC123/21/12345XYZ", ["22", "10", "21"]),
        ("/01/09506000134352/10/ABC/21/1", ["10", "21"]),
        ("/01/09506000134352/235/TPX1", ["235"]),
        ("/414/9506000134376/254/32a%2Fb", ["254"]),
        ("/8010/9506000ABC-1/8011/12", ["8011"]),
        ("/8018/950600013437612342/8019/888", ["8019"]),
        ("/some/stem/01/9506000134352/21/1/", ["21"]),
    ],
)
def test_qualifiers(path: str, qualifiers: list[str]) -> None:
    link = parse(path.encode())
    assert [identifier for identifier, _ in link.path[1:]] == qualifiers
    assert parse(uri_path(link.path).encode()).path == link.path


@pytest.mark.parametrize(
    ("path", "code", "words"),
    [
        ("/", Code.INVALID_HANDLE, "no GS1 primary key"),
        ("/99/1", Code.INVALID_HANDLE, "no GS1 primary key"),
        ("/gtin/09506000134352", Code.INVALID_HANDLE, "Use numbers"),
        ("/01", Code.INVALID_HANDLE, "has no value"),
        ("/01/0950600013435", Code.INVALID_HANDLE, "check digit"),
        ("/01/0950600013435A", Code.INVALID_HANDLE, "14 digits"),
        ("/01/%EF%BC%90%EF%BC%99506000134352", Code.INVALID_HANDLE, "14 digits"),
        ("/01/09506000134352/foo", Code.INVALID_HANDLE, "has no value"),
        ("/01/09506000134352/foo/1", Code.INVALID_HANDLE, "Allowed are"),
        ("/01/09506000134352/21/1/10/2", Code.INVALID_HANDLE, "in this order"),
        ("/01/09506000134352/21/1/21/2", Code.INVALID_HANDLE, "at most once"),
        ("/00/095060001343520002/10/1", Code.INVALID_HANDLE, "no qualifiers"),
        ("/01/09506000134352/21/%C3%A4", Code.INVALID_HANDLE, "1 to 20 characters"),
        ("/01/09506000134352/21/%FF", Code.PROTOCOL_ERROR, "UTF-8"),
        ("/01/09506000134352/21/" + "1" * 21, Code.INVALID_HANDLE, "1 to 20"),
        ("/8006/095060001343520302", Code.INVALID_HANDLE, "piece 3 of 2"),
        ("/DBHKVAdpQgqrGZdgZm1mZQ", Code.OPERATION_NOT_SUPPORTED, "compressed form"),
    ],
)
def test_what_is_wrong_is_said(path: str, code: Code, words: str) -> None:
    with pytest.raises(IdentifierError, match=words) as caught:
        parse(path.encode())
    assert caught.value.code == code


@given(qualified())
def test_paths_come_back(path: tuple[tuple[str, str], ...]) -> None:
    assert parse(uri_path(path).encode()).path == path


@given(st.binary(max_size=80), st.binary(max_size=40))
def test_any_octets_are_read_or_refused(path: bytes, query: bytes) -> None:
    for start in (b"/", b"/01/", b"/01/09506000134352/", b"/8013/1987"):
        with suppress(IdentifierError):
            assert parse(start + path, query).path


@pytest.fixture(scope="session")
def digital_link(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder in which node finds digital-link.js: kept in pytest's cache where there is one."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip("needs node and npm")
    cache = getattr(request.config, "cache", None)
    kept = Path(cache.mkdir("npm")) / "digital-link" if cache is not None else None
    if kept is not None and kept.is_dir():
        return kept
    folder = tmp_path_factory.mktemp("npm") / "digital-link"
    command = ["npm", "install", "--no-audit", "--no-fund", "--prefix", str(folder), PACKAGE]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)  # noqa: S603
    if done.returncode:
        pytest.skip(f"npm could not install {PACKAGE}: {done.stderr.strip()[-200:]}")
    if kept is None:
        return folder
    # Another worker may have been quicker; then its folder serves.
    with suppress(OSError):
        shutil.copytree(folder, kept.with_name(f"digital-link-{os.getpid()}"))
        kept.with_name(f"digital-link-{os.getpid()}").rename(kept)
    return kept if kept.is_dir() else folder


SCRIPT = """
const { DigitalLink } = require('digital-link.js');
const lines = JSON.parse(require('fs').readFileSync(0, 'utf8'));
const out = lines.map((line) => {
  try {
    const link = DigitalLink(line);
    const grammar = link.getValidationTrace().success;
    return { valid: link.isValid(), grammar, identifier: link.getIdentifier(), qualifiers: link.getKeyQualifiers() };
  } catch (error) { return { valid: false, error: String(error) }; }
});
console.log(JSON.stringify(out));
"""


def asked(folder: Path, uris: list[str]) -> list[dict[str, object]]:
    done = subprocess.run(  # noqa: S603
        ["node", "-e", SCRIPT],  # noqa: S607
        input=json.dumps(uris),
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    )
    found = json.loads(done.stdout)
    assert isinstance(found, list)
    return found


# digital-link.js 1.4.3 follows URI syntax 1.2: it has no 416, no 235, and no 7040 after other keys.
KNOWN_TO_IT = [key for key in PRIMARY_KEYS if key not in {"410", "411", "412", "413", "415", "416"}]
CHECKED_BY_IT = {"01", "00", "253", "255", "402", "414", "8003", "8018"}
"""Keys whose check digit it knows; of others it says that they are not valid, though its grammar takes them."""


def test_digital_link_js_reads_what_we_write(digital_link: Path) -> None:
    uris = [f"https://id.example.org/{key}/{mended(key, EXAMPLES[key])}" for key in KNOWN_TO_IT]
    uris += [
        "https://id.example.org/01/09506000134352/22/2A/10/ABC123/21/12345XYZ",
        "https://id.example.org/414/9506000134376/254/32a",
        "https://id.example.org/8010/9506000ABC-1/8011/12",
        "https://id.example.org/8018/950600013437612342/8019/888",
    ]
    uris = [
        f"https://id.example.org{parse(uri.removeprefix('https://id.example.org').encode()).uri_path}" for uri in uris
    ]
    for uri, found in zip(uris, asked(digital_link, uris), strict=True):
        link = parse(uri.removeprefix("https://id.example.org").encode())
        assert found["grammar"], (uri, found)
        assert found["valid"] or link.path[0][0] not in CHECKED_BY_IT, (uri, found)
        assert found["identifier"] == dict(link.path[:1])
        assert found["qualifiers"] == dict(link.path[1:])


def test_digital_link_js_refuses_what_we_refuse(digital_link: Path) -> None:
    paths = [
        "/01/09506000134353",
        "/01/0950600013435A",
        "/01/09506000134352/21/1/10/2",
        "/00/095060001343520002/10/1",
        "/01/09506000134352/21/" + "1" * 21,
    ]
    for path, found in zip(paths, asked(digital_link, [f"https://a.example{path}" for path in paths]), strict=True):
        assert not found["valid"], path
        with pytest.raises(IdentifierError):
            parse(path.encode())
