"""Lists: filtered, in pages, each page of one list read at the same revision."""

import base64
from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from apiserver import refusals
from apiserver.kinds import Kind
from apiserver.selectors import matcher
from apiserver.store import Compacted, JsonObject, Key, Store

TOKEN_VERSION = "meta.k8s.io/v1"  # noqa: S105 - it says how the continue token is written

ANY_REVISION = -1  # in a token: the rest of the list need not be as it stood when the list began

CONTINUE_EXPIRED = (
    "The provided continue parameter is too old to display a consistent list result. You can start a new "
    "list without the continue parameter, or use the continue token in this response"
)
LIST_EXPIRED = "The resourceVersion for the provided list is too old."


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Some of the objects asked for, and the metadata of the list."""

    objects: list[JsonObject]
    metadata: JsonObject


class _Token(msgspec.Struct, frozen=True):
    """Where the next page begins, and the revision to read it at."""

    v: str
    rv: int
    start: str


def page(store: Store, kind: Kind, namespace: str, query: Mapping[str, str]) -> Page:
    """The next page of a list, or all of it without a limit."""
    token = _read_token(query.get("continue", ""))
    start = "" if token is None else token.start
    revision = _revision_to_read(store, query, token)
    try:
        found = store.all(kind, at=revision if revision != store.revision else None)
    except Compacted as error:
        if token is None:
            raise refusals.expired(LIST_EXPIRED) from error
        raise refusals.expired(CONTINUE_EXPIRED, continue_token=_write_token(ANY_REVISION, start)) from error
    labels, fields = query.get("labelSelector", ""), query.get("fieldSelector", "")
    matches = matcher(kind, labels=labels, fields=fields)
    takes_all = not labels and not fields
    wanted = found[bisect_left(found, start, key=_path) :]  # a list is in order of its paths
    if namespace or not takes_all:
        wanted = [
            (key, value)
            for key, value in wanted
            if namespace in {"", key.namespace} and (takes_all or matches(value))
        ]
    limit = _limit(query.get("limit", "")) or len(wanted)
    metadata: JsonObject = {"resourceVersion": str(revision)}
    if len(wanted) > limit:
        metadata["continue"] = _write_token(revision, wanted[limit][0].path)
        if takes_all:
            metadata["remainingItemCount"] = len(wanted) - limit
    return Page(objects=[value for _, value in wanted[:limit]], metadata=metadata)


def _path(item: tuple[Key, JsonObject]) -> str:
    return item[0].path


def _revision_to_read(store: Store, query: Mapping[str, str], token: "_Token | None") -> int:
    asked = _revision(query.get("resourceVersion", ""))
    if token is not None and asked:
        raise refusals.bad_request("specifying resource version is not allowed when using continue")
    match = query.get("resourceVersionMatch")
    if match is not None and "resourceVersion" not in query:
        why = "resourceVersionMatch is forbidden unless resourceVersion is provided"
        raise refusals.forbidden_option("resourceVersionMatch", why)
    if asked > store.revision:
        raise refusals.too_new(asked, store.revision)
    if token is not None and token.rv != ANY_REVISION:
        return token.rv
    return asked if match == "Exact" and asked else store.revision


def _revision(text: str) -> int:
    if text and not text.isdecimal():
        why = f'resourceVersion: Invalid value: "{text}": strconv.ParseUint: parsing "{text}": invalid syntax'
        raise refusals.bad_request(f"invalid resource version: {why}")
    return int(text or 0)


def _limit(text: str) -> int:
    if text and not text.isdecimal():
        raise refusals.bad_request(f'limit: Invalid value: "{text}": a number is needed')
    return int(text or 0)


def _write_token(revision: int, start: str) -> str:
    token = msgspec.json.encode(_Token(v=TOKEN_VERSION, rv=revision, start=start))
    return base64.urlsafe_b64encode(token).decode().rstrip("=")


def _read_token(text: str) -> _Token | None:
    if not text:
        return None
    try:
        return msgspec.json.decode(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)), type=_Token)
    except ValueError as error:
        raise refusals.bad_request(f"invalid continue token: continue key is not valid: {error}") from error
