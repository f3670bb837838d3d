"""Texts in code that look like secrets.

A text counts as a secret if it

- has the form of a key that a service gives out (AWS, GitHub, GitLab, Google, Hugging Face, OpenAI, Slack, Stripe), of
  a private key, of a JSON web token, or of an address with a password in it;
- is the value of a variable, argument, default or key whose name contains `password`, `passwd`, `secret` or
  `credential`, unless the name says that it is something else: `SECRET_NAME`, `PASSWORD_COLUMN`;
- is the value of one whose name ends with `token`, `auth`, `api_key`, `access_key` or `private_key`, and has eight
  characters or more, letters and digits among them, and no space;
- has 32 characters or more of an alphabet of keys, with small and capital letters and digits, in an order as random as
  that of a key (4.3 bits a character).
"""

from __future__ import annotations

import ast
import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

_FORMS = re.compile(
    r"AKIA[0-9A-Z]{16}|ASIA[0-9A-Z]{16}|gh[pousr]_[A-Za-z0-9]{20,}|github_pat_\w{20,}|glpat-[\w-]{16,}|"
    r"AIza[\w-]{35}|hf_[A-Za-z0-9]{20,}|sk-[\w-]{20,}|xox[abeprs]-[\w-]{10,}|[sr]k_live_\w{16,}|"
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----|eyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]+|"
    r"[a-z][a-z0-9+.-]{0,31}://[^\s/:@{}<>]{1,256}:[^\s/:@{}<>]{1,256}@"  # bounded: else long texts take hours
)
_NAMES = re.compile(r"password|passwd|secret|credential", re.I)
_OTHERS = re.compile(
    r"(?:^|_)(?:column|col|dir|env|field|file|folder|group|header|hint|label|name|path|prefix|prompt|regex|var)s?$",
    re.I,
)
"""Ends of names of what is about a secret and isn't one."""
_KEYS = re.compile(r"(?:^|_)(?:token|auth|api_?key|access_?key|private_?key)$", re.I)
_RANDOM = re.compile(r"[A-Za-z0-9+/_=-]{32,}")
_BITS = 4.3


def find_secrets(nodes: Sequence[ast.AST]) -> Iterator[str]:
    """Yield what looks like a secret in the nodes of code, as a message names it, without the text itself."""
    for name, text in _named_texts(nodes):
        if text and is_secret_of(name, text):
            yield f"{name} is set to a text"
    for node in nodes:
        text = plain_text(node.value) if isinstance(node, ast.Constant) else ""
        if has_secret(text):
            yield f"the text that begins with {text.strip()[:4]!r}"


def is_secret_of(name: str, text: str) -> bool:
    """Whether a text is a secret by the name that it is the value of."""
    if _NAMES.search(name):
        return _OTHERS.search(name) is None
    return _KEYS.search(name) is not None and _is_key(text)


def plain_text(value: Any) -> str:
    """Return a text or bytes as text, `""` for anything else."""
    if isinstance(value, bytes):
        return value.decode("latin-1")
    return value if isinstance(value, str) else ""


def has_secret(text: str) -> bool:
    """Whether a text contains one of the forms of secrets, or a random key."""
    return has_known_form(text) or any(_is_random(found) for found in _RANDOM.findall(text))


def has_known_form(text: str) -> bool:
    """Whether a text contains one of the forms of secrets."""
    return _FORMS.search(text) is not None


def _named_texts(nodes: Sequence[ast.AST]) -> Iterator[tuple[str, str]]:
    """Yield each text with the name that it is the value of."""
    for node in nodes:
        pairs: list[tuple[ast.AST | str | None, ast.AST | None]] = []
        if isinstance(node, ast.Assign):
            pairs = [pair for target in node.targets for pair in _assigned(target, node.value)]
        elif isinstance(node, ast.AnnAssign | ast.NamedExpr):
            pairs = [(node.target, node.value)]
        elif isinstance(node, ast.keyword):
            pairs = [(node.arg, node.value)]
        elif isinstance(node, ast.Call) and len(node.args) > 1:  # such as os.environ.get("PASSWORD", "…")
            pairs = [(node.args[0], node.args[1])] if isinstance(node.args[0], ast.Constant) else []
        elif isinstance(node, ast.Dict):
            pairs = list(zip(node.keys, node.values, strict=True))
        elif isinstance(node, ast.arguments):
            named = [*node.posonlyargs, *node.args]
            pairs = [(a.arg, d) for a, d in zip(named[::-1], node.defaults[::-1], strict=False)]
            pairs += [(a.arg, d) for a, d in zip(node.kwonlyargs, node.kw_defaults, strict=True)]
        for target, value in pairs:
            if isinstance(value, ast.Constant):
                yield _name_of(target), plain_text(value.value)


def _assigned(target: ast.expr, value: ast.expr) -> Iterator[tuple[ast.expr, ast.expr]]:
    """Yield each target of an assignment with what it gets, as far as the code says it."""
    if isinstance(target, ast.Tuple | ast.List) and isinstance(value, ast.Tuple | ast.List):
        for each, given in zip(target.elts, value.elts, strict=False):
            yield from _assigned(each, given)
    else:
        yield target, value


def _name_of(target: ast.AST | str | None) -> str:
    if isinstance(target, ast.Subscript):
        target = target.slice
    found = getattr(target, "id", None) or getattr(target, "attr", None) or getattr(target, "value", target)
    return found if isinstance(found, str) else ""


def _is_key(text: str) -> bool:
    has_both = any(c.isdigit() for c in text) and any(c.isalpha() for c in text)
    return len(text) >= 8 and has_both and not re.search(r"\s", text)


def _is_random(text: str) -> bool:
    kinds = (str.islower, str.isupper, str.isdigit)
    if not all(any(kind(c) for c in text) for kind in kinds):
        return False
    counts = Counter(text)
    return -sum(n / len(text) * math.log2(n / len(text)) for n in counts.values()) >= _BITS
