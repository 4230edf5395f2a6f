"""The GS1 Digital Link face, by the rules of the GS1-Conformant resolver standard 1.2.0."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from support.http_node import HIDDEN, Served, served
from xinji.use.identity.changes import Change
from xinji.use.identity.gs1_links import Wanted, choose, links_of
from xinji.use.identity.http.digital_link import ResolverName
from xinji.use.identity.http.faces import SiteSettings
from xinji.use.identity.http.negotiation import best_media, wishes
from xinji.use.identity.record import PRIVATE, Value

ITEM = "/01/09506000134352"
VOC = "https://ref.gs1.org/voc/"
ROOT = "https://id.example.org"


def link(index: int, kind: str, href: str, **more: object) -> Value:
    return Value(index=index, type=kind, data=json.dumps({"href": href, **more}).encode())


@pytest.fixture(scope="module")
def resolver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    settings = SiteSettings(resolver=ResolverName(ROOT, "Test resolver"))
    with served(tmp_path_factory.mktemp("gs1") / "store", settings=settings) as node:
        item = (
            link(1, "gs1:defaultLink", "https://a.example/default", title="Default"),
            link(2, "gs1:pip", "https://a.example/zh", title="产品", hreflang=["zh"], type="text/html"),
            link(3, "gs1:pip", "https://a.example/en", title="Product", hreflang=["en"], type="text/html"),
            link(4, "gs1:pip", "https://a.example/en.json", title="Product", hreflang=["en"], type="application/json"),
            link(5, VOC + "certificationInfo", "https://a.example/c1", title="One"),
            link(6, "gs1:certificationInfo", "https://a.example/c2", title="Two"),
            link(7, "gs1:quickStartGuide", "https://a.example/q?x=1", title="Start", fwqs=False),
            Value(index=8, type="gs1:traceability", data=b"https://a.example/t?x=1"),
            Value(index=9, type="gs1:description", data="一号泵".encode()),
            Value(index=10, type="gs1:recallStatus", data=f"https://a.example/{HIDDEN}".encode(), permissions=PRIVATE),
            Value(index=11, type="gs1:badLink", data=b"javascript:alert(1)"),
            Value(index=12, type="gs1:badLink", data=b'{"href":"https://a.example/\\ud800"}'),
            link(13, "gs1:support", "https://[a/#part", title="\ud800"),
        )
        node.store.apply(Change("create", "GS1/01/09506000134352", item))
        batch = (link(1, "gs1:defaultLink", "https://a.example/batch", title="Batch"),)
        node.store.apply(Change("create", "GS1/01/09506000134352/10/AbC", batch))
        multi = (
            link(1, "gs1:defaultLink", "https://a.example/any", title="Any"),
            link(2, "gs1:defaultLinkMulti", "https://a.example/fr", title="Fr", hreflang=["fr"]),
            link(3, "gs1:defaultLinkMulti", "https://a.example/de", title="De", hreflang=["de"]),
        )
        node.store.apply(Change("create", "GS1/414/9506000134376", multi))
        node.store.apply(Change("create", "GS1/8004/9506000ABC", (link(1, "gs1:pip", "https://a.example/p"),)))
        yield node


def location(node: Served, path: str, **headers: str) -> str:
    reply = node.ask("GET", path, headers=headers)
    assert reply.status == 307, (reply.status, reply.body)
    return reply.headers["location"]


def test_the_default_link_is_a_307_with_the_way_to_the_linkset(resolver: Served) -> None:
    reply = resolver.ask("GET", ITEM)
    assert (reply.status, reply.headers["location"]) == (307, "https://a.example/default")
    assert f'<{ROOT}{ITEM}?linkType=linkset>; rel="linkset"' in reply.headers["link"]
    assert "gs1:" not in reply.headers["link"]
    assert reply.headers["access-control-allow-origin"] == "*"
    assert {"GET", "HEAD", "OPTIONS"} <= set(reply.headers["access-control-allow-methods"].split(", "))
    assert "Accept-Language" in reply.headers["vary"]
    slash = resolver.ask("HEAD", ITEM + "/")
    assert (slash.status, slash.headers["location"]) == (307, "https://a.example/default")


def test_the_query_is_passed_on_unless_the_link_says_no(resolver: Served) -> None:
    assert location(resolver, ITEM + "?foo=bar") == "https://a.example/default?foo=bar"
    assert location(resolver, ITEM + "?linkType=gs1:traceability&a=b").startswith("https://a.example/t?x=1&")
    assert location(resolver, ITEM + "?linkType=gs1:quickStartGuide") == "https://a.example/q?x=1"
    assert location(resolver, ITEM + "?linkType=gs1:support") == "https://[a/?linkType=gs1:support#part"
    assert location(resolver, ITEM + "?a=%0d%0aSet-Cookie:%20x") == "https://a.example/default?a=%0d%0aSet-Cookie:%20x"


@pytest.mark.parametrize("query", ["?linkType=linkset", "?linkType=all", ""])
@pytest.mark.parametrize("accept", ["application/linkset+json", "application/json", "", "*/*"])
def test_a_linkset_is_never_a_redirect(resolver: Served, query: str, accept: str) -> None:
    if not query and accept != "application/linkset+json":
        return
    reply = resolver.ask("GET", ITEM + query, headers={"Accept": accept} if accept else {})
    assert reply.status == 200
    assert reply.headers["content-type"] == (accept if "json" in accept else "application/linkset+json")
    assert 'rel="http://www.w3.org/ns/json-ld#context"' in reply.headers["link"]
    (entry,) = reply.json["linkset"]
    assert entry["anchor"] == ROOT + ITEM
    assert entry["itemDescription"] == "一号泵"
    assert entry[VOC + "defaultLink"] == [{"href": "https://a.example/default", "title": "Default"}]
    assert entry[VOC + "pip"][0] == {
        "href": "https://a.example/zh", "title": "产品", "type": "text/html", "hreflang": ["zh"]}  # fmt: skip
    assert VOC + "badLink" not in entry
    assert HIDDEN.encode() not in reply.body
    assert b"recallStatus" not in reply.body


def test_linksets_in_other_forms(resolver: Served) -> None:
    text = resolver.ask("GET", ITEM + "?linkType=linkset", headers={"Accept": "application/linkset"})
    assert text.headers["content-type"] == "application/linkset"
    assert f'<https://a.example/default>; rel="{VOC}defaultLink"; anchor="{ROOT}{ITEM}"' in text.body.decode()
    page = resolver.ask("GET", ITEM + "?linkType=linkset", headers={"Accept": "text/html,*/*;q=0.1"})
    assert page.headers["content-type"].startswith("text/html")
    assert b"<script" not in page.body


@pytest.mark.parametrize(
    ("query", "language", "accept", "target"),
    [
        ("", "zh-CN, en;q=0.5", "", "zh"),
        ("", "en-GB;q=0.5, en;q=0.4, zh;q=0.3", "text/html", "en"),
        ("&mediaType=application/json&lang=en", "zh", "", "en.json"),
        ("&lang=zh", "en", "", "zh"),
    ],
)
def test_language_and_media_type_choose(resolver: Served, query: str, language: str, accept: str, target: str) -> None:
    headers = {"Accept-Language": language} | ({"Accept": accept} if accept else {})
    for kind in ("gs1:pip", VOC + "pip", "https://gs1.org/voc/pip"):
        found = location(resolver, f"{ITEM}?linkType={kind}{query}", **headers)
        assert found.partition("?")[0] == f"https://a.example/{target}"


def test_what_cannot_be_chosen_is_a_300(resolver: Served) -> None:
    reply = resolver.ask("GET", ITEM + "?linkType=gs1:certificationInfo")
    assert reply.status == 300
    assert [entry["href"] for entry in reply.json[VOC + "certificationInfo"]] == [
        "https://a.example/c1", "https://a.example/c2"]  # fmt: skip
    page = resolver.ask("GET", ITEM + "?linkType=gs1:certificationInfo", headers={"Accept": "text/html"})
    assert (page.status, page.headers["content-type"]) == (300, "text/html;charset=UTF-8")


def test_default_link_multi_follows_the_language(resolver: Served) -> None:
    path = "/414/9506000134376"
    assert location(resolver, path, **{"Accept-Language": "de-CH"}) == "https://a.example/de"
    assert location(resolver, path, **{"Accept-Language": "pt"}) == "https://a.example/any"
    assert location(resolver, path, **{"Accept-Language": "de"}) == "https://a.example/de"
    assert location(resolver, path, **{"Accept-Language": "fr;q=0.9, de;q=0.1"}) == "https://a.example/fr"
    assert location(resolver, path) == "https://a.example/any"


def test_the_nearest_level_counts_and_others_are_reached_through_it(resolver: Served) -> None:
    assert location(resolver, ITEM + "/10/AbC") == "https://a.example/batch"
    assert location(resolver, ITEM + "/10/AbC/21/9") == "https://a.example/batch"
    assert location(resolver, ITEM + "/10/other") == "https://a.example/default"
    # Values of GS1 keys differ by case.
    assert location(resolver, ITEM + "/10/ABC") == "https://a.example/default"
    found = location(resolver, ITEM + "/10/AbC?linkType=gs1:traceability")
    assert found.startswith("https://a.example/t?x=1")
    anchors = [e["anchor"] for e in resolver.ask("GET", ITEM + "/10/AbC?linkType=linkset").json["linkset"]]
    assert anchors == [f"{ROOT}{ITEM}/10/AbC", ROOT + ITEM]


def test_a_thing_without_a_default_link_answers_its_linkset(resolver: Served) -> None:
    reply = resolver.ask("GET", "/8004/9506000ABC")
    assert reply.status == 200
    assert reply.headers["content-type"] == "application/linkset+json"


@pytest.mark.parametrize(
    ("path", "status"),
    [
        (ITEM + "?linkType=gs1:nosuchlt", 404),
        ("/01/09780345418913", 404),
        (ITEM + "/foo", 400),
        ("/01/09506000134353", 400),
        ("/01/09506000134352/21/1/10/2", 400),
        ("/DBHKVAdpQgqrGZdgZm1mZQ", 501),
        ("/", 404),
        ("/nothing", 400),
        ("/01/%00", 400),
    ],
)
def test_errors_are_no_200(resolver: Served, path: str, status: int) -> None:
    reply = resolver.ask("GET", path)
    assert reply.status == status
    assert reply.headers["content-type"] == "application/problem+json"
    assert reply.json["status"] == status


def test_other_methods_are_refused(resolver: Served) -> None:
    assert resolver.ask("POST", ITEM, body={}).status == 405
    assert resolver.ask("OPTIONS", ITEM).status == 204


def test_the_resolver_describes_itself(resolver: Served) -> None:
    reply = resolver.ask("GET", "/.well-known/gs1resolver")
    assert reply.headers["content-type"].startswith("application/json")
    assert reply.json["resolverRoot"] == ROOT
    # The schema's enumeration of keys (release 1.2.0).
    allowed = {"01", "8006", "8013", "8010", "410", "411", "412", "413", "414", "415", "417", "8017", "8018", "255",
               "00", "253", "401", "402", "8003", "8004"}  # fmt: skip
    assert set(reply.json["supportedPrimaryKeys"]) == allowed
    assert reply.json["supportedLinkType"][0]["prefix"] == "gs1:"


def test_without_a_root_the_clients_own_address_is_used(node: Served) -> None:
    good = node.ask("GET", "/.well-known/gs1resolver", headers={"Host": "id.example.cn:8080"})
    assert good.json["resolverRoot"] == "http://id.example.cn:8080"
    bad = node.ask("GET", "/.well-known/gs1resolver", headers={"Host": 'x"><script>'})
    assert bad.json["resolverRoot"] == "http://localhost"


def test_wishes_are_read_as_http_has_them() -> None:
    assert [w.range for w in wishes(b"text/*;q=0.5, */*;q=0.1, text/html, x;q=2, ;q=1")][:2] == ["text/html", "text/*"]
    assert best_media(b"text/html;q=0, */*", ("text/html", "application/json")) == "application/json"
    assert best_media(b"image/png", ("text/html",)) == ""
    assert best_media(b"", ("text/html", "b/c")) == "text/html"


def test_contexts_choose() -> None:
    values = [link(n, "gs1:pip", f"https://a.example/{n}", context=[c]) for n, c in ((1, "retail"), (2, "repair"))]
    links, _ = links_of(values)
    assert [found.href for found in choose(links, VOC + "pip", Wanted(context="repair"))] == ["https://a.example/2"]
    assert len(choose(links, VOC + "pip", Wanted())) == 2
