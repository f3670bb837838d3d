"""Patches that let a cell register a transformer, task plugin, launch plan or connector again.

Only what a cell registered is replaced, by what the same cell registers now: two things of different names that claim
the same type still collide, and so does anything that a package has registered.
"""

from __future__ import annotations

from typing import Any

from flytekit.core import type_engine

from flytenb.bridge import private


def replace_transformer(register: Any) -> Any:
    """Let a cell register its transformer again; flytekit raises `Transformer … is already registered`."""

    def register_transformer(cls: Any, transformer: Any, additional_types: Any = None) -> None:
        registry = private.transformer_registry()
        for python_type in [transformer.python_type, *(additional_types or [])]:
            found = registry.get(python_type)
            if found is not None and (
                _is_again(type(found), type(transformer)) or _is_same_simple(python_type, found, transformer)
            ):
                del registry[python_type]
        register.__func__(cls, transformer, additional_types)

    return classmethod(register_transformer)


def replace_plugin(register: Any) -> Any:
    """Let a cell register its task plugin again; flytekit raises a TypeError for a second one of a config type."""

    def register_plugin(cls: Any, config_type: Any, plugin: Any) -> None:
        plugins = private.task_plugins()
        found = plugins.get(config_type)
        if found is not None and _is_again(found, plugin):
            del plugins[config_type]
        register.__func__(cls, config_type, plugin)

    return classmethod(register_plugin)


def find_redefined_config(find: Any) -> Any:
    """Find the plugin of a configuration class that a cell has defined again; flytekit makes a plain task of it."""

    def find_plugin(cls: Any, config_type: Any) -> Any:
        plugins = private.task_plugins()
        if config_type not in plugins:
            config_type = next((old for old in reversed(plugins) if _is_again(old, config_type)), config_type)
        return find.__func__(cls, config_type)

    return classmethod(find_plugin)


def replace_plan(create: Any) -> Any:
    """Let a cell create its launch plan again; flytekit raises an AssertionError for a second one of a name."""

    def create_plan(cls: Any, name: str, workflow: Any, *args: Any, **kwargs: Any) -> Any:
        if _is_our_plan(cls.CACHE.get(name), workflow):
            del cls.CACHE[name]
        return create.__func__(cls, name, workflow, *args, **kwargs)

    return classmethod(create_plan)


def replace_known_plan(get_or_create: Any) -> Any:
    """Return the launch plan of a name if it is the same, else create it; flytekit raises where they differ."""

    def get_or_create_plan(cls: Any, workflow: Any, name: str | None = None, *args: Any, **kwargs: Any) -> Any:
        found = cls.CACHE.get(name or workflow.name)
        if _is_our_plan(found, workflow):
            try:
                if found.workflow is workflow:
                    return get_or_create.__func__(cls, workflow, name, *args, **kwargs)
            except AssertionError:
                pass
            del cls.CACHE[name or workflow.name]
        return get_or_create.__func__(cls, workflow, name, *args, **kwargs)

    return classmethod(get_or_create_plan)


def replace_connector(register: Any) -> Any:
    """Let a cell register its connector again; flytekit raises a ValueError for a second one of a task category."""

    def register_connector(connector: Any, override: bool = False) -> None:
        found = private.connectors().get(connector.task_category)
        is_again = found is not None and _is_again(type(found), type(connector))
        register(connector, override=override or is_again)

    return staticmethod(register_connector)


def _is_again(found: type, new: type) -> bool:
    """Whether a class is what the same cell made before."""
    same_name = (found.__module__, found.__qualname__) == (new.__module__, new.__qualname__)
    return same_name and found.__module__ == "__main__"


def _is_same_simple(python_type: Any, found: Any, new: Any) -> bool:
    """Whether a transformer made without a class of its own serves the same class of the notebook as before."""
    is_ours = getattr(python_type, "__module__", "") == "__main__"
    return is_ours and type(found) is type(new) is type_engine.SimpleTransformer and bool(found.name == new.name)


def _is_our_plan(found: Any, workflow: Any) -> bool:
    """Whether a launch plan was made in the notebook from a workflow of the same name."""
    if found is None or found.workflow.name != workflow.name:
        return False
    function = private.workflow_function(found.workflow)
    return function is None or function.__module__ == "__main__"
