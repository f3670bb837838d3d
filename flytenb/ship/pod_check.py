"""Tasks run as their pods run them, from the exported module, and compared with a run of the notebook."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from flytenb.bridge.cluster.module_specs import make_specs
from flytenb.bridge.cluster.pod_process import (
    PodEnd,
    PodPlace,
    PodTemplate,
    name_in_module,
    same_container,
    templates_of,
)
from flytenb.bridge.cluster.pod_values import (
    LARGEST_FILE,
    native_inputs,
    native_outputs,
    pack_inputs,
    pack_outputs,
    size_of,
)
from flytenb.bridge.cluster.recorded_calls import RecordedCall, can_answer
from flytenb.bridge.cluster.specs import SpecRequest
from flytenb.bridge.entities.kind import is_entity, is_map, is_python_task, kind_of, map_target, short_name, titled
from flytenb.errors import ContainerError, ContainerExitError, FlytenbError, headline
from flytenb.model import Phase
from flytenb.reach.ownership import installed_entries
from flytenb.ship.cluster_rules import WITHOUT_POD, calls_in_pod, entities_of
from flytenb.ship.finding import Finding
from flytenb.ship.shipped_files import ShippedFiles
from flytenb.types.value_changes import Change, describe_value, first_change
from flytenb.wording.quantities import bytes_text, count_text

if TYPE_CHECKING:
    from flytenb.runner.node_run import NodeRun
    from flytenb.runner.run import Run
    from flytenb.ship.exported_module import Export

T = TypeVar("T")
Again = Callable[[Any, Mapping[str, Any]], "Run"]
"""Runs an entity in the notebook once more, and not from the cache."""
_MODULE = "flytenb_exported"
_PODS = min(4, os.cpu_count() or 1)
"""Pods at a time."""

_HINT = "let it depend on its inputs only: not on the time, chance, or what other tasks leave behind"


@dataclass(frozen=True)
class PodReport:
    """What the pods of a run's tasks gave.

    Attributes:
        findings: what differs, and what wasn't run.
        executed: the names of the tasks whose pods ran.
    """

    findings: tuple[Finding, ...]
    executed: tuple[str, ...]


@dataclass(frozen=True)
class _Work:
    """A node whose pod is run: the first one of its task, or a map, for its first element."""

    node: NodeRun
    name: str

    @property
    def is_map(self) -> bool:
        return is_map(self.node.entity)

    @property
    def where(self) -> str:
        return titled(self.node.entity)

    @property
    def outputs(self) -> dict[str, Any]:
        """What the notebook gave: for a map, its first element."""
        found = self.node.outputs
        return {name: value[0] for name, value in found.items()} if self.is_map else found

    @property
    def given(self) -> str:
        texts = (f"{name}={describe_value(value)}" for name, value in self.node.inputs.items())
        return ", ".join(texts) or "no inputs"


def run_pods(run: Run, module: Export, again: Again) -> PodReport:
    """Run each task of a run once by the command of its pod, with its first inputs, and compare.

    Args:
        run: a run that has succeeded.
        module: the exported module.
        again: runs a raw container once more.
    """
    with tempfile.TemporaryDirectory(prefix="flytenb-pods-") as made:
        check = _Check(run, Path(made), again)
        try:
            check.register(module)
        except FlytenbError as error:
            hint = error.hint or "import it in a clean process"
            return PodReport((Finding(error.message, "the exported module", hint),), ())
        return check.report()


@dataclass
class _Check:
    run: Run
    folder: Path
    again: Again
    templates: dict[str, PodTemplate] = field(default_factory=dict)
    maps: dict[str, PodTemplate] = field(default_factory=dict)
    executed: list[str] = field(default_factory=list)

    def register(self, module: Export) -> None:
        """Pack the module as it is uploaded, and make what is registered of it."""
        files = ShippedFiles.of(module, _MODULE)
        archive = files.pack(self.folder / "fast.tar.gz")
        place = {"project": "flytesnacks", "domain": "development", "version": "check", "archive": str(archive)}
        request = SpecRequest(_MODULE, module.names[0], **place, builds_images=False)
        self._take(templates_of(make_specs(files.contents, request)))

    def report(self) -> PodReport:
        findings: list[Finding] = []
        works = self._works()
        for _, level in groupby(works, lambda work: work.node.path.count("/")):  # a dynamic before what it makes
            findings += self._of_level(list(level))
        known = {work.name for work in works}
        used = [node.entity for node in self.run.nodes.values() if node.phase is not Phase.SKIPPED]
        for entity in entities_of([self.run.entity, *used]):
            if is_python_task(entity) and name_in_module(entity, _MODULE) not in known:
                why = "its node didn't succeed in the run" if entity in used else "no node of the run used it"
                findings.append(_not_run(titled(entity), why))
        return PodReport(tuple(findings), tuple(dict.fromkeys(self.executed)))

    def _works(self) -> list[_Work]:
        """Return the first node of each task and map, outer ones first."""
        found: dict[tuple[str, bool], _Work] = {}
        nodes = {path: self.run.nodes[path] for path in self.run.nodes}
        maps = {path for path, node in nodes.items() if is_map(node.entity) and is_python_task(map_target(node.entity))}
        for path in sorted(nodes, key=lambda path: (path.count("/"), len(path), path)):
            node = nodes[path]
            is_element = path.rpartition("/")[0] in maps
            is_wanted = path in maps or (is_python_task(node.entity) and not is_element)
            if is_wanted and node.phase is Phase.SUCCEEDED:
                name = name_in_module(node.entity, _MODULE)
                found.setdefault((name, path in maps), _Work(node, name))
        return [*found.values()]

    def _take(self, templates: Iterable[PodTemplate]) -> None:
        for each in templates:
            if each.mapped:
                self.maps.setdefault(each.mapped, each)
            else:
                self.templates.setdefault(each.name, each)

    def _of_level(self, works: list[_Work]) -> Iterator[Finding]:
        with ThreadPoolExecutor(_PODS) as pods:
            begun: list[tuple[_Work, Callable[[], PodEnd]]] = []
            for number, work in enumerate(works):
                template = self.maps.get(short_name(work.node.entity)) if work.is_map else self.templates.get(work.name)
                why = _why_not(work, template)
                if why or template is None:
                    yield _not_run(work.where, why)
                elif template.is_raw:
                    yield from self._of_container(work, template)
                else:
                    place = PodPlace(self.folder / f"pod-{work.node.path.count('/')}-{number}", installed_entries())
                    try:
                        inputs = pack_inputs(work.node.entity, work.node.inputs)
                    except Exception as error:
                        yield _unsent("inputs", error, work)
                        continue
                    yield from _too_large("inputs", size_of(inputs), work)
                    index = 0 if work.is_map else None
                    try:
                        calls = self._calls_of(work) if calls_in_pod(work.node.entity) else None
                    except Exception as error:
                        yield _unsent("calls", error, work)
                        continue
                    begun.append((work, pods.submit(place.run, template, inputs, index, calls).result))
            for work, end in begun:
                self.executed.append(short_name(work.node.entity))
                yield from self._compare(work, end())

    def _compare(self, work: _Work, end: PodEnd) -> Iterator[Finding]:
        if end.error:
            hint = "whatever it needs must be in the module, its image or its inputs"
            yield Finding(f"its pod fails for {work.given}: {end.error}", work.where, hint)
            return
        yield from _too_large("outputs", size_of(end.literals), work)
        yield from self._compare_calls(work, end)
        if end.job is not None:
            self._take(end.templates)
            yield from self._compare_job(work, end)
            return
        entity = map_target(work.node.entity) if work.is_map else work.node.entity
        try:
            there = native_outputs(entity, end.literals)
        except Exception as error:
            yield _unsent("outputs", error, work)
            return
        yield from _changes(work, there, "its pod")

    def _compare_job(self, work: _Work, end: PodEnd) -> Iterator[Finding]:
        """Compare the nodes that a dynamic task makes there with those that it made here."""
        made, prefix = end.nodes, f"{work.node.path}/"
        nodes = self.run.nodes
        here = {p.removeprefix(prefix): nodes[p] for p in nodes if p.rpartition("/")[0] == work.node.path}
        if sorted(made) != sorted(here):
            texts = (", ".join(sorted(each)) or "none" for each in (made, here))
            yield Finding(
                "its pod makes the nodes {}, and {} here, for {}".format(*texts, work.given), work.where, _HINT
            )
            return
        for name, node in sorted(made.items()):
            entity = here[name].entity
            if entity is not None and node.name and short_name(entity) not in node.short_names:
                what = f"node {name} is {node.name} in its pod and {short_name(entity)} here, for {work.given}"
                yield Finding(what, work.where, _HINT)
            elif entity is not None:
                inputs = here[name].inputs
                for port, value in native_inputs(entity, node.constants).items():
                    change = first_change(inputs.get(port), value)
                    if change is not None:
                        what = f"{name}.{port}{change.path} is {change.after} in its pod and {change.before} here"
                        yield Finding(f"{what}, for {work.given}", work.where, _HINT)

    def _inside(self, work: _Work) -> list[NodeRun]:
        """Return the calls of an eager task here, in their order."""
        paths = [path for path in self.run.nodes if path.rpartition("/")[0] == work.node.path]
        nodes = [self.run.nodes[path] for path in paths if is_entity(self.run.nodes[path].entity)]
        return sorted(nodes, key=lambda node: (len(node.path), node.path))

    def _calls_of(self, work: _Work) -> list[RecordedCall]:
        return [
            RecordedCall(
                short_name(node.entity),
                pack_inputs(node.entity, node.inputs),
                pack_outputs(node.entity, node.outputs),
                "" if node.error is None else node.error.message,
            )
            for node in self._inside(work)
        ]

    def _compare_calls(self, work: _Work, end: PodEnd) -> Iterator[Finding]:
        """Compare the calls of an eager task there with those here, those of each entity in their order."""
        if not calls_in_pod(work.node.entity):
            return
        here = {name: [*nodes] for name, nodes in _by_name(self._inside(work), lambda n: short_name(n.entity))}
        there = {name: [*calls] for name, calls in _by_name(end.calls, lambda call: call.name)}
        for name in sorted({*here, *there}):
            nodes, calls = here.get(name, []), there.get(name, [])
            if len(nodes) != len(calls):
                counts = [count_text(len(each), "time") for each in (calls, nodes)]
                what = f"its pod calls {name} {counts[0]}, and {counts[1]} here, for {work.given}"
                yield Finding(what, work.where, _HINT)
                continue
            for change in _different_calls(nodes, calls):  # concurrent calls have no order
                what = f"it calls {name} with {change.path} {change.after} in its pod and {change.before} here"
                yield Finding(f"{what}, for {work.given}", work.where, _HINT)

    def _of_container(self, work: _Work, template: PodTemplate) -> Iterator[Finding]:
        """Run a raw container by its engine, which carries its files as a cluster does."""
        if not same_container(work.node.entity, template):
            yield Finding("the exported module registers another container", work.where, "run its cell again")
            return
        try:
            there = self.again(work.node.entity, work.node.inputs).outputs
        except Exception as error:
            if isinstance(error, ContainerError) and not isinstance(error, ContainerExitError):
                yield _not_run(work.where, error.message)
            else:
                yield Finding(f"its container fails for {work.given}: {headline(error)}", work.where, _HINT)
        else:
            self.executed.append(short_name(work.node.entity))
            yield from _changes(work, there, "its container")


def _why_not(work: _Work, template: PodTemplate | None) -> str:
    """Return why the pod of a node can't be run, `""` if it can."""
    kind = kind_of(map_target(work.node.entity) if work.is_map else work.node.entity)
    if kind in WITHOUT_POD:
        return WITHOUT_POD[kind]
    if calls_in_pod(work.node.entity) and not can_answer():
        return "flytekit has a plugin of its own here, so its calls can't be answered"
    if template is None:
        return "importing the module doesn't make it"
    return "" if template.command else "a service runs it"


