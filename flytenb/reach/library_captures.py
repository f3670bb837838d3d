"""Captures of the state of libraries; they do nothing while the library isn't loaded."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from flytenb.reach.state_captures import Restore
from flytenb.wording.packages import loaded


def pyplot() -> Restore:
    """Capture the open figures and the settings; figures opened later are removed from pyplot."""
    matplotlib: Any = loaded("matplotlib")
    settings = dict(matplotlib.rcParams) if matplotlib is not None else {}
    before = dict(_figures())

    def restore() -> None:
        matplotlib: Any = loaded("matplotlib")
        if matplotlib is not None:
            dict.update(matplotlib.rcParams, settings)
        now = _figures()
        now.clear()
        now.update(before)

    return restore


def _figures() -> Any:
    helpers: Any = loaded("matplotlib._pylab_helpers")
    return helpers.Gcf.figs if helpers is not None else {}


def numpy_settings() -> Restore:
    """Capture how numpy treats floating-point errors and prints arrays."""
    numpy: Any = loaded("numpy")
    if numpy is None:
        return lambda: None
    errors, options, call = numpy.geterr(), numpy.get_printoptions(), numpy.geterrcall()

    def restore() -> None:
        numpy.seterr(**errors)
        numpy.seterrcall(call)
        numpy.set_printoptions(**{name: value for name, value in options.items() if name != "override_repr"})

    return restore


def pandas_options() -> Restore:
    """Capture the options of pandas."""
    pandas: Any = loaded("pandas")
    if pandas is None:
        return lambda: None
    before = dict(_options(pandas.options.d))

    def restore() -> None:
        for name, value in [*_options(pandas.options.d)]:
            if value is not before.get(name, value):
                pandas.set_option(name, before[name])

    return restore


def _options(tree: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    """The options of pandas with their full names."""
    for name, value in tree.items():
        if isinstance(value, dict):
            yield from _options(value, f"{above}{name}.")
        else:
            yield above + name, value


def polars_options() -> Restore:
    """Capture the options of polars."""
    polars: Any = loaded("polars")
    if polars is None:
        return lambda: None
    before = polars.Config.save()

    def restore() -> None:
        polars.Config.restore_defaults()
        polars.Config.load(before)

    return restore


def plotly_settings() -> Restore:
    """Capture the default template and renderer of plotly."""
    io: Any = loaded("plotly.io")
    if io is None:
        return lambda: None
    template, renderer = io.templates.default, io.renderers.default

    def restore() -> None:
        io.templates.default, io.renderers.default = template, renderer

    return restore


def altair_settings() -> Restore:
    """Capture the theme, data transformer and renderer of altair, with their options."""
    altair: Any = loaded("altair")
    if altair is None:
        return lambda: None
    themes = altair.theme.enable.__self__ if hasattr(altair, "theme") else altair.themes  # altair < 5.5
    before = [(each, each._get_state()) for each in (themes, altair.data_transformers, altair.renderers)]

    def restore() -> None:
        for registry, state in before:
            registry._set_state(state)

    return restore
