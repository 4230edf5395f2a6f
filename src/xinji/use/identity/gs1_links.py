"""Links of a GS1 identified thing: which a resolver knows, which one a request means, and the linkset of all.

Source: GS1-Conformant resolver standard, release 1.2.0; RFC 9264 (linkset).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from urllib.parse import quote

from xinji.use.identity.http.message import Json
from xinji.use.identity.http.negotiation import Wish, language_matches, media_matches
from xinji.use.identity.record import Value

VOCABULARY = "https://ref.gs1.org/voc/"
CURIE = "gs1:"
DEFAULT = VOCABULARY + "defaultLink"
DEFAULT_MULTI = VOCABULARY + "defaultLinkMulti"
DESCRIPTION = VOCABULARY + "description"
LINKSET = "linkset"
_SPACES = ("https://ref.gs1.org/voc/", "https://www.gs1.org/voc/", "https://gs1.org/voc/", "http://gs1.org/voc/")
_URL = re.compile(r"https?://[^\s<>\"\\^`{|}\ud800-\udfff]+", re.IGNORECASE)
Fits = Callable[["Link", str], bool]
"""Whether a link fits a range."""
_KEPT = "%/:?#[]@!$&'()*+,;=-._~"


@dataclass(frozen=True, slots=True)
class Link:
    """One link: ``relation`` (a link type as URI), target, what is said of it; ``forwards`` passes the query on."""

    relation: str
    href: str
    title: str = ""
    media: str = ""
    languages: tuple[str, ...] = ()
    contexts: tuple[str, ...] = ()
    forwards: bool = True


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a request says about the link it wants: media types and languages by weight, a context."""

    media: tuple[Wish, ...] = ()
    languages: tuple[Wish, ...] = ()
    context: str = ""


def relation_of(name: str) -> str:
    """Return the URI of the link type ``name``, given as gs1:pip, as a URI, or as a bare GS1 name."""
    if name.startswith(CURIE):
        return VOCABULARY + name.removeprefix(CURIE)
    for space in _SPACES:
        if name.startswith(space):
            return VOCABULARY + name.removeprefix(space)
    return name


def links_of(values: Iterable[Value]) -> tuple[tuple[Link, ...], str]:
    """Return the links in ``values`` and the description of the thing, empty where there is none.

    A value whose type is a link type (gs1:pip, or its URI) holds a URL, or a JSON object with href, title, type,
    hreflang, context and fwqs as the GS1 resolvers have them. URL values are links to the default. What is no
    http address is no link.
    """
    links: list[Link] = []
    description = ""
    for value in values:
        if value.type == "URL":
            relation = DEFAULT
        elif value.type.startswith((CURIE, *_SPACES)):
            relation = relation_of(value.type)
        else:
            continue
        text = value.data.decode("utf-8", "replace")
        if relation == DESCRIPTION:
            description = text
            continue
        link = _link(relation, text)
        # The first default link counts: there is exactly one (section 7.4 of the standard).
        if link is not None and (relation != DEFAULT or all(known.relation != DEFAULT for known in links)):
            links.append(link)
    return tuple(links), description


def _link(relation: str, text: str) -> Link | None:
    entry: dict[str, object] = {"href": text}
    if text.lstrip().startswith("{"):
        try:
            found = json.loads(text)
        except (ValueError, RecursionError):
            return None
        entry = found if isinstance(found, dict) else {}
    href = entry.get("href")
    if not isinstance(href, str) or not _URL.fullmatch(href):
        return None
    return Link(
        relation,
        quote(href, safe=_KEPT),
        _word(entry.get("title")),
        _word(entry.get("type")),
        _words(entry.get("hreflang")),
        _words(entry.get("context")),
        entry.get("fwqs") is not False,
    )


def _word(found: object) -> str:
    return found if isinstance(found, str) else ""


def _words(found: object) -> tuple[str, ...]:
    if isinstance(found, list):
        return tuple(item for item in found if isinstance(item, str))
    return (found,) if isinstance(found, str) else ()


