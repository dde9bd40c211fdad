"""Reading requests of programs, each one a JSON object."""

import json
from dataclasses import replace
from typing import Any, get_type_hints

from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails, from_json

from trio_chat.client import requests
from trio_chat.client.requests import KINDS, Request
from trio_chat.core.letters import cut
from trio_chat.protocols.unacked import new_token

READERS: dict[str, TypeAdapter[Request]] = {name: TypeAdapter(kind) for name, kind in KINDS.items()}


class BadRequest(ValueError):
    """A line is not a valid request; the text says why, in one line."""


def read_request(line: bytes, room: str) -> Request:
    """Read a line; where no target is named, it is ``room``. Raises BadRequest."""
    try:
        fields = from_json(line)
    except ValueError as error:
        raise BadRequest(f"This is not JSON: {error}.") from None
    if not isinstance(fields, dict):
        raise BadRequest("This is not a JSON object.")
    if "type" not in fields:
        raise BadRequest(f'"type" is missing. {_THERE_ARE}')
    kind = str(fields.pop("type"))
    if kind not in KINDS:
        raise BadRequest(f"There is no type {_quoted(kind)}. {_THERE_ARE}")
    try:
        request = READERS[kind].validate_python(fields)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise BadRequest(_why(kind, first)) from None
    return _completed(request, room)


def _completed(request: Request, room: str) -> Request:
    if isinstance(request, requests.Say) and not request.token:
        request = replace(request, token=new_token())
    if isinstance(request, requests.Targeted) and not request.target:
        request = replace(request, target=room)
    return request


def _why(kind: str, error: ErrorDetails) -> str:
    field = str(error["loc"][0])
    match error["type"]:
        case "missing":
            return f'"{field}" is missing in {kind}.'
        case "unexpected_keyword_argument":
            return f"There is no {_quoted(field)} in {kind}."
        case "string_pattern_mismatch" | "string_too_long" | "value_error":
            right = get_type_hints(KINDS[kind], include_extras=True)[field].__metadata__[0]
            must = f"{right.description[0].lower()}{right.description[1:]}"
        case _:
            must = f"{error['msg'].removeprefix('Input should be ')}."
    return f'"{field}" in {kind} must be {must}'


_THERE_ARE = f"There are {', '.join(KINDS)}."

_QUOTED_MAX = 50  # characters of what somebody else has written


def _quoted(text: Any) -> str:
    return json.dumps(cut(str(text), _QUOTED_MAX), ensure_ascii=False)
