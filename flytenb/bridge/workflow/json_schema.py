"""Comparison of the JSON schemas of dataclasses and models, as a cluster's compiler compares them.

The cluster uses `gitlab.com/yvesf/json-schema-compare` on `santhosh-tekuri/jsonschema` (draft 7). These are its rules,
including the unexpected ones: its subset is the expected schema, its superset the given one.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

Schema = dict[str, Any]

_AT_LEAST = {"minLength": "string", "minItems": "array", "minProperties": "object", "minimum": "number"}
_AT_MOST = {"maxLength": "string", "maxItems": "array", "maxProperties": "object", "maximum": "number"}
_DRAFTS = {f"http://json-schema.org/{draft}schema#" for draft in ("", "draft-04/", "draft-06/", "draft-07/")}
_UNDECIDED = "not decided"
"""Keywords that the cluster's comparison ignores, except inside of anyOf, allOf and oneOf."""


def accepts_schema(given: Schema, expected: Schema) -> bool:
    """Tell whether a value with the schema `given` is accepted for `expected`; a recursive schema is accepted."""
    if given == expected:
        return True
    if any(schema.get("$schema", "http://json-schema.org/schema#") not in _DRAFTS for schema in (given, expected)):
        return False
    try:
        return all(problem is _UNDECIDED for problem in _Comparison(expected, given).problems(expected, given))
    except RecursionError:
        return True


class _Comparison:
    """Two schema documents, which references are resolved in."""

    def __init__(self, expected: Schema, given: Schema) -> None:
        self._expected = expected
        self._given = given

    def problems(self, expected: Any, given: Any) -> Iterator[str]:
        """Yield each reason to refuse the given schema."""
        expected, given = _resolved(expected, self._expected), _resolved(given, self._given)
        types, given_types = _types(expected), _types(given)
        yield from (f"type {t}" for t in types - given_types)
        yield from (f"type {t}" for t in given_types - types if t != "object" or types)
        if "string" in types:
            yield from _of_string(expected, given)
        if "number" in types:
            yield from _of_number(expected, given)
        if "array" in types:
            yield from self._of_array(expected, given)
        if "object" in types or not types:
            yield from self._of_object(expected, given)
        for key in ("allOf", "anyOf", "oneOf"):
            yield from self._of_choices(key, expected.get(key) or [], given.get(key) or [])
        if "const" in expected and ("const" not in given or expected["const"] != given["const"]):
            yield "const"

    def _of_choices(self, key: str, expected: list[Any], given: list[Any]) -> Iterator[str]:
        """Each of the given choices needs an expected one without a reason against it."""
        if bool(expected) != bool(given):
            yield key
            return
        for choice in given:
            if not any(self._is_deeply_equal(other, choice) for other in expected):
                yield key

    def _is_deeply_equal(self, expected: Any, given: Any) -> bool:
        if isinstance(expected, bool) or isinstance(given, bool):
            return expected is given
        return not any(True for _ in self.problems(expected, given))

    def _of_array(self, expected: Schema, given: Schema) -> Iterator[str]:
        yield from _of_bounds("array", expected, given)
        if "items" in expected:
            items, given_items = expected["items"], given.get("items")
            if given_items is None or isinstance(items, list) != isinstance(given_items, list):
                yield "items"
            elif not isinstance(items, list):
                yield from self.problems(items, given_items)
            elif len(items) != len(given_items):
                yield "items"
            else:
                for one, other in zip(items, given_items, strict=True):
                    yield from self.problems(one, other)
        if isinstance(expected.get("items"), list) or isinstance(given.get("items"), list):
            yield _UNDECIDED
        if expected.get("uniqueItems") and not given.get("uniqueItems"):
            yield "uniqueItems"

    def _of_object(self, expected: Schema, given: Schema) -> Iterator[str]:
        if any(schema.get("additionalProperties", True) is not True for schema in (expected, given)):
            yield _UNDECIDED
        yield from (f"required {n}" for n in expected.get("required", ()) if n not in given.get("required", ()))
        yield from _of_bounds("object", expected, given)
        for key in ("dependencies", "patternProperties", "not"):
            if key in expected or key in given:
                yield _UNDECIDED
        properties = given.get("properties", {})
        for name, inner in expected.get("properties", {}).items():
            if name in properties:
                yield from self.problems(inner, properties[name])
            else:
                yield f"field {name}"


def _resolved(schema: Any, document: Schema) -> Schema:
    """Resolve a schema's references; the schemas true and false have no keywords."""
    while isinstance(schema, dict) and "$ref" in schema:
        found: Any = document
        for step in str(schema["$ref"]).removeprefix("#").split("/"):
            found = found.get(step, {}) if step else found
        schema = found
    return schema if isinstance(schema, dict) else {}


def _types(schema: Schema) -> set[str]:
    types = schema.get("type", [])
    return {types} if isinstance(types, str) else set(types)


def _of_string(expected: Schema, given: Schema) -> Iterator[str]:
    if expected.get("format", "") != given.get("format", ""):
        yield "format"
    if "enum" in expected and not set(given.get("enum", ())) <= set(expected["enum"]):
        yield "enum"
    if "pattern" in expected and expected["pattern"] != given.get("pattern"):
        yield "pattern"
    yield from _of_bounds("string", expected, given)


def _of_number(expected: Schema, given: Schema) -> Iterator[str]:
    yield from _of_bounds("number", expected, given)
    for key in ("exclusiveMinimum", "exclusiveMaximum"):
        if key in expected or key in given:
            yield _UNDECIDED
    steps = [schema["multipleOf"] for schema in (expected, given) if "multipleOf" in schema]
    # The cluster's comparison fails if only one side has it.
    if len(steps) == 1 or (len(steps) == 2 and int(steps[0]) and int(steps[1]) % int(steps[0])):
        yield "multipleOf"


def _of_bounds(kind: str, expected: Schema, given: Schema) -> Iterator[str]:
    """A bound of the expected schema must exist in the given one, as narrow or narrower."""
    for key in (k for k, of in _AT_LEAST.items() if of == kind and k in expected):
        if key not in given or given[key] < expected[key]:
            yield key
    for key in (k for k, of in _AT_MOST.items() if of == kind and k in expected):
        if key not in given or given[key] > expected[key]:
            yield key
