"""Text forms of Go's standard library, which a cluster's co-pilot writes and reads: numbers, times, durations, JSON.

Each function names the Go function that it follows; the readers raise ValueError for the text that Go refuses.
"""

from __future__ import annotations

import datetime
import json
import math
import re
from decimal import Decimal
from typing import Any

from google.protobuf.struct_pb2 import ListValue, Struct
from google.protobuf.struct_pb2 import Value as JsonValue

_NANOS = {"ns": 1, "us": 10**3, "µs": 10**3, "μs": 10**3, "ms": 10**6, "s": 10**9, "m": 60 * 10**9, "h": 3600 * 10**9}
_LARGEST = 2**63
_EPOCH = datetime.datetime(1970, 1, 1)
_TRUE = frozenset({"1", "t", "T", "TRUE", "true", "True"})
_FALSE = frozenset({"0", "f", "F", "FALSE", "false", "False"})
_INT = re.compile(r"[+-]?[0-9]+")
_DECIMAL = re.compile(r"[+-]?([0-9](_?[0-9])*\.?([0-9](_?[0-9])*)?|\.[0-9](_?[0-9])*)([eE][+-]?[0-9](_?[0-9])*)?")
_HEX = re.compile(
    r"[+-]?0[xX](_?[0-9a-fA-F](_?[0-9a-fA-F])*\.?([0-9a-fA-F](_?[0-9a-fA-F])*)?|\.[0-9a-fA-F](_?[0-9a-fA-F])*)"
    r"[pP][+-]?[0-9](_?[0-9])*"
)
_NOT_FINITE = re.compile(r"nan|[+-]?inf(inity)?", re.IGNORECASE)
_TIME = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{1,2}):([0-9]{2}):([0-9]{2})([.,][0-9]+)?(?:Z|([+-])([0-9]{2}):([0-9]{2}))"
)
_ONE_DURATION = re.compile(r"([0-9]*)(?:(\.)([0-9]*))?([^0-9.]*)")


def write_bool(value: bool) -> str:
    """Return `true` or `false` (`strconv.FormatBool`)."""
    return "true" if value else "false"


def read_bool(text: str) -> bool:
    """Read a truth value (`strconv.ParseBool`)."""
    if text in _TRUE or text in _FALSE:
        return text in _TRUE
    raise ValueError(f"expected true or false, got {text!r}")


def read_int(text: str) -> int:
    """Read a whole number of 64 bits (`strconv.ParseInt(s, 10, 64)`)."""
    if not _INT.fullmatch(text):
        raise ValueError(f"expected a whole number, got {text!r}")
    value = int(text)
    if not -_LARGEST <= value < _LARGEST:
        raise ValueError(f"expected a whole number of at most 64 bits, got {text}")
    return value


def write_float(value: float) -> str:
    """Return the shortest decimal form without an exponent (`strconv.FormatFloat(v, 'f', -1, 64)`)."""
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else "+Inf" if value > 0 else "-Inf"
    return format(Decimal(repr(value)), "f").removesuffix(".0")


def write_short_float(value: float) -> str:
    """Return the shortest form, with an exponent below 1e-4 and from 1e6 on (`fmt.Sprintf("%v", v)`)."""
    if not math.isfinite(value) or value == 0 or -4 <= Decimal(repr(value)).adjusted() < 6:
        return write_float(value)
    return _with_exponent(value)


def _with_exponent(value: float) -> str:
    sign, digits, _ = (number := Decimal(repr(value)).normalize()).as_tuple()
    first, *rest = map(str, digits)
    mantissa = first + ("." + "".join(rest) if rest else "")
    exponent = number.adjusted()
    return f"{'-' if sign else ''}{mantissa}e{'-' if exponent < 0 else '+'}{abs(exponent):02d}"


