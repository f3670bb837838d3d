"""Flyte's co-pilot, transcribed from its Go source (flyteorg/flyte 1.16.8) and from Go's standard library.

An oracle for the file contract of raw containers: it shares no code with the package. `download` follows
`flytecopilot/data/download.go`, `upload` follows `upload.go` and `coreutils/literals.go`; files come from and stay on
the local disk.
"""

from __future__ import annotations

import base64
import json
import os
import re
import struct
from calendar import monthrange
from datetime import date, timedelta
from decimal import Context, Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

from flyteidl.core import literals_pb2 as lit
from flyteidl.core import types_pb2 as typ
from flyteidl.core.interface_pb2 import VariableMap


class CopilotError(Exception):
    """What co-pilot refuses."""


# --- download.go ------------------------------------------------------------------------------------------------------


def download(literals: lit.LiteralMap, folder: Path) -> None:
    for name, literal in literals.literals.items():
        _handle_literal(literal, Path(os.path.normpath(f"{folder}/{name}")))


def inputs_json(literals: lit.LiteralMap, folder: str) -> Any:
    """The VarMap that DownloadInputs marshals: what each handler returns first."""
    return {name: _variable(literal, f"{folder}/{name}") for name, literal in literals.literals.items()}


def _variable(literal: lit.Literal, path: str) -> Any:
    if literal.HasField("collection"):
        return [_variable(item, f"{path}/{i}") for i, item in enumerate(literal.collection.literals)]
    if literal.HasField("map"):
        return inputs_json(literal.map, path)
    scalar = literal.scalar
    if scalar.HasField("blob") or scalar.HasField("schema"):
        return path
    if scalar.HasField("union"):
        return _variable(scalar.union.value, path)
    if scalar.HasField("binary"):
        return base64.standard_b64encode(scalar.binary.value).decode()
    if scalar.HasField("error"):
        return scalar.error.message
    if scalar.HasField("generic"):
        return json.loads(_marshal(scalar.generic))
    if scalar.HasField("primitive"):
        if scalar.primitive.HasField("duration"):
            return None  # 1.16.8 declares a second `v`, and returns the first
        if scalar.primitive.HasField("datetime"):
            return _handle_primitive(scalar.primitive).decode()
        if scalar.primitive.HasField("float_value"):
            return json.loads(_json_float(scalar.primitive.float_value))
        return getattr(scalar.primitive, str(scalar.primitive.WhichOneof("value")))
    return None


def _handle_literal(literal: lit.Literal, path: Path) -> None:
    if literal.HasField("scalar"):
        _handle_scalar(literal.scalar, path)
    elif literal.HasField("collection"):
        path.mkdir(parents=True, exist_ok=True)
        for i in range(len(literal.collection.literals)):
            _handle_literal(literal.collection.literals[i], path / str(i))
    elif literal.HasField("map"):
        path.mkdir(parents=True, exist_ok=True)
        download(literal.map, path)
    else:
        raise CopilotError("unsupported literal type")


def _handle_scalar(scalar: lit.Scalar, path: Path) -> None:
    if scalar.HasField("primitive"):
        _write(path, _handle_primitive(scalar.primitive))
    elif scalar.HasField("blob"):
        _handle_blob(scalar.blob.uri, scalar.blob.metadata.type.dimensionality == typ.BlobType.MULTIPART, path)
    elif scalar.HasField("schema"):
        _handle_blob(scalar.schema.uri, True, path)
    elif scalar.HasField("binary"):
        _write(path, scalar.binary.value)
    elif scalar.HasField("error"):
        _write(path, scalar.error.message.encode())
    elif scalar.HasField("generic"):
        _write(path, _marshal(scalar.generic).encode())
    elif scalar.HasField("union"):
        _handle_literal(scalar.union.value, path)
    elif scalar.HasField("none_type"):
        _write(path, b"null")
    else:
        raise CopilotError("unsupported scalar type")


def _handle_primitive(primitive: lit.Primitive) -> bytes:
    if primitive.HasField("string_value"):
        return primitive.string_value.encode()
    if primitive.HasField("boolean"):
        return b"true" if primitive.boolean else b"false"
    if primitive.HasField("integer"):
        return b"%d" % primitive.integer
    if primitive.HasField("float_value"):
        return _format_float(primitive.float_value).encode()
    if primitive.HasField("datetime"):
        return _format_rfc3339_nano(primitive.datetime.seconds, primitive.datetime.nanos).encode()
    if primitive.HasField("duration"):
        nanos = primitive.duration.seconds * 1_000_000_000 + primitive.duration.nanos
        if nanos not in range(-(1 << 63), 1 << 63):
            raise CopilotError("duration is out of range for time.Duration")
        return _duration_string(nanos).encode()
    return b"null"


