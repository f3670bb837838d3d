"""One `%flyte` line as its handler gets it: argument, options, and the notebook that evaluates them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flytenb.errors import MAGIC_LINE
from flytenb.notebook.magics.line import parse_call

if TYPE_CHECKING:
    from flytenb.session import Session

_ARGUMENTS = "%arguments"
"""Not an identifier, so it hides no variable of the user's."""


@dataclass(frozen=True)
class Invocation:
    """One line, parsed.

    Attributes:
        verb: the verb's name.
        argument: the argument as it was written, `""` if there is none.
        options: the options that were given, by name.
        shell: the IPython shell.
        session: the session of the notebook.
        names: the variables that the line sees.
        verbs: the table of verbs.
    """

    verb: str
    argument: str
    options: Mapping[str, Any]
    shell: Any
    session: Session
    names: Mapping[str, Any]
    verbs: Mapping[str, Any]

    def evaluate(self, expression: str | None = None) -> Any:
        """Return the value of an expression, by default of the argument."""
        text = self.argument if expression is None else expression
        return eval(compile(text, MAGIC_LINE, "eval"), dict(self.names))

    def entity(self, expression: str | None = None) -> Any:
        """Return the value of an expression; an unknown name is looked up in the session, for its message."""
        text = self.argument if expression is None else expression
        if text.isidentifier() and text not in self.names:
            return self.session.find(text)
        return self.evaluate(text)

    def call(self) -> tuple[Any, tuple[Any, ...], dict[str, Any]]:
        """Return the entity that the argument calls, and the inputs by position and by name."""
        call = parse_call(self.argument, self.verb)
        entity = self.entity(call.function)
        code = compile(call.with_function(_ARGUMENTS), MAGIC_LINE, "eval")
        positional, named = eval(code, {**self.names, _ARGUMENTS: lambda *args, **kwargs: (args, kwargs)})
        return entity, positional, named
