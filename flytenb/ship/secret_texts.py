"""Texts in code that look like secrets.

A text counts as a secret if it

- has the form of a key that a service gives out (AWS, GitHub, GitLab, Google, Hugging Face, OpenAI, Slack, Stripe), of
  a private key, of a JSON web token, or of an address with a password in it;
- is the value of a variable, argument, default or key whose name contains `password`, `passwd`, `secret` or
  `credential`;
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

_FORMS = re.compile(
    r"AKIA[0-9A-Z]{16}|ASIA[0-9A-Z]{16}|gh[pousr]_[A-Za-z0-9]{20,}|github_pat_\w{20,}|glpat-[\w-]{16,}|"
    r"AIza[\w-]{35}|hf_[A-Za-z0-9]{20,}|sk-[\w-]{20,}|xox[abeprs]-[\w-]{10,}|[sr]k_live_\w{16,}|"
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----|eyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]+|"
    r"[a-z][a-z0-9+.-]*://[^\s/:@{}<>]+:[^\s/:@{}<>]+@"
)
_NAMES = re.compile(r"password|passwd|secret|credential", re.I)
_KEYS = re.compile(r"(?:^|_)(?:token|auth|api_?key|access_?key|private_?key)$", re.I)
_RANDOM = re.compile(r"[A-Za-z0-9+/_=-]{32,}")
_BITS = 4.3


def find_secrets(nodes: Sequence[ast.AST]) -> Iterator[str]:
    """Yield what looks like a secret in the nodes of code, as a message names it, without the text itself."""
    for name, text in _named_texts(nodes):
        if text and (_NAMES.search(name) or (_KEYS.search(name) and _is_key(text))):
            yield f"{name} is set to a text"
    for node in nodes:
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and has_secret(node.value):
            yield f"the text that begins with {node.value.strip()[:4]!r}"


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
            pairs = [(target, node.value) for target in node.targets]
        elif isinstance(node, ast.AnnAssign | ast.NamedExpr):
            pairs = [(node.target, node.value)]
        elif isinstance(node, ast.keyword):
            pairs = [(node.arg, node.value)]
        elif isinstance(node, ast.Dict):
            pairs = list(zip(node.keys, node.values, strict=True))
        elif isinstance(node, ast.arguments):
            named = [*node.posonlyargs, *node.args]
            pairs = [(a.arg, d) for a, d in zip(named[::-1], node.defaults[::-1], strict=False)]
            pairs += [(a.arg, d) for a, d in zip(node.kwonlyargs, node.kw_defaults, strict=True)]
        for target, value in pairs:
            if isinstance(value, ast.Constant) and isinstance(value.value, str):
                yield _name_of(target), value.value


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