def read_float(text: str) -> float:
    """Read a floating-point number (`strconv.ParseFloat(s, 64)`)."""
    if _DECIMAL.fullmatch(text) or _NOT_FINITE.fullmatch(text):
        value = float(text.replace("_", ""))
    elif _HEX.fullmatch(text):
        value = _read_hex(text.replace("_", ""))
    else:
        raise ValueError(f"expected a number, got {text!r}")
    if math.isinf(value) and not _NOT_FINITE.fullmatch(text):
        raise ValueError(f"expected a number of at most 64 bits, got {text}")
    return value


def _read_hex(text: str) -> float:
    try:
        return float.fromhex(text)
    except OverflowError:
        return math.inf


def write_time(seconds: int, nanos: int) -> str:
    """Return a moment in UTC, with as many digits of a second as it has (`time.RFC3339Nano`)."""
    moment = _EPOCH + datetime.timedelta(seconds=seconds)
    fraction = f".{nanos:09d}".rstrip("0") if nanos else ""
    return f"{moment.isoformat()}{fraction}Z"


def read_time(text: str) -> tuple[int, int]:
    """Read a moment as seconds since 1970 and nanoseconds (`time.Parse(time.RFC3339, s)`)."""
    found = _TIME.fullmatch(text)
    if found is None:
        raise ValueError(f"expected a time such as 2030-01-31T12:00:00Z, got {text!r}")
    *whole, fraction, sign, offset_hours, offset_minutes = found.groups()
    seconds = (datetime.datetime(*map(int, whole)) - _EPOCH) // datetime.timedelta(seconds=1)  # type: ignore[arg-type]
    if sign:
        if int(offset_hours) > 24 or int(offset_minutes) > 60:
            raise ValueError(f"expected an offset of at most 24:00, got {text!r}")
        seconds -= (int(offset_hours) * 60 + int(offset_minutes)) * (60 if sign == "+" else -60)
    lowest, highest = -62135596800, 253402300800  # the years 1 to 9999, which a Timestamp may hold
    if not lowest <= seconds < highest:
        raise ValueError(f"expected a time in the years 1 to 9999, got {text!r}")
    return seconds, int((fraction or ".")[1:10].ljust(9, "0"))


def write_duration(nanos: int) -> str:
    """Return a duration such as `1h2m3.5s` (`time.Duration.String`).

    Raises:
        ValueError: if it is longer than 292 years, which no `time.Duration` can hold.
    """
    if not -_LARGEST <= nanos < _LARGEST:
        raise ValueError(f"expected a duration of at most 292 years, got one of {nanos // 10**9} s")
    sign, rest = "-" if nanos < 0 else "", abs(nanos)
    if rest < 10**9:
        unit = "ns" if rest < 10**3 else "µs" if rest < 10**6 else "ms"
        return f"{sign}{_decimal(rest, _NANOS[unit])}{unit}" if rest else "0s"
    minutes, rest = divmod(rest, _NANOS["m"])
    hours, minutes = divmod(minutes, 60)
    return sign + (f"{hours}h" if hours else "") + (f"{minutes}m" if hours or minutes else "") + _decimal(rest) + "s"


def _decimal(value: int, unit: int = 10**9) -> str:
    whole, rest = divmod(value, unit)
    return f"{whole}.{rest:0{len(str(unit)) - 1}d}".rstrip("0").rstrip(".") if rest else str(whole)


def read_duration(text: str) -> int:
    """Read a duration such as `300ms`, `-1.5h` or `2h45m` as nanoseconds (`time.ParseDuration`)."""
    problem = ValueError(f"expected a duration such as 1h2m3.5s, got {text!r}")
    is_negative, rest = text[:1] == "-", text[1:] if text[:1] in ("-", "+") else text
    if rest == "0":
        return 0
    total = 0
    while rest or not text:
        found = _ONE_DURATION.match(rest)
        assert found is not None, "the pattern matches the empty text"
        whole, _, fraction, unit = found.groups()
        if not (whole or fraction) or unit not in _NANOS:
            raise problem
        total += int(whole or "0") * _NANOS[unit] + _read_fraction(fraction or "", _NANOS[unit])
        rest = rest[found.end() :]
        if total > _LARGEST:
            raise problem
    if (total == _LARGEST and not is_negative) or rest or text in ("+", "-"):
        raise problem
    return -total if is_negative else total


