"""Whatever comes in, a face answers in its own form, and nothing is our mistake."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from contextlib import suppress

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from support.http_node import ADMIN, HIDDEN, PASSWORD, PREFIX, THING, fill
from support.http_parsers import HERE, PARSERS, SEEDS
from xinji.errors import InputError, XinjiError
from xinji.use.identity.http.faces import SiteSettings, site
from xinji.use.identity.http.message import Later, Request, Response
from xinji.use.identity.http.site import Site
from xinji.use.identity.limits import Allowance
from xinji.use.identity.node import Node, NodeSettings
from xinji.use.identity.store import open_store

PATHS = tuple(
    path.encode()
    for path in (
        f"/api/handles/ /api/handles/{THING} /api/sessions /api/sessions/this /doip /api/v1/doip "
        "/api/v1/doip/public/challenge /api/v1/doip/public/verify-response /identity/token /identity/token/v1 "
        "/identityv2/data /identityv2/data/detail /identityv2/data/batchCreate /identityv2/data/batchDelete "
        "/snms/api/v3/template /01/09506000134352 /01/ /8013/1987 /"
    ).split()
)
BASIC = b"Basic " + base64.b64encode(f"300%3A{ADMIN}:{PASSWORD}".encode())
NAMES = (
    "index type data format value values handle templateVersion auth ttl attributes content id username password "
    "signature items metadata"
)
WORDS = st.sampled_from(NAMES.split())
TEXTS = [THING, f"{PREFIX}/new", "string", "admin", "site", "1.0", "HS_SECKEY"]
LEAVES = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8), st.sampled_from(TEXTS))
BODIES = st.one_of(
    st.binary(max_size=60),
    st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS, inner, max_size=6)).map(
        lambda found: json.dumps(found).encode()
    ),
)
PARAMETERS = (
    "index type overwrite handle targetId operationId linkType prefix query page pageSize callback lang mediaType"
)
GIVEN = (
    b"1 various 0.DOIP/Op.Create 0.DOIP/Op.Search id:88.123.1/* linkset service %ff x gs1:pip 88.123.1 99999999999 "
    + THING.encode()
)
PAIRS = st.tuples(st.sampled_from(PARAMETERS.encode().split()), st.sampled_from(GIVEN.split()))
QUERIES = st.one_of(
    st.binary(max_size=40),
    st.lists(PAIRS, max_size=4).map(lambda pairs: b"&".join(name + b"=" + text for name, text in pairs)),
)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with open_store(tmp_path_factory.mktemp("fuzz") / "store", create=True) as store:
        fill(store)
        yield site(Node(store, NodeSettings()), SiteSettings(failures=Allowance(1e9, 1e9)))


def answered(whole: Site, request: Request) -> Response:
    whole.refresh()
    found = whole.answer(request)
    if not isinstance(found, Later):
        return found
    errors: list[XinjiError | None] = []
    for future in found.futures:
        try:
            future.result(10)
            errors.append(None)
        except XinjiError as error:
            errors.append(error)
    return found.finish(tuple(errors))


@settings(max_examples=400, deadline=None)
@given(
    st.sampled_from([b"GET", b"HEAD", b"POST", b"PUT", b"DELETE", b"OPTIONS", b"PATCH"]),
    st.sampled_from(PATHS),
    st.binary(max_size=20),
    QUERIES,
    BODIES,
    st.sampled_from([None, BASIC, b"Handle a", b'Handle sessionId="x"', b"Bearer x.y.z", b"\xff", b"Basic !"]),
)
def test_every_face_answers_everything(
    whole: Site, method: bytes, path: bytes, more: bytes, query: bytes, body: bytes, login: bytes | None
) -> None:
    headers = {b"host": b"a", b"content-type": b"application/json", b"accept": more, b"accept-language": more}
    if login is not None:
        headers[b"authorization"] = login
    # What an administrator may do to the administrator itself is not the question here.
    safe = method not in (b"PUT", b"DELETE") or path != b"/api/handles/"
    response = answered(whole, Request(method, path + (more if not safe else b""), query, headers, body, HERE))
    assert response.status != 500, response
    assert 200 <= response.status < 600
    assert b"Traceback" not in response.body
    if login is not BASIC:
        assert HIDDEN.encode() not in response.body
        assert PASSWORD.encode() not in response.body
    if response.body and b"json" in response.media:
        json.loads(response.body)
    for name, text in response.headers:
        assert b"\r" not in name + text
        assert b"\n" not in name + text


@pytest.mark.parametrize("name", sorted(PARSERS))
def test_parsers_read_or_refuse(name: str) -> None:
    seeds = SEEDS.get(name, ())

    @settings(max_examples=80, deadline=None)
    @example(b"")
    @given(st.one_of(st.binary(max_size=200), st.sampled_from(seeds or (b"",)).flatmap(mutations)))
    def check(octets: bytes) -> None:
        with suppress(InputError):
            PARSERS[name](octets)

    check()
    for seed in seeds:
        PARSERS[name](seed)


def mutations(seed: bytes) -> st.SearchStrategy[bytes]:
    """Return the seed with some octets replaced, taken away or put in."""
    places = st.integers(0, max(0, len(seed) - 1))
    edits = st.lists(st.tuples(places, st.integers(0, 3), st.binary(max_size=4)), max_size=4)

    def apply(steps: list[tuple[int, int, bytes]]) -> bytes:
        octets = seed
        for place, gone, new in steps:
            octets = octets[:place] + new + octets[place + gone :]
        return octets

    return edits.map(apply)
