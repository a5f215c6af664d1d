"""How an answer is written: plain objects, lists or Tables, by what the client accepts."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import msgspec
from aiohttp import web

from apiserver import refusals
from apiserver.kinds import Kind
from apiserver.refusals import Reason, Refused
from apiserver.store import JsonObject
from apiserver.tables import table

COMPRESS_FROM_BYTES: Final = 128 * 1024  # as the real server; below it compression costs more than it saves

_PLAIN: Final = {"application/json", "application/*", "*/*"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """How the client wants objects: as they are, or as rows of a Table."""

    as_table: bool = False
    include: str = "Metadata"
    with_columns: bool = True


def form_of(request: web.Request) -> Form:
    """The first form in the Accept header that is served here."""
    accepted = request.headers.get("Accept", "*/*")
    for entry in accepted.split(","):
        media, *parameters = (part.strip() for part in entry.split(";"))
        said = dict(part.split("=", 1) for part in parameters if "=" in part)
        if media not in _PLAIN:
            continue
        if said.get("as") == "Table" and said.get("g") == "meta.k8s.io":
            return Form(as_table=True, include=request.query.get("includeObject", "Metadata"))
        if "as" not in said:
            return Form()
    raise Refused(
        code=406,
        reason=Reason.NOT_ACCEPTABLE,
        message="406: Not Acceptable\n\nAvailable representations: application/json",
        details={},
    )


def one(kind: Kind, value: JsonObject, form: Form) -> JsonObject:
    """One object in that form."""
    if not form.as_table:
        return value
    metadata = {"resourceVersion": value["metadata"]["resourceVersion"]}
    return _table(kind, [value], metadata, form)


def many(kind: Kind, values: Sequence[JsonObject], metadata: JsonObject, form: Form) -> JsonObject:
    """A list in that form; its items do not repeat what the list says about them all."""
    if form.as_table:
        return _table(kind, values, metadata, form)
    items = [
        {name: part for name, part in value.items() if name not in {"kind", "apiVersion"}} for value in values
    ]
    return {"kind": f"{kind.name}List", "apiVersion": kind.api_version, "metadata": metadata, "items": items}


def _table(kind: Kind, values: Sequence[JsonObject], metadata: JsonObject, form: Form) -> JsonObject:
    shown = table(kind, values, now=datetime.now(UTC), include=form.include, metadata=metadata)
    return shown if form.with_columns else shown | {"columnDefinitions": None}


def success(kind: Kind, value: JsonObject) -> JsonObject:
    """What a deletion is answered with."""
    details = {"name": value["metadata"]["name"], "group": kind.group, "kind": kind.plural}
    details["uid"] = value["metadata"]["uid"]
    return {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Success",
        "details": {name: text for name, text in details.items() if text},
    }


def respond(body: JsonObject, *, code: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    """The answer with this JSON."""
    data = msgspec.json.encode(body)
    return web.Response(body=data, status=code, content_type="application/json", headers=headers)


def compress(response: web.StreamResponse, request: web.Request) -> None:
    """Send a large answer as gzip, if the client takes that."""
    if not isinstance(response, web.Response) or not isinstance(response.body, bytes):
        return
    if len(response.body) > COMPRESS_FROM_BYTES and "gzip" in request.headers.get("Accept-Encoding", ""):
        response.enable_compression(web.ContentCoding.gzip)


def refuse(refused: refusals.Refused) -> web.Response:
    """The answer to a request that was refused."""
    headers = {"Retry-After": "1"} if refused.code in {429, 504} else None
    return respond(refused.status(), code=refused.code, headers=headers)