def _read_fraction(digits: str, unit: int) -> int:
    """Read `.123` of a unit with the floating-point arithmetic of Go's `leadingFraction`."""
    value, scale = 0, 1.0
    for digit in digits:
        if value > (_LARGEST - 1) // 10 or value * 10 + int(digit) > _LARGEST:
            break
        value, scale = value * 10 + int(digit), scale * 10
    return int(float(value) * (float(unit) / scale))


def write_json(struct: Struct) -> str:
    """Return compact JSON with sorted keys (`jsonpb.Marshaler`).

    Raises:
        ValueError: for NaN and the infinities, which JSON doesn't have.
    """
    return _json_object(struct)


def _json_object(struct: Struct) -> str:
    pairs = (f"{write_json_text(key)}:{_json(struct.fields[key])}" for key in sorted(struct.fields, key=str.encode))
    return "{" + ",".join(pairs) + "}"


def _json(value: JsonValue) -> str:
    match value.WhichOneof("kind"):
        case "number_value":
            return write_json_number(value.number_value)
        case "string_value":
            return write_json_text(value.string_value)
        case "bool_value":
            return write_bool(value.bool_value)
        case "struct_value":
            return _json_object(value.struct_value)
        case "list_value":
            return "[" + ",".join(map(_json, value.list_value.values)) + "]"
    return "null"


def write_json_number(value: float) -> str:
    """Return a number of JSON (`encoding/json`).

    Raises:
        ValueError: for NaN and the infinities.
    """
    if not math.isfinite(value):
        raise ValueError(f"JSON can't hold {write_float(value)}")
    if value == 0 or 1e-6 <= abs(value) < 1e21:
        return write_float(value)
    return _with_exponent(value).replace("e-0", "e-")


_ESCAPED_IN_JSON = re.compile("[<>&\u2028\u2029]")


def write_json_text(text: str) -> str:
    """Return a string of JSON, without characters that mean something in HTML (`encoding/json`)."""
    quoted = json.dumps(text, ensure_ascii=False)
    return _ESCAPED_IN_JSON.sub(lambda found: f"\\u{ord(found[0]):04x}", quoted)


def read_json(text: str) -> Struct:
    """Read a JSON object; all its numbers become floats (`jsonpb.Unmarshaler`)."""
    try:
        found, _ = json.JSONDecoder(parse_int=float, parse_constant=_refuse_constant).raw_decode(text.lstrip("\r"))
    except (json.JSONDecodeError, RecursionError) as error:
        raise ValueError(f"expected a JSON object: {error}") from error
    struct = Struct()
    if found is None:
        return struct
    if not isinstance(found, dict):
        raise ValueError(  # noqa: TRY004 - it is the text that is wrong
            f"expected a JSON object, got a {type(found).__name__}"
        )
    _fill(struct, found)
    return struct


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"expected a JSON number, got {name}")


def _fill(struct: Struct, found: dict[str, Any]) -> None:
    for key, value in found.items():
        _set(struct.fields[_sound(key)], value)


def _set(at: JsonValue, value: Any) -> None:
    match value:
        case None:
            at.null_value = 0
        case bool():
            at.bool_value = value
        case float():
            at.number_value = _sound_number(value)
        case str():
            at.string_value = _sound(value)
        case list():
            at.list_value.CopyFrom(ListValue())
            for item in value:
                _set(at.list_value.values.add(), item)
        case dict():
            at.struct_value.CopyFrom(Struct())
            _fill(at.struct_value, value)


def _sound_number(value: float) -> float:
    if math.isinf(value):
        raise ValueError("expected a number of at most 64 bits in the JSON")
    return value


def _sound(text: str) -> str:
    """Replace lone surrogates, as Go does."""
    return re.sub("[\ud800-\udfff]", "\ufffd", text)
