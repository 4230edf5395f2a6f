"""Data templates: which values the records of one industry's kind of thing have; pure.

Source: the secondary-node interfaces of China's industrial-Internet identifiers (teleinfo-dev/id-guide):
``/snms/api/v3/template`` (name, idType, required, metadata with type, minLength, maxLength) and
``/api/v1/open/meta/create`` (data types 1 to 8, default lengths, date format, number range). Industries
are classes of GB/T 4754.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal, InvalidOperation

from xinji.errors import Fault
from xinji.use.identity.errors import Code, IdentifierError
from xinji.use.identity.record import PRIVATE, PUBLIC, Record, Value
from xinji.use.identity.value_data import EMAIL, URL

FORMS = ("string", "number", "date", "file", "reference", "audio", "video", "image")
"""Kinds of data; a kind's number in the published interface is its place, counted from 1."""

FIRST_INDEX = 2_000
"""Index of a template's first item, as the published interface counts."""

STRING_MOST, NUMBER_MOST = 4_000, 38
"""Most characters where a template gives no limit."""

DATE_FORMAT = "YYYY-MM-DD"
DATE_PARTS = {"YYYY": "%Y", "MM": "%m", "DD": "%d", "HH": "%H", "hh": "%H", "mm": "%M", "ss": "%S"}
DATE_PATTERN = re.compile("|".join(DATE_PARTS))
RANGE = re.compile(r"([\[(])\s*(-?\d+(?:\.\d+)?)\s*,\s*(-?\d+(?:\.\d+)?)\s*([\])])", re.ASCII)
HANDLE = re.compile(r"[^/\s]+/.+", re.ASCII)
INDUSTRY = ("industryCategory", "industrySpecific", "industryTrade", "industrySubclass")
ALWAYS_ALLOWED = (URL, EMAIL)
"""Types besides HS_... that a record may have whatever its template."""


@dataclass(frozen=True, slots=True)
class Item:
    """One value that a template describes.

    ``name`` is the value's type, ``title`` what people call it, ``form`` one of FORMS; ``shortest`` and
    ``longest`` bound its characters, ``least`` and ``most`` a number, ``choices`` what it may be where
    not empty; ``unique``: no two records of the template share it.
    """

    index: int
    name: str
    title: str = ""
    required: bool = False
    default: str = ""
    permissions: int = PUBLIC
    form: str = "string"
    shortest: int = 0
    longest: int = STRING_MOST
    least: Decimal | None = None
    most: Decimal | None = None
    date_format: str = DATE_FORMAT
    choices: tuple[str, ...] = ()
    unique: bool = False


@dataclass(frozen=True, slots=True)
class Template:
    """A template: prefix and version name it; ``industry`` is its class in up to four steps (A, 01, 011, 0111)."""

    prefix: str
    version: str
    items: tuple[Item, ...]
    industry: tuple[str, ...] = ()
    description: str = ""

    def __post_init__(self) -> None:
        faults = list(_template_faults(self))
        if faults:
            raise IdentifierError(faults, Code.INVALID_VALUE)

    def item(self, name: str) -> Item | None:
        """Return the item for values of the type ``name``."""
        return next((item for item in self.items if item.name == name), None)


def _template_faults(template: Template) -> Iterator[Fault]:
    place = f"template {template.prefix} {template.version}"
    if not template.prefix or not template.version:
        yield Fault(place, "prefix or version is empty", "Give both.")
    for what, keys in (
        ("name", [item.name for item in template.items]),
        ("index", [item.index for item in template.items]),
    ):
        for key, number in Counter[object](keys).items():
            if number > 1:
                yield Fault(place, f"the {what} {key} is given to {number} items", "Give each its own.")
    for item in template.items:
        if not item.name:
            yield Fault(place, f"item {item.index} has no name", "Give the type of its values.")
        if item.form not in FORMS:
            yield Fault(place, f"item {item.name} is of the form {item.form!r}", f"Use one of {', '.join(FORMS)}.")
        if not 0 <= item.shortest <= item.longest:
            message = f"item {item.name} has {item.shortest} to {item.longest} characters"
            yield Fault(place, message, "Give the smaller number first.")
        if item.default:
            yield from (
                Fault(place, f"default: {f.message}", f.remedy) for f in _text_faults(place, item, item.default)
            )