def _different_calls(nodes: Iterable[NodeRun], calls: Iterable[RecordedCall]) -> Iterator[Change]:
    """Yield the first change of each call of an entity there that has inputs of no call here."""
    left, unmatched = [*nodes], []
    for call in calls:
        same = next((node for node in left if _input_change(node, call) is None), None)
        if same is None:
            unmatched.append(call)
        else:
            left.remove(same)
    changes = (_input_change(node, call) for node, call in zip(left, unmatched, strict=True))
    yield from (change for change in changes if change is not None)


def _input_change(node: NodeRun, call: RecordedCall) -> Change | None:
    here = node.inputs
    there = sorted(native_inputs(node.entity, call.inputs.literals).items())  # without defaults
    changes = (first_change(here.get(name), value, name) for name, value in there)
    return next((change for change in changes if change is not None), None)


def _by_name(items: Iterable[T], name_of: Callable[[T], str]) -> Iterator[tuple[str, Iterator[T]]]:
    return groupby(sorted(items, key=name_of), name_of)


def _not_run(where: str, why: str) -> Finding:
    return Finding(f"it wasn't run as its pod: {why}", where, "test it on a cluster", "warning")


def _unsent(what: str, error: Exception, work: _Work) -> Finding:
    return Finding(f"its {what} can't be sent: {headline(error)}, for {work.given}", work.where, "declare their types")


def _too_large(what: str, size: int, work: _Work) -> Iterator[Finding]:
    if size > LARGEST_FILE:
        what = f"its {what} have {bytes_text(size)}, and a cluster reads {bytes_text(LARGEST_FILE)} by default"
        yield Finding(what, work.where, "pass a file or a frame, whose content is stored apart")


def _changes(work: _Work, there: Mapping[str, Any], place: str) -> Iterator[Finding]:
    for name, value in work.outputs.items():
        change = first_change(value, there.get(name))
        if change is not None:
            what = f"{name}{change.path} is {change.after} in {place} and {change.before} here, for {work.given}"
            yield Finding(what, work.where, _HINT)
