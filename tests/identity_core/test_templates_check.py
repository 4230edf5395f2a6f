"""Templates of the published secondary-node interface, and records under them."""

from __future__ import annotations

import contextlib
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xinji.use.identity.errors import IdentifierError
from xinji.use.identity.record import PRIVATE, PUBLIC, Record, Value
from xinji.use.identity.templates import FORMS, Item, Template, check, check_all, fill, template_from_json

SNMS = {
    "prefix": "88.101.5",
    "version": "1.0.0",
    "industryCategory": "A",
    "industrySpecific": "01",
    "industryTrade": "011",
    "industrySubclass": "0111",
    "type": 1,
    "description": "test",
    "items": [
        {
            "name": "address",
            "idType": "ip",
            "metadata": {"type": "string", "minLength": 1, "maxLength": 10},
            "required": False,
        }
    ],
}
"""The request that the published guide shows for /snms/api/v3/template."""

META = {
    "metaHandle": "88.608.8889/META_xz",
    "metaCode": "xz888",
    "industryCategory": "M",
    "metaItemCreateDTOS": [
        {"itemCode": "1", "englishName": "text", "required": 1, "itemSchemaCreateDTO": {"dataType": "1"}},
        {"englishName": "size", "itemSchemaCreateDTO": {"dataType": 2, "numberRange": "[1,10]"}, "uniqueField": 1},
        {"englishName": "day", "itemSchemaCreateDTO": {"dateFormat": "YYYY-MM-DD", "dataType": "3"}},
        {"englishName": "whole", "itemReferenceDTO": {}, "itemSchemaCreateDTO": {"dataType": "5"}},
    ],
}


def record(**data: str) -> Record:
    held = [Value(index=n, type=kind, data=text.encode()) for n, (kind, text) in enumerate(data.items(), 2_000)]
    return Record("88.1/a", tuple(held))


def test_published_requests_are_read() -> None:
    template = template_from_json(SNMS)
    assert (template.prefix, template.version, template.industry) == ("88.101.5", "1.0.0", ("A", "01", "011", "0111"))
    assert template.items == (Item(2_000, "ip", "address", shortest=1, longest=10),)
    meta = template_from_json(META)
    assert (meta.prefix, meta.version) == ("88.608.8889", "META_xz")
    assert [item.form for item in meta.items] == ["string", "number", "date", "reference"]
    assert (meta.items[1].least, meta.items[1].most, meta.items[1].longest) == (Decimal(1), Decimal(10), 38)
    assert next(item.longest for item in meta.items) == 4_000


def test_all_faults_come_at_once() -> None:
    template = template_from_json(META)
    found = check(record(size="11", day="2026-02-30", whole="none", other="x"), template)
    assert len(found) == 5
    told = "\n".join(map(str, found))
    for word in ("text () is missing", "size is 11", "day is '2026-02-30'", "whole is 'none'", "other is not in"):
        assert word in told
    good = record(text="t", size="1.5", day="2026-02-28", whole="88.1/b", URL="https://a", HS_ALIAS="88.1/c")
    assert check(good, template) == ()
    assert len(check_all([good, good], template)) == 1


@pytest.mark.parametrize("text", ["", "x", "1e999999", "NaN", "Infinity", "0", "10.1", "１", "1" * 39])
def test_what_is_no_number_in_range_is_told(text: str) -> None:
    template = template_from_json(META)
    assert any("size" in fault.message for fault in check(record(text="t", size=text), template))


def test_defaults_fill_what_is_missing() -> None:
    items = (Item(2_000, "text", default="n/a"), Item(2_001, "state", default="built", permissions=PRIVATE))
    template = Template("88.1", "1", items)
    filled = fill(record(text="t"), template)
    assert [(v.type, v.data, v.permissions) for v in filled.values] == [
        ("text", b"t", PUBLIC),
        ("state", b"built", PRIVATE),
    ]
    public = Record("88.1/a", (Value(index=2_001, type="state", data=b"x"),))
    assert "more than the template allows" in str(check(public, template)[0])


def test_faulty_templates_are_told_whole() -> None:
    items = (
        Item(1, "a", form="colour"),
        Item(1, "a", shortest=5, longest=4),
        Item(2, ""),
        Item(3, "n", default="x", form="number"),
    )
    with pytest.raises(IdentifierError) as caught:
        Template("", "1", items)
    assert len(caught.value.faults) == 7
    with pytest.raises(IdentifierError):
        template_from_json({"items": [{"idType": "a", "metadata": {"type": "string", "maxLength": "many"}}]})


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=5)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(["items", "prefix", "version", "idType", "metadata", "type", "maxLength", "numberRange"]),
            inner,
            max_size=4,
        ),
    ),
    max_leaves=8,
)


@given(JSON, st.text(max_size=10), st.sampled_from(FORMS))
def test_hostile_templates_and_text_raise_one_error_only(document: object, text: str, form: str) -> None:
    with contextlib.suppress(IdentifierError):
        template_from_json(document)
    template = Template("88.1", "1", (Item(1, "a", form=form, date_format=text or "YYYY"),))
    check(record(a=text), template)