def fill(record: Record, template: Template) -> Record:
    """Return ``record`` with the defaults of ``template`` where values are missing."""
    types = {value.type for value in record.values}
    used = {value.index for value in record.values}
    added = [
        Value(index=item.index, type=item.name, data=item.default.encode(), permissions=item.permissions)
        for item in template.items
        if item.default and item.name not in types and item.index not in used
    ]
    return replace(record, values=(*record.values, *added))


def check(record: Record, template: Template) -> tuple[Fault, ...]:
    """Return all that is wrong with ``record`` under ``template``."""
    return tuple(_record_faults(record, template))


def check_all(records: Iterable[Record], template: Template) -> tuple[Fault, ...]:
    """Return all that is wrong with ``records``, rows counted from 0, twice-used unique data included."""
    faults: list[Fault] = []
    seen: dict[tuple[str, bytes], int] = {}
    for row, record in enumerate(records):
        faults += [replace(fault, row=row) for fault in _record_faults(record, template)]
        for value in record.values:
            item = template.item(value.type)
            if item is not None and item.unique:
                first = seen.setdefault((item.name, value.data), row)
                if first != row:
                    message = f"{item.name} is the same as in row {first}"
                    faults.append(Fault(record.handle, message, "Give every record its own.", row))
    return tuple(faults)


def _record_faults(record: Record, template: Template) -> Iterator[Fault]:
    place = record.handle
    types = {value.type for value in record.values}
    for item in template.items:
        if item.required and item.name not in types:
            yield Fault(place, f"{item.name} ({item.title}) is missing", "Give a value of that type.")
    for value in record.values:
        described = template.item(value.type)
        if described is None:
            if not value.type.startswith("HS_") and value.type not in ALWAYS_ALLOWED:
                message = f"{value.type} is not in template {template.prefix} {template.version}"
                yield Fault(place, message, "Leave it out, or add it to the template.")
        else:
            yield from _value_faults(place, value, described)


def _value_faults(place: str, value: Value, item: Item) -> Iterator[Fault]:
    if value.permissions & ~item.permissions:
        message = f"{item.name} may be read or written by more than the template allows ({value.permissions:04b})"
        yield Fault(place, message, f"Give the permissions {item.permissions:04b}.")
    try:
        text = value.data.decode()
    except UnicodeDecodeError:
        yield Fault(place, f"{item.name} is not UTF-8 text", "Give text, or the address of a file.")
        return
    yield from _text_faults(place, item, text)


def _text_faults(place: str, item: Item, text: str) -> Iterator[Fault]:
    if not item.shortest <= len(text) <= item.longest:
        message = f"{item.name} has {len(text)} characters"
        yield Fault(place, message, f"Keep it within {item.shortest} and {item.longest}.")
    if item.choices and text not in item.choices:
        yield Fault(place, f"{item.name} is {text[:40]!r}", f"Use one of {', '.join(item.choices)[:200]}.")
    if item.form == "number":
        yield from _number_faults(place, item, text)
    elif item.form == "date" and not _is_date(text, item.date_format):
        yield Fault(place, f"{item.name} is {text[:40]!r}", f"Write a date as {item.date_format}.")
    elif item.form == "reference" and HANDLE.fullmatch(text) is None:
        yield Fault(place, f"{item.name} is {text[:40]!r}", "Give the handle that it refers to.")


def _number_faults(place: str, item: Item, text: str) -> Iterator[Fault]:
    try:
        number = Decimal(text) if text.isascii() and len(text) <= NUMBER_MOST else Decimal("NaN")
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite():
        yield Fault(place, f"{item.name} is {text[:40]!r}", "Give a number.")
    elif (item.least is not None and number < item.least) or (item.most is not None and number > item.most):
        yield Fault(place, f"{item.name} is {text[:40]}", f"Keep it within {item.least} and {item.most}.")


def _is_date(text: str, date_format: str) -> bool:
    pattern = DATE_PATTERN.sub(lambda part: DATE_PARTS[part.group()], date_format.replace("%", "%%"))
    try:
        return bool(datetime.strptime(text, pattern))  # noqa: DTZ007 - a date in a record has no time zone
    except ValueError:
        return False