def _handle_blob(uri: str, multipart: bool, path: Path) -> None:
    if not multipart:
        _write(path, Path(uri).read_bytes())
        return
    for file in Path(uri).rglob("*"):
        if file.is_file():
            target = path / file.relative_to(uri)
            target.parent.mkdir(parents=True, exist_ok=True)
            _write(target, file.read_bytes())


def _write(path: Path, content: bytes) -> None:
    try:
        path.write_bytes(content)
    except (OSError, ValueError) as error:
        raise CopilotError(str(error)) from error


def _format_float(value: float) -> str:
    """strconv.FormatFloat(value, 'f', -1, 64)."""
    if value != value:
        return "NaN"
    if value in (float("inf"), float("-inf")):
        return "+Inf" if value > 0 else "-Inf"
    sign, digits, exponent = _shortest(value)
    if exponent >= 0:
        return sign + digits + "0" * exponent
    padded = digits.zfill(1 - exponent)
    return f"{sign}{padded[:exponent]}.{padded[exponent:]}"


def _shortest(value: float) -> tuple[str, str, int]:
    """The shortest digits that read back as the value, without zeros at their end, and the power of ten."""
    sign = "-" if struct.pack(">d", value)[0] & 0x80 else ""
    if value == 0:
        return sign, "0", 0
    exact = Decimal(abs(value))
    for precision in range(1, 18):
        exponent = exact.adjusted() - precision + 1
        below = int(exact.scaleb(-exponent, Context(prec=800)))
        fitting = [n for n in (below, below + 1) if float(f"{n}e{exponent}") == abs(value)]
        if fitting:
            digits = str(min(fitting, key=lambda n: (abs(Decimal(n).scaleb(exponent) - exact), n % 2)))
            stripped = digits.rstrip("0")
            return sign, stripped, exponent + len(digits) - len(stripped)
    raise AssertionError("17 digits tell every float from its neighbours")


def _format_rfc3339_nano(seconds: int, nanos: int) -> str:
    days, rest = divmod(seconds, 86400)
    day = date(1970, 1, 1) + timedelta(days=days)
    fraction = ("." + str(nanos).rjust(9, "0")).rstrip("0").rstrip(".")
    return f"{day:%Y-%m-%d}".rjust(10, "0") + f"T{rest // 3600:02}:{rest // 60 % 60:02}:{rest % 60:02}{fraction}Z"


def _duration_string(d: int) -> str:
    """time.Duration.String."""
    out = ""
    u, neg = abs(d), d < 0
    if u < 1_000_000_000:
        if u == 0:
            return "0s"
        out = "s"
        if u < 1000:
            prec, out = 0, "n" + out
        elif u < 1_000_000:
            prec, out = 3, "µ" + out
        else:
            prec, out = 6, "m" + out
        u, out = _fmt_frac(u, prec, out)
        out = f"{u}{out}"
    else:
        u, out = _fmt_frac(u, 9, "s")
        out = f"{u % 60}{out}"
        u //= 60
        if u > 0:
            out = f"{u % 60}m{out}"
            u //= 60
            if u > 0:
                out = f"{u}h{out}"
    return "-" + out if neg else out


def _fmt_frac(v: int, prec: int, out: str) -> tuple[int, str]:
    printing = False
    for _ in range(prec):
        digit = v % 10
        printing = printing or digit != 0
        if printing:
            out = f"{digit}{out}"
        v //= 10
    return v, "." + out if printing else out


def _marshal(message: Any) -> str:
    """jsonpb.Marshaler of a Struct: encoding/json for what is in it, keys sorted, nothing between tokens."""
    members = sorted(message.fields.items(), key=lambda item: item[0].encode())
    return "{" + ",".join(f"{_json_string(k)}:{_marshal_value(v)}" for k, v in members) + "}"


def _marshal_value(value: Any) -> str:
    kind = value.WhichOneof("kind")
    if kind == "struct_value":
        return _marshal(value.struct_value)
    if kind == "list_value":
        return "[" + ",".join(_marshal_value(v) for v in value.list_value.values) + "]"
    if kind == "string_value":
        return _json_string(value.string_value)
    if kind == "bool_value":
        return "true" if value.bool_value else "false"
    if kind == "number_value":
        return _json_float(value.number_value)
    return "null"


