"""Values of inputs as text on a command line, read by the types of `pyflyte run`."""

from __future__ import annotations

import typing
from typing import Any

from flytekit import FlyteContextManager
from flytekit.interaction.click_types import FlyteLiteralConverter, JsonParamType
from flytekit.models.types import LiteralType, SimpleType

from flytenb.bridge.type_engine.transformers import literal_type_of
from flytenb.wording.types import bare


class TextInput:
    """The reader of one input's text.

    Args:
        declared: the declared type of the input.

    Attributes:
        is_switch: whether the input is a bool, which is given without a value.
        is_json: whether the text is JSON or the path of a JSON or YAML file; its value is plain data.
        choices: the texts that are accepted, if these are few.
    """

    def __init__(self, declared: Any) -> None:
        self._declared = bare(declared)
        self._literals = {str(each): each for each in typing.get_args(self._declared)} if self._is_literal else {}
        literal_type = literal_type_of(declared)
        self._json = _json_root(literal_type)
        self.is_json = self._json is not None
        self.is_switch = self._declared is bool
        self._converter = None
        if not (self.is_json or self._literals or self.is_switch):
            context = FlyteContextManager.current_context()
            self._converter = FlyteLiteralConverter(context, literal_type, self._declared, is_remote=False)
        offered = getattr(getattr(self._converter, "click_type", None), "choices", ())
        self.choices = tuple(self._literals) or tuple(map(str, offered))

    @property
    def _is_literal(self) -> bool:
        return typing.get_origin(self._declared) is typing.Literal

    def read(self, text: str, option: Any, context: Any) -> Any:
        """Return the value of a text.

        Args:
            text: the text.
            option: click's option, for the message.
            context: click's context.

        Raises:
            Exception: for a text that isn't a value of the type; of click where flytekit expects it.
        """
        if self._literals:
            return self._literals[text]
        if self._json is not None:
            return JsonParamType(self._json).convert(text, option, context)
        if self._converter is None:
            return text
        return self._converter.convert(context, None, self._converter.click_type.convert(text, option, context))


def _json_root(literal_type: LiteralType) -> type | None:
    """Return what the JSON of a type is, a list or dict; None for a type that isn't given as JSON."""
    if literal_type.collection_type is not None:
        return list
    is_struct = literal_type.simple is not None and literal_type.simple == SimpleType.STRUCT
    return dict if literal_type.map_value_type is not None or is_struct else None
