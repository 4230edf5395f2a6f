"""Data templates of the secondary-node interfaces: kept as records of the node, asked for by prefix and version.

Source: teleinfo-dev/id-guide, docs/dev-tools/snms/v3/template.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from xinji.errors import Fault
from xinji.use.identity.errors import Code, IdentifierError, refuse
from xinji.use.identity.http.doip import with_admin
from xinji.use.identity.http.login import Login
from xinji.use.identity.http.message import (
    Json,
    Later,
    Request,
    Response,
    member_text,
    object_of,
    parameters,
    read_json,
    write_json,
)
from xinji.use.identity.http.node_calls import submit
from xinji.use.identity.node import Node
from xinji.use.identity.record import Record, Value
from xinji.use.identity.secondary_forms import FAILED, outcome, told
from xinji.use.identity.templates import Template, check, fill, template_from_json
from xinji.use.identity.trust import Requester, Standing

TEMPLATE = "TEMPLATE"
"""Type of the value with a template's version (in a record) or the template itself (in a template's record)."""
TEMPLATE_ID = "TEMPLATE_ID"
ID_INDEX, VERSION_INDEX = 1_000, 1_001
"""Indexes kept for the template's handle and version in every record made by it."""
META = "META_"
"""Start of the suffix of a template's handle."""
UNSAID = 0
"""Permissions of a value whose request does not say: those of the template."""

_PATHS = (b"/snms/api/v3/template", b"/snms/api/v5/template", b"/snms/api/template/v1")


def template_handle(prefix: str, version: str) -> str:
    """Return the handle under which a template is kept."""
    return f"{prefix}/{META}{version}"


@dataclass(frozen=True, slots=True)
class TemplateBook:
    """The templates that a node keeps."""

    node: Node

    def document(self, handle: str, requester: Requester) -> Json:
        """Return the template under ``handle`` as it was handed in.

        Raises IdentifierError (HANDLE_NOT_FOUND) where there is none.
        """
        found = self.node.resolve(handle, types=(TEMPLATE,), requester=requester)
        if found.code != Code.SUCCESS or not found.values:
            raise refuse(Code.INVALID_VALUE, handle[:80], "模板不存在", "请先新增数据模板。")
        return read_json(found.values[0].data, proved=True)

    def find(self, prefix: str, version: str, requester: Requester) -> Template:
        """Return a template; raises IdentifierError where there is none."""
        return template_from_json(self.document(template_handle(prefix, version), requester))

    def fitted(self, record: Record, template: Template, *, whole: bool = True) -> Record:
        """Return ``record`` with defaults, permissions and the name of its template.

        Unless ``whole`` it is a part of a record: nothing is missing in it. Raises IdentifierError (INVALID_VALUE)
        with all that the template does not allow.
        """
        faults = list(_misplaced(record, template))
        if faults:
            raise IdentifierError(faults, Code.INVALID_VALUE)
        rights = {item.name: item.permissions for item in template.items}
        values = tuple(
            replace(value, permissions=rights[value.type]) if value.permissions == UNSAID else value
            for value in record.values
        )
        full = Record(record.handle, values)
        wanted = template
        if whole:
            full = fill(full, template)
        else:
            given = {value.type for value in values}
            wanted = replace(template, items=tuple(item for item in template.items if item.name in given))
        found = check(full, wanted)
        if found:
            raise IdentifierError(found, Code.INVALID_VALUE)
        name = template_handle(template.prefix, template.version)
        marks = (
            Value(index=ID_INDEX, type=TEMPLATE_ID, data=name.encode()),
            Value(index=VERSION_INDEX, type=TEMPLATE, data=template.version.encode()),
        )
        return Record(record.handle, (*full.values, *marks))


def _misplaced(record: Record, template: Template) -> Iterator[Fault]:
    """Yield what the documents refuse first: indexes and types other than the template's."""
    for value in record.values:
        item = template.item(value.type)
        if item is None or item.index != value.index:
            message = f"非法操作，索引{value.index}在模板中不存在"
            yield Fault(record.handle, message, f"模板{template.version}的索引与类型须一致。")


@dataclass(frozen=True, slots=True)
class TemplateRoutes:
    """Asking for, adding, changing and deleting templates."""

    node: Node
    login: Login
    book: TemplateBook

    def routes(self) -> dict[tuple[bytes, bytes], Callable[[Request], Response | Later]]:
        """Return what is served, by method and path."""
        found: dict[tuple[bytes, bytes], Callable[[Request], Response | Later]] = {}
        for path in _PATHS:
            found[b"GET", path] = self._ask
            found[b"POST", path] = self._add
            found[b"PUT", path] = self._change
            found[b"DELETE", path] = self._delete
        return found

    def _ask(self, request: Request) -> Response:
        requester = self._requester(request)
        asked = parameters(request.query)
        for name in ("prefix", "version"):
            if not asked.get(name, [""])[0]:
                return told(None, status=FAILED, message=f"缺少必要的请求参数: {name}")
        return told(self.book.document(template_handle(asked["prefix"][0], asked["version"][0]), requester))

    def _add(self, request: Request) -> Response | Later:
        return self._keep(request, "create")

    def _change(self, request: Request) -> Response | Later:
        return self._keep(request, "put")

    def _keep(self, request: Request, kind: str) -> Later:
        requester = self._requester(request)
        document = object_of(read_json(request.body, proved=True), "body")
        template = template_from_json(document)
        handle = template_handle(template.prefix, template.version)
        values: tuple[Value, ...] = (Value(index=1, type=TEMPLATE, data=write_json(document)),)
        if kind == "create":
            values = with_admin(values, requester)
        future = submit(self.node, kind, handle, values, (), requester)
        return Later((future,), outcome)

    def _delete(self, request: Request) -> Later:
        requester = self._requester(request)
        document = object_of(read_json(request.body, proved=True), "body")
        handle = template_handle(member_text(document, "prefix", "body"), member_text(document, "version", "body"))
        future = submit(self.node, "delete", handle, (), (), requester)
        return Later((future,), outcome)

    def _requester(self, request: Request) -> Requester:
        return logged_in(self.login, request)


def logged_in(login: Login, request: Request) -> Requester:
    """Return who sends ``request``; raises IdentifierError where nobody is logged in."""
    requester = login.requester(request)
    if requester.standing < Standing.AUTHENTICATED:
        message = "the request has no token"
        raise refuse(Code.AUTHENTICATION_NEEDED, "Authorization", message, "POST /identity/token first.")
    return requester
