"""Whether a dataclass or model fits where another is expected, by their JSON schemas, as a cluster's compiler decides.

The cluster compares with `gitlab.com/yvesf/json-schema-compare` on `santhosh-tekuri/jsonschema` (draft 7), whose rules
these are, the odd ones too: what they call subset is the expected schema, superset the given one.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

Schema = dict[str, Any]

_AT_LEAST = {"minLength": "string", "minItems": "array", "minProperties": "object", "minimum": "number"}
_AT_MOST = {"maxLength": "string", "maxItems": "array", "maxProperties": "object", "maximum": "number"}
_DRAFTS = {f"http://json-schema.org/{draft}schema#" for draft in ("", "draft-04/", "draft-06/", "draft-07/")}
_UNDECIDED = "not decided"
"""What the cluster's comparison doesn't know: ignored, except inside of anyOf, allOf and oneOf."""


def accepts_schema(given: Schema, expected: Schema) -> bool:
    """Tell whether a value with the schema `given` is accepted for one with `expected`; a schema without end is."""
    if given == expected:
        return True
    if any(schema.get("$schema", "http://json-schema.org/schema#") not in _DRAFTS for schema in (given, expected)):
        return False
    try:
        return all(problem is _UNDECIDED for problem in _Comparison(expected, given).problems(expected, given))
    except RecursionError:
        return True


class _Comparison:
    """Two documents, in which references are looked up."""

    def __init__(self, expected: Schema, given: Schema) -> None:
        self._expected = expected
        self._given = given

    def problems(self, expected: Any, given: Any) -> Iterator[str]:
        """Yield a word for everything that is against accepting the one for the other."""
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
        """Each of the given choices needs one among the expected that has nothing against it, undecided or not."""
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
    """A schema behind its references; one that is just true or false says nothing."""
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
    # One without the other ends the cluster's comparison in an error.
    if len(steps) == 1 or (len(steps) == 2 and int(steps[0]) and int(steps[1]) % int(steps[0])):
        yield "multipleOf"


def _of_bounds(kind: str, expected: Schema, given: Schema) -> Iterator[str]:
    """A bound of the expected must be there in the given, as narrow or narrower."""
    for key in (k for k, of in _AT_LEAST.items() if of == kind and k in expected):
        if key not in given or given[key] < expected[key]:
            yield key
    for key in (k for k, of in _AT_MOST.items() if of == kind and k in expected):
        if key not in given or given[key] > expected[key]:
            yield key
