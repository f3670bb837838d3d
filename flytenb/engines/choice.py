"""Which engine runs a job: the one that was chosen, or the first that can."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from importlib.metadata import entry_points

from flytenb.engines.bubblewrap import Bubblewrap
from flytenb.engines.docker_engine import DockerEngine
from flytenb.engines.engine import ContainerEngine, ContainerJob
from flytenb.engines.host_interpreter import HostInterpreter
from flytenb.engines.image_name import is_by_digest
from flytenb.errors import ContainerError, closest
from flytenb.locks import new_lock

GROUP = "flytenb.engines"
"""Entry points whose objects, called without arguments, return an engine; each is known by its entry point's name."""
AUTO = "auto"
DOCKER = DockerEngine.name
_OURS: dict[str, Callable[[], ContainerEngine]] = {
    DOCKER: DockerEngine,
    "bubblewrap": Bubblewrap,
    "host": HostInterpreter,
}
_said: set[str] = set()
_lock = new_lock()
_HINT = "start a Docker engine or point DOCKER_HOST at one, or unpack the image: flytenb.engines.unpack(archive, image)"


def engine_names() -> tuple[str, ...]:
    """Return the names of the engines, those of entry points included."""
    return (*_OURS, *sorted({point.name for point in entry_points(group=GROUP)} - _OURS.keys()))


def is_choice(name: str) -> bool:
    """Tell whether a name is "auto" or that of an engine; entry points are only read for other names."""
    return name == AUTO or name in _OURS or name in engine_names()


def image_names() -> list[str]:
    """Return the names of the images that the Docker engine has."""
    docker = engine_named(DOCKER)
    return docker.images() if isinstance(docker, DockerEngine) else []


def has_image(name: str, image: str) -> bool:
    """Tell whether an engine has an image, which isn't pulled."""
    engine = engine_named(name)
    return isinstance(engine, DockerEngine) and engine.has_image(image)


@cache
def engine_named(name: str) -> ContainerEngine:
    """Return an engine; each is made once.

    Raises:
        ContainerError: if there is none with this name.
    """
    if name in _OURS:
        return _OURS[name]()
    for point in entry_points(group=GROUP, name=name):
        made: ContainerEngine = point.load()()
        return made
    raise ContainerError(f"unknown engine {name!r}", closest(name, (AUTO, *engine_names())))


def choose(
    name: str, job: ContainerJob, check: Callable[[], None], say_so: Callable[[str], None] = lambda text: None
) -> ContainerEngine:
    """Return the engine that runs a job.

    Args:
        name: an engine's name, or "auto" for the first of docker, bubblewrap and host that can run it. That is the host
            only if no Docker engine answers, which would report a wrong name, and if the image isn't named by digest.
        job: the job.
        check: as in `ContainerEngine`.
        say_so: called once per process and engine with the reason for an engine other than docker that was chosen by
            "auto".

    Raises:
        ContainerError: if no engine can run it; the message has the reason of each.
    """
    reasons: dict[str, str] = {}
    for each in _OURS if name == AUTO else (name,):
        reason = _why_not(each, job, check, is_asked=name != AUTO)
        if not reason:
            if reasons:
                _say_once(each, reasons, say_so)
            return engine_named(each)
        reasons[each] = reason
    raise ContainerError(f"container task {job.name!r} can't run here: {_listed(reasons)}", hint=_HINT)


def _why_not(name: str, job: ContainerJob, check: Callable[[], None], *, is_asked: bool) -> str:
    if name == "host" and not is_asked:
        if is_by_digest(job.image):
            return "not without being asked, since the image is named by digest"
        docker = engine_named(DOCKER)
        if isinstance(docker, DockerEngine) and docker.answers():
            return "not without being asked, since a Docker engine answers"
    return engine_named(name).why_not(job, check)


def _say_once(name: str, reasons: dict[str, str], say_so: Callable[[str], None]) -> None:
    with _lock:
        if name in _said:
            return
        _said.add(name)
    warning = ", which has no isolation and uses no image" if name == "host" else ""
    say_so(f"flytenb: container tasks run on the engine {name!r}{warning}; {_listed(reasons)}")


def _listed(reasons: dict[str, str]) -> str:
    return "; ".join(f"{name}: {reason}" for name, reason in reasons.items())