def choose(links: tuple[Link, ...], relation: str, wanted: Wanted) -> tuple[Link, ...]:
    """Return the links that a request for ``relation`` (empty: the default) means: one, several it leaves open, none.

    Language counts before media type, media type before context. Without a wish the default link wins where it is
    among them. Source: GS1-Conformant resolver standard, section 7.
    """
    if relation:
        found = tuple(link for link in links if link.relation == relation)
        return _narrow(found, links, wanted)
    several = tuple(link for link in links if link.relation == DEFAULT_MULTI)
    fitting = _fitting(several, wanted)
    if len(fitting) == 1:
        return fitting
    return tuple(link for link in links if link.relation == DEFAULT)[:1]


def _narrow(found: tuple[Link, ...], links: tuple[Link, ...], wanted: Wanted) -> tuple[Link, ...]:
    if len(found) < 2:
        return found
    fitting = _fitting(found, wanted) or found
    if len(fitting) > 1:
        default = next((link.href for link in links if link.relation == DEFAULT), "")
        like_default = tuple(link for link in fitting if link.href == default)
        alike = len({(link.media, link.languages, link.contexts) for link in fitting}) == 1
        if len(like_default) == 1 and not alike:
            return like_default
    return fitting


def _fitting(links: tuple[Link, ...], wanted: Wanted) -> tuple[Link, ...]:
    """Return those of ``links`` that fit the wishes best; empty where a wish leaves none."""
    by_language = _by(links, truncated(wanted.languages), _speaks)
    by_media = _by(by_language, wanted.media, lambda link, wish: bool(link.media) and media_matches(wish, link.media))
    if not wanted.context:
        return by_media
    return tuple(link for link in by_media if wanted.context in link.contexts)


def truncated(wishes: tuple[Wish, ...]) -> tuple[Wish, ...]:
    """Return language ``wishes`` with each one's shorter forms after it: zh-CN, zh (RFC 4647 section 3.4, lookup)."""
    found: list[Wish] = []
    for wish in wishes:
        parts = wish.range.split("-")
        found += [Wish("-".join(parts[:count]), wish.weight) for count in range(len(parts), 0, -1)]
    return tuple(found)


def _speaks(link: Link, wish: str) -> bool:
    return any(language_matches(wish, tag) for tag in link.languages)


def _by(links: tuple[Link, ...], wishes: tuple[Wish, ...], fits: Fits) -> tuple[Link, ...]:
    for wish in wishes:
        found = tuple(link for link in links if wish.weight > 0 and fits(link, wish.range))
        if found:
            return found
    return links


def link_json(link: Link) -> dict[str, Json]:
    """Return ``link`` as a target of a linkset (RFC 9264 section 4.2.3); a default link has a title only."""
    found: dict[str, Json] = {"href": link.href, "title": link.title or link.href}
    if link.relation == DEFAULT:
        return found
    if link.media:
        found["type"] = link.media
    if link.languages:
        found["hreflang"] = list(link.languages)
    if link.contexts:
        found["context"] = list(link.contexts)
    return found


def linkset_json(contexts: Iterable[tuple[str, tuple[Link, ...], str]]) -> dict[str, Json]:
    """Return the linkset of ``contexts``: for each the anchor (a URI), its links, the description of the thing."""
    entries: list[Json] = []
    for anchor, links, description in contexts:
        entry: dict[str, Json] = {"anchor": anchor}
        if description:
            entry["itemDescription"] = description
            entry["description"] = description
        by_relation: dict[str, list[Json]] = {}
        for link in links:
            by_relation.setdefault(link.relation, []).append(link_json(link))
        entry.update(by_relation)
        entries.append(entry)
    return {"linkset": entries}


def linkset_text(contexts: Iterable[tuple[str, tuple[Link, ...], str]]) -> str:
    """Return the linkset as links of HTTP header form, one a line (RFC 9264 section 4.1)."""
    lines = []
    for anchor, links, _ in contexts:
        for link in links:
            parts = [f"<{link.href}>", f'rel="{link.relation}"', f'anchor="{anchor}"']
            if link.media:
                parts.append(f'type="{_quoted(link.media)}"')
            parts += [f'hreflang="{_quoted(tag)}"' for tag in link.languages]
            if link.title.isascii() and link.title:
                parts.append(f'title="{_quoted(link.title)}"')
            lines.append("; ".join(parts))
    return ",\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    return re.sub(r'[\\"\x00-\x1f\x7f]', "", text)