def template_from_json(document: object) -> Template:
    """Return the template of a request to ``/snms/api/v3/template`` or ``/api/v1/open/meta/create``.

    Raises IdentifierError with all its faults.
    """
    faults: list[Fault] = []
    found = document if isinstance(document, Mapping) else {}
    raw = next((found[key] for key in ("items", "metaItemCreateDTOS", "itemVOS") if key in found), None)
    if not isinstance(raw, Sequence) or isinstance(raw, str):
        faults.append(Fault("template", "it has no list of items", "Give items or metaItemCreateDTOS."))
        raw = ()
    items = [_item(entry, FIRST_INDEX + place, faults) for place, entry in enumerate(raw)]
    if faults:
        raise IdentifierError(faults, Code.INVALID_VALUE)
    prefix, version = _name(found)
    return Template(
        prefix=prefix,
        version=version,
        items=tuple(items),
        industry=tuple(str(found[key]) for key in INDUSTRY if found.get(key)),
        description=str(found.get("description") or found.get("metaDesc") or ""),
    )


def _name(found: Mapping[str, object]) -> tuple[str, str]:
    handle = str(found.get("metaHandle") or found.get("metaCode") or "")
    prefix, _, version = handle.partition("/")
    return str(found.get("prefix") or prefix), str(found.get("version") or version or handle)


def _item(entry: object, index: int, faults: list[Fault]) -> Item:
    found = entry if isinstance(entry, Mapping) else {}
    limits = _limits(found)
    name = str(found.get("idType") or found.get("englishName") or "")
    place = f"template item {name or index}"
    form = _form(place, limits.get("dataType", limits.get("type", "string")), faults)
    most = NUMBER_MOST if form == "number" else STRING_MOST
    least, greatest = _range(place, limits.get("numberRange"), faults)
    return Item(
        index=_whole(place, found.get("itemIndex"), index, faults),
        name=name,
        title=str(found.get("chineseName") or found.get("name") or ""),
        required=found.get("required") in (True, 1),
        default=str(found.get("default") or ""),
        permissions=PRIVATE if found.get("public") in (False, 0) else PUBLIC,
        form=form,
        shortest=_whole(place, limits.get("minLength"), 0, faults),
        longest=_whole(place, limits.get("maxLength"), most, faults),
        least=least,
        most=greatest,
        date_format=str(limits.get("dateFormat") or DATE_FORMAT),
        unique=found.get("uniqueField") in (True, 1),
    )


def _limits(found: Mapping[str, object]) -> Mapping[str, object]:
    raw = next((found[key] for key in ("metadata", "itemSchemaCreateDTO", "itemSchemaVO") if key in found), None)
    if isinstance(raw, Sequence) and not isinstance(raw, str) and raw:
        raw = raw[0]
    return raw if isinstance(raw, Mapping) else {}


def _form(place: str, found: object, faults: list[Fault]) -> str:
    text = str(found)
    if text.isascii() and text.isdecimal() and len(text) < 3 and 1 <= int(text) <= len(FORMS):
        return FORMS[int(text) - 1]
    if text.lower() in FORMS:
        return text.lower()
    faults.append(Fault(place, f"the data type is {text[:40]!r}", f"Use 1 to {len(FORMS)} or {', '.join(FORMS)}."))
    return FORMS[0]


def _whole(place: str, found: object, default: int, faults: list[Fault]) -> int:
    if found is None:
        return default
    text = str(found)
    if isinstance(found, bool) or not text.isascii() or not text.isdecimal() or len(text) > 9:
        faults.append(Fault(place, f"{text[:40]!r} is not a whole number", "Give one."))
        return default
    return int(text)


def _range(place: str, found: object, faults: list[Fault]) -> tuple[Decimal | None, Decimal | None]:
    if found in (None, ""):
        return None, None
    match = RANGE.fullmatch(str(found)[:100])
    if match is None:
        faults.append(Fault(place, f"the range is {str(found)[:40]!r}", "Write it as [1,10]."))
        return None, None
    return Decimal(match[2]), Decimal(match[3])