def _json_string(text: str) -> str:
    out = []
    for c in text:
        if c in '"\\':
            out.append("\\" + c)
        elif c in "\b\f\n\r\t":
            out.append({"\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t"}[c])
        elif c < " " or c in "<>&\u2028\u2029":
            out.append(f"\\u{ord(c):04x}")
        else:
            out.append(c)
    return '"' + "".join(out) + '"'


def _json_float(value: float) -> str:
    """encoding/json's floatEncoder."""
    if value != value or value in (float("inf"), float("-inf")):
        raise CopilotError("json: unsupported value")
    if value == 0 or not (abs(value) < 1e-6 or abs(value) >= 1e21):
        return _format_float(value)
    sign, digits, exponent = _shortest(value)
    power = exponent + len(digits) - 1
    mantissa = digits[0] + ("." + digits[1:] if len(digits) > 1 else "")
    # 'e' gives two digits of an exponent at least; then e-09 becomes e-9
    return f"{sign}{mantissa}e{'-' if power < 0 else '+'}{abs(power):{'' if -10 < power < 0 else '02'}}"


# --- upload.go --------------------------------------------------------------------------------------------------------


def upload(variables: VariableMap, folder: Path) -> dict[str, lit.Literal]:
    """RecursiveUpload; a directory's literal lists its files, by the names under which they are uploaded, in `uri`."""
    error = folder / "_ERROR"
    if error.exists():
        if error.stat().st_size > 1024 * 1024:
            raise CopilotError("error file too large")
        if error.is_dir():
            raise CopilotError("error file is a directory")
        raise CopilotError("User Error: " + error.read_bytes().decode(errors="replace"))
    kinds = {name: v.type.WhichOneof("type") for name, v in variables.variables.items()}
    if not set(kinds.values()) <= {"blob", "simple"}:
        raise CopilotError("currently CoPilot uploader does not support")
    return {
        name: _handle_blob_type(folder / name)
        if kinds[name] == "blob"
        else _handle_simple_type(variables.variables[name].type.simple, folder / name)
        for name in kinds
    }


def _is_file_readable(path: Path) -> Path:
    if path.exists():
        return path
    matches = [f for f in path.parent.iterdir() if f.name.startswith(path.name + ".")]
    if len(matches) == 1:
        return matches[0]
    raise CopilotError(f"file not found at path [{path}]")


def _handle_blob_type(path: Path) -> lit.Literal:
    found = _is_file_readable(path)
    literal = lit.Literal()
    if found.is_dir():
        literal.scalar.blob.metadata.type.dimensionality = typ.BlobType.MULTIPART
        literal.scalar.blob.uri = "\n".join(sorted(name for _, _, names in os.walk(path) for name in names))
    else:
        literal.scalar.blob.uri = str(found)
    return literal


def _handle_simple_type(simple: int, path: Path) -> lit.Literal:
    path = _is_file_readable(path)
    if path.is_dir():
        raise CopilotError("expected file, found dir")
    if path.stat().st_size > 1024:
        raise CopilotError("maximum allowed filesize is [1024]")
    return make_literal_for_simple_type(simple, path.read_bytes())


def make_literal_for_simple_type(simple: int, content: bytes) -> lit.Literal:
    """coreutils.MakeLiteralForSimpleType; text that isn't UTF-8 can't be written as protobuf afterwards."""
    content = content.strip(b" \n\t")
    literal = lit.Literal()
    scalar = literal.scalar
    if simple == typ.BINARY:
        scalar.binary.value, scalar.binary.tag = content, "msgpack"
        return literal
    if simple == typ.NONE:
        scalar.none_type.SetInParent()
        return literal
    try:
        s = content.decode()
    except UnicodeDecodeError as error:
        raise CopilotError(str(error)) from error
    if simple == typ.STRUCT:
        _unmarshal(s, scalar.generic)
        scalar.generic.SetInParent()
    elif simple == typ.ERROR:
        scalar.error.message = s
    elif simple == typ.INTEGER:
        scalar.primitive.integer = _parse_int(s)
    elif simple == typ.FLOAT:
        scalar.primitive.float_value = _parse_float(s)
    elif simple == typ.BOOLEAN:
        scalar.primitive.boolean = _parse_bool(s)
    elif simple == typ.STRING:
        scalar.primitive.string_value = s
    elif simple == typ.DURATION:
        nanos = _parse_duration(s)
        seconds = nanos // 10**9 if nanos >= 0 else -(-nanos // 10**9)
        scalar.primitive.duration.seconds, scalar.primitive.duration.nanos = seconds, nanos - seconds * 10**9
        scalar.primitive.duration.SetInParent()
    elif simple == typ.DATETIME:
        scalar.primitive.datetime.seconds, scalar.primitive.datetime.nanos = _parse_rfc3339(s)
        scalar.primitive.datetime.SetInParent()
    else:
        raise CopilotError("unsupported type")
    return literal


