"""The settings of runs as traits of a configurable: `%config FlyteMagics`, `ipython_config.py`."""

from __future__ import annotations

import ast
from typing import Any

import traitlets

from flytenb.session.configuration import CONFIGURABLE, DEFAULTS, RULES


class SettingTrait(traitlets.TraitType[Any, Any]):
    """One setting; None means that it isn't set here. The owner's `choose` checks and keeps the value."""

    def __init__(self, setting: str) -> None:
        rule = RULES[setting]
        super().__init__(DEFAULTS[setting].value, allow_none=True, help=f"{rule.help}: {rule.expected}, or None")
        self.tag(config=True)
        self.setting = setting

    def set(self, obj: Any, value: Any) -> None:
        """Set the trait; the default that is read before doesn't come this way."""
        super().set(obj, obj.choose(self.setting, value))

    def from_string(self, text: str) -> Any:
        """Read a value of the command line: `ipython --FlyteMagics.workers=4`."""
        try:
            return ast.literal_eval(text)
        except (SyntaxError, ValueError):
            return text


def setting_traits() -> dict[str, SettingTrait]:
    """Return a trait for each setting that can be configured."""
    return {name: SettingTrait(name) for name in CONFIGURABLE}
