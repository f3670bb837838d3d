"""Settings of a run: fields, defaults, validation, and how each is written on a run line."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Literal

from flytenb.engines import AUTO, engine_names, is_choice
from flytenb.errors import UsageError
from flytenb.runner.sizes import read_share, read_size


@dataclass(frozen=True)
class Rule:
    """What a setting accepts and how it is written outside of Python.

    Attributes:
        expected: the accepted values, as in `workers must be an integer >= 1`.
        accepts: whether a value is one of them.
        help: one line for help and reference.
        metavar: the placeholder of a value on the run line, `""` if the setting takes none there.
        suggestions: makes values that are offered there.
        flags: the options of the run line that take no value: the value that each chooses, and its help.
        is_configurable: whether the setting can be written in pyproject.toml and in IPython's configuration.
    """

    expected: str
    accepts: Callable[[Any], bool]
    help: str
    metavar: str = ""
    suggestions: Callable[[], tuple[str, ...]] = tuple
    flags: Mapping[str, tuple[Any, str]] = field(default_factory=dict)
    is_configurable: bool = True


def _is_bool(value: Any) -> bool:
    return type(value) is bool


def _is_mapping(value: Any) -> bool:
    return isinstance(value, Mapping)


_WORKERS = Rule(
    "an integer >= 1",
    lambda value: type(value) is int and value >= 1,
    "how many nodes run at the same time",
    metavar="N",
    suggestions=lambda: ("1", "2", "4", "8"),
)
_STRICT = Rule(
    "True or False",
    _is_bool,
    "whether every value crosses as its literal, as on a cluster",
    flags={
        "strict": (True, "every value crosses as its literal, as on a cluster"),
        "no-strict": (False, "values whose copy is proven equal to the literal are copied"),
    },
)
_CACHE = Rule(
    "True, False or 'overwrite'",
    lambda value: _is_bool(value) or (isinstance(value, str) and value == "overwrite"),
    "whether cached tasks read and fill the cache; 'overwrite' only fills it",
    flags={
        "cache": (True, "cached tasks read and fill the cache"),
        "no-cache": (False, "cached tasks neither read nor fill the cache"),
        "overwrite-cache": ("overwrite", "cached tasks run and fill the cache"),
    },
)
_PROCESSES = Rule(
    "True or False",
    _is_bool,
    "whether plain Python tasks run in processes of their own",
    flags={
        "processes": (True, "plain Python tasks run in processes of their own"),
        "no-processes": (False, "tasks run in threads"),
    },
)
_ENGINE = Rule(
    "'auto', 'docker', 'bubblewrap', 'host' or an entry point of the group 'flytenb.engines'",
    lambda value: isinstance(value, str) and is_choice(value),
    "what runs container tasks; 'auto' is the first that can",
    metavar="NAME",
    suggestions=lambda: (AUTO, *engine_names()),
)
_NETWORK = Rule(
    "True or False",
    _is_bool,
    "whether container tasks may use the network",
    flags={
        "network": (True, "container tasks may use the network"),
        "no-network": (False, "container tasks have no network"),
    },
)
_STAND_INS = Rule(
    "a dictionary of functions or entities by name",
    _is_mapping,
    "functions or entities that replace reference entities, by the entity's name",
    is_configurable=False,
)
_ANSWERS = Rule(
    "a dictionary of answers by node path or gate name",
    _is_mapping,
    "answers to gates, by node path or gate name: True, False or a value",
    is_configurable=False,
)
_MEMORY = Rule(
    "a number of bytes, a size such as '2 GB' or a share such as '25%' of the machine's memory",
    lambda value: read_size(value) is not None or read_share(value) is not None,
    "how much memory the values of ended runs take; those of the oldest runs are moved to disk",
)
_KEEP = Rule(
    "the name of a folder, or ''",
    lambda value: isinstance(value, str),
    "the folder in which runs are kept, so that they outlive the kernel",
)
_KEEP_DAYS = Rule(
    "a number > 0",
    lambda value: type(value) in (int, float) and value > 0,
    "the age in days at which kept runs are removed",
)
_KEEP_SIZE = Rule(
    "a number of bytes or a size such as '5 GB'",
    lambda value: read_size(value) is not None,
    "the size of the folder beyond which the oldest kept runs are removed",
)

_ON_CLUSTER = Rule(
    "a list of nodes, or a dictionary of clusters by node",
    lambda value: isinstance(value, Iterable) and not isinstance(value, str),
    "nodes that are executed on a cluster, by path, by task, or by the task's name",
    is_configurable=False,
)


@dataclass(frozen=True)
class Settings:
    """Settings of a run.

    Only `stand_ins`, `answers`, `on_cluster`, `engine` and `network` can change its outputs; of tasks that depend on
    what the notebook has set in a module or library, `processes` can too.

    Attributes:
        workers: how many nodes run at the same time.
        strict: whether every value crosses as its literal.
        cache: whether cached tasks read and fill the cache: True, False, or "overwrite" to only fill it.
        processes: whether plain Python tasks run in processes of their own.
        engine: what runs container tasks; "auto" is the first that can.
        network: whether container tasks may use the network.
        stand_ins: functions or entities that replace reference entities, by name.
        answers: answers to gates, by node path or gate name: True, False or a value.
        memory: how much memory the values of ended runs take: bytes, a size such as "2 GB", or a share such as "25%".
        keep: the folder in which runs are kept; "" for none.
        keep_days: the age in days at which kept runs are removed.
        keep_size: the size of the folder beyond which the oldest kept runs are removed: bytes, or a size.
        on_cluster: the nodes that are executed on a cluster, or the cluster of each.
    """

    workers: int = field(default=16, metadata={"rule": _WORKERS})
    strict: bool = field(default=False, metadata={"rule": _STRICT})
    cache: bool | Literal["overwrite"] = field(default=True, metadata={"rule": _CACHE})
    processes: bool = field(default=False, metadata={"rule": _PROCESSES})
    engine: str = field(default=AUTO, metadata={"rule": _ENGINE})
    network: bool = field(default=False, metadata={"rule": _NETWORK})
    stand_ins: Mapping[str, Any] = field(default_factory=dict, metadata={"rule": _STAND_INS})
    answers: Mapping[str, Any] = field(default_factory=dict, metadata={"rule": _ANSWERS})
    memory: int | str = field(default="25%", metadata={"rule": _MEMORY})
    keep: str = field(default="", metadata={"rule": _KEEP})
    keep_days: float = field(default=30, metadata={"rule": _KEEP_DAYS})
    keep_size: int | str = field(default="5 GB", metadata={"rule": _KEEP_SIZE})
    on_cluster: Iterable[Any] = field(default=(), metadata={"rule": _ON_CLUSTER})

    def __post_init__(self) -> None:
        """Check every field.

        Raises:
            UsageError: for a value that its setting doesn't accept.
        """
        for name in RULES:
            check(name, getattr(self, name))


RULES: Mapping[str, Rule] = {f.name: f.metadata["rule"] for f in fields(Settings)}
"""The rule of each setting, by name."""


def check(name: str, value: Any, place: str = "") -> None:
    """Check one value.

    Args:
        name: the setting.
        value: the value to check.
        place: where the value was set, for the message.

    Raises:
        UsageError: if the setting doesn't accept the value.
    """
    rule = RULES[name]
    if not rule.accepts(value):
        hint = f"it was set by {place}" if place else f"{name}: {rule.help}"
        raise UsageError(f"{name} must be {rule.expected}, got {value!r}", hint=hint)