def _parse_bool(s: str) -> bool:
    for words, value in (("1 t T true TRUE True", True), ("0 f F false FALSE False", False)):
        if s in words.split():
            return value
    raise CopilotError("failed to parse Bool value")


def _parse_int(s: str) -> int:
    digits = s[1:] if s[:1] in ("+", "-") else s
    if not digits or not all("0" <= c <= "9" for c in digits):
        raise CopilotError("failed to parse integer value")
    n = 0
    for c in digits:
        n = n * 10 + ord(c) - ord("0")
    n = -n if s[0] == "-" else n
    if n >= 1 << 63 or n < -(1 << 63):
        raise CopilotError("value out of range")
    return n


def _parse_float(s: str) -> float:
    """strconv.ParseFloat: special, then readFloat."""
    sign = -1 if s[:1] == "-" else 1
    body = s[1:] if s[:1] in ("+", "-") else s
    if body.lower() in ("inf", "infinity"):
        return sign * float("inf")
    if s.lower() == "nan":
        return float("nan")
    base, i = (16, 2) if body[:2].lower() == "0x" and len(body) > 2 else (10, 0)
    mantissa, scale, saw_digits, saw_dot = 0, 0, False, False
    while i < len(body):
        c = body[i].lower()
        if c == "_":
            pass
        elif c == "." and not saw_dot:
            saw_dot = True
        elif "0" <= c <= "9" or (base == 16 and "a" <= c <= "f"):
            saw_digits = True
            mantissa = mantissa * base + int(c, base)
            scale -= saw_dot
        else:
            break
        i += 1
    power, has_exponent = 0, i < len(body) and body[i].lower() == ("p" if base == 16 else "e")
    if has_exponent:
        found = re.fullmatch("[+-]?[0-9][0-9_]*", body[i + 1 :], re.ASCII)
        if not found:
            raise CopilotError("invalid syntax")
        power = int(found[0].replace("_", ""))
        i = len(body)
    if not saw_digits or i != len(body) or (base == 16 and not has_exponent) or not _underscores_ok(s):
        raise CopilotError("invalid syntax")
    power = max(min(power, 10_000), -10_000)
    value = Fraction(mantissa) * Fraction(base) ** scale * Fraction(2 if base == 16 else 10) ** power
    try:
        return sign * float(value)
    except OverflowError as error:
        raise CopilotError("value out of range") from error


def _underscores_ok(s: str) -> bool:
    """strconv.underscoreOK: between digits, or between the base prefix and a digit."""
    last = "^"
    i = 1 if s[:1] in ("+", "-") else 0
    is_hex = False
    if len(s) - i >= 2 and s[i] == "0" and s[i + 1].lower() in "box":
        last, is_hex = "0", s[i + 1].lower() == "x"
        i += 2
    for c in s[i:]:
        if "0" <= c <= "9" or (is_hex and "a" <= c.lower() <= "f"):
            last = "0"
        elif c == "_":
            if last != "0":
                return False
            last = "_"
        else:
            if last == "_":
                return False
            last = "!"
    return last != "_"


_UNITS = {
    "ns": 1,
    "us": 1_000,
    "µs": 1_000,
    "μs": 1_000,
    "ms": 1_000_000,
    "s": 1_000_000_000,
    "m": 60_000_000_000,
    "h": 3_600_000_000_000,
}


