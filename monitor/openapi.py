"""Request and answer types in the OpenAPI description, from the same structs that are encoded."""

from typing import Any, Final

import msgspec

REFERENCE: Final = "#/components/schemas/{name}"
components: dict[str, Any] = {}


def described(answer: Any = None, *, request: Any = None, also: tuple[int, ...] = ()) -> dict[str, Any]:
    """`openapi_extra` for an operation: its answer's type, its body's, and the errors that it may give."""
    extra: dict[str, Any] = {}
    if answer is not None:
        extra["responses"] = {200: _json("OK", answer)} | {status: _json("Error", ErrorBody) for status in also}
    if request is not None:
        extra["requestBody"] = {"required": True, **_json("", request)}
        extra["requestBody"].pop("description")
    return extra


class FieldFault(msgspec.Struct):
    field: str
    message: str


class ErrorBody(msgspec.Struct, omit_defaults=True):
    """Every error: what is wrong, and for validation each field."""

    error: str
    details: list[FieldFault] | None = None


def _json(description: str, kind: Any) -> dict[str, Any]:
    (schema,), found = msgspec.json.schema_components([kind], ref_template=REFERENCE)
    components.update(found)
    return {"description": description, "content": {"application/json": {"schema": schema}}}