def _parse_duration(s: str) -> int:
    """time.ParseDuration, loop by loop."""
    bad = CopilotError("failed to parse Duration")
    neg = False
    if s and s[0] in "+-":
        neg = s[0] == "-"
        s = s[1:]
    if s == "0":
        return 0
    if s == "":
        raise bad
    d = 0
    while s != "":
        if not (s[0] == "." or "0" <= s[0] <= "9"):
            raise bad
        v, f, scale, length = 0, 0, 1.0, len(s)
        while s and "0" <= s[0] <= "9":
            v, s = v * 10 + int(s[0]), s[1:]
            if v > 1 << 63:
                raise bad
        pre = length != len(s)
        post = False
        if s and s[0] == ".":
            s = s[1:]
            length, overflow = len(s), False
            while s and "0" <= s[0] <= "9":
                c, s = int(s[0]), s[1:]
                if overflow:
                    continue
                if f > ((1 << 63) - 1) // 10 or f * 10 + c > 1 << 63:
                    overflow = True
                    continue
                f, scale = f * 10 + c, scale * 10
            post = length != len(s)
        if not pre and not post:
            raise bad
        i = 0
        while i < len(s) and s[i] != "." and not "0" <= s[i] <= "9":
            i += 1
        unit, s = _UNITS.get(s[:i]), s[i:]
        if unit is None:
            raise bad
        if v > (1 << 63) // unit:
            raise bad
        v *= unit
        if f > 0:
            v += int(float(f) * (float(unit) / scale))
            if v > 1 << 63:
                raise bad
        d += v
        if d > 1 << 63:
            raise bad
    if neg:
        return -d
    if d > (1 << 63) - 1:
        raise bad
    return d


def _parse_rfc3339(s: str) -> tuple[int, int]:
    """time.Parse(time.RFC3339, s) and ptypes.TimestampProto: chunk by chunk."""
    bad = CopilotError("failed to parse Datetime in RFC3339 format")
    rest = s

    def number(width: int, at_least: int) -> int:
        nonlocal rest
        n = 0
        while n < width and n < len(rest) and "0" <= rest[n] <= "9":
            n += 1
        if n < at_least:
            raise bad
        value, rest = int(rest[:n]), rest[n:]
        return value

    def literal(text: str) -> None:
        nonlocal rest
        if not rest.startswith(text):
            raise bad
        rest = rest[len(text) :]

    year = number(4, 4)
    literal("-")
    month = number(2, 2)
    literal("-")
    day = number(2, 2)
    literal("T")
    hour = number(2, 1)
    literal(":")
    minute = number(2, 2)
    literal(":")
    second = number(2, 2)
    nanos = 0
    if rest[:1] in (".", ",") and rest[1:2].isdigit() and rest[1:2].isascii():
        rest = rest[1:]
        n = 0
        while n < len(rest) and "0" <= rest[n] <= "9":
            n += 1
        nanos, rest = int(rest[:n][:9].ljust(9, "0")), rest[n:]
    offset = 0
    if rest[:1] == "Z":
        rest = rest[1:]
    else:
        sign = {"+": 1, "-": -1}.get(rest[:1])
        if sign is None:
            raise bad
        rest = rest[1:]
        hours = number(2, 2)
        literal(":")
        minutes = number(2, 2)
        if hours > 24 or minutes > 60:
            raise bad
        offset = sign * (hours * 60 + minutes) * 60
    if rest or not 1 <= month <= 12 or hour > 23 or minute > 59 or second > 59:
        raise bad
    if year == 0 or not 1 <= day <= monthrange(year, month)[1]:
        raise bad  # the year 0 of Go is left out: no Timestamp holds it
    seconds = (date(year, month, day).toordinal() - date(1970, 1, 1).toordinal()) * 86400
    seconds += hour * 3600 + minute * 60 + second - offset
    if not -62135596800 <= seconds <= 253402300799:
        raise bad
    return seconds, nanos


def _unmarshal(s: str, message: Any) -> None:
    """jsonpb.Unmarshaler into a Struct: the first JSON value of the text counts."""

    def constant(name: str) -> Any:
        raise CopilotError(f"invalid number {name}")

    try:
        found, _ = json.JSONDecoder(parse_constant=constant, parse_int=float).raw_decode(s.lstrip(" \t\r\n"))
    except (ValueError, RecursionError) as error:
        raise CopilotError(str(error)) from error
    if found is None:
        return
    if not isinstance(found, dict):
        raise CopilotError("expected an object")
    if _has_infinity(found):
        raise CopilotError("number out of range")
    message.update(_without_surrogates(found))


def _has_infinity(value: Any) -> bool:
    if isinstance(value, dict | list):
        return any(map(_has_infinity, value.values() if isinstance(value, dict) else value))
    return value in (float("inf"), float("-inf"))


def _without_surrogates(value: Any) -> Any:
    """Go reads an escaped half of a pair as U+FFFD."""
    if isinstance(value, dict):
        return {_without_surrogates(k): _without_surrogates(v) for k, v in value.items()}
    if isinstance(value, list):
        return list(map(_without_surrogates, value))
    return "".join("\ufffd" if "\ud800" <= c <= "\udfff" else c for c in value) if isinstance(value, str) else value
