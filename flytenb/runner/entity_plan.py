"""How one run treats each entity: found once per run and entity, and not kept, since a cell may redefine it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flytenb.bridge import local_cache
from flytenb.bridge.entities.interface import inner_workflow, kind_of, mock_of
from flytenb.bridge.execution.calls import Call, build_call
from flytenb.bridge.execution.connector import has_own_execute, is_connector_task
from flytenb.bridge.execution.image_facts import TaskSource
from flytenb.bridge.execution.task_in_image import ImageCall, image_of_function, in_kernel
from flytenb.cache.task_cache import TaskCache
from flytenb.engines import DOCKER, has_image
from flytenb.errors import FlytenbError
from flytenb.model import Kind
from flytenb.reach.state_uses import NOTHING, StateUse, state_use_of
from flytenb.reach.working_directory import HAS_OWN_CWD
from flytenb.runner.kept_code import KeptCode
from flytenb.runner.processes import can_travel, process_call
from flytenb.runner.reference import stand_in_call
from flytenb.runner.resources import resources
from flytenb.runner.settings import Settings

if TYPE_CHECKING:
    from flytenb.model.workflow import Policy
    from flytenb.runner.answers import Answers

SourceOf = Callable[[Any], TaskSource]
"""Returns a task as source, or raises why it can't leave the notebook."""
_WITH_STEPS_OF_THEIR_OWN = (Kind.MAP, Kind.DYNAMIC, Kind.GATE, Kind.EAGER)


@dataclass(slots=True)
class EntityPlan:
    """How a run treats an entity.

    Attributes:
        entity: the entity; kept so that its id isn't reused.
        kind: the kind of the entity.
        workflow: the workflow inside of it, if there is one.
        call: the call of the entity, if each of its nodes is one call.
        is_cached: whether its nodes may take outputs from the cache.
        state_use: the process-wide state that it uses.
        may_move: whether it may change the working directory.
        is_rehearsed: whether an answer replaces it.
        called: what is called in its place, None for the entity itself.
    """

    entity: Any
    kind: Kind
    workflow: Any = None
    call: Call | None = None
    is_cached: bool = True
    state_use: StateUse = NOTHING
    may_move: bool = False
    is_rehearsed: bool = False
    called: Any = None

    @property
    def code(self) -> KeptCode:
        """The code of what is called."""
        return resources.codes.of(self.entity, self.called)


class EntityPlans:
    """The plans of a run's entities.

    Args:
        settings: the settings of the run.
        answers: the answers of a rehearsal, None for a run that isn't one.
        source_of: returns a task as source for its image; None where tasks run in the kernel.
    """

    def __init__(self, settings: Settings, answers: Answers | None = None, source_of: SourceOf | None = None) -> None:
        self._settings = settings
        self._source_of = source_of
        self._answers = answers
        self._entity_plans: dict[int, EntityPlan] = {}
        self._caches: dict[tuple[int, Policy], tuple[Any, TaskCache | None]] = {}

    def of(self, entity: Any) -> EntityPlan:
        """The plan of an entity."""
        return self._entity_plans.get(id(entity)) or self._entity_plans.setdefault(id(entity), self._find(entity))

    def _find(self, entity: Any) -> EntityPlan:
        kind = kind_of(entity)
        strict = self._settings.strict
        stand_in = self._stand_in(entity)
        if stand_in is not None:
            called = stand_in_call(entity, stand_in, strict)
            return EntityPlan(entity, kind, call=called, is_cached=False, may_move=True, called=stand_in)
        if kind is Kind.REFERENCE:
            return EntityPlan(entity, kind, None, stand_in_call(entity, None, strict), False, NOTHING, True)
        if self._answers is not None and self._answers.replaces(entity):
            return EntityPlan(entity, kind, state_use=self._answers.state_use(entity), is_rehearsed=True)
        workflow = None if kind in (Kind.STUB, *_WITH_STEPS_OF_THEIR_OWN) else inner_workflow(entity)
        if kind is Kind.MAP or workflow is not None:
            return EntityPlan(entity, kind, workflow)
        is_job = is_connector_task(entity) and not has_own_execute(entity)
        image = self._image(entity, kind)
        if image is not None and has_image(self._settings.engine, image):
            return EntityPlan(entity, kind, None, self._image_call(entity, image), True, NOTHING, False)
        use, may_move = (NOTHING, True) if is_job else self._state_use(entity, kind)
        call = None if kind in _WITH_STEPS_OF_THEIR_OWN or is_job else self._call(entity, kind)
        if image is not None and call is not None:
            call = in_kernel(call, f"flytenb: tasks of image {image!r} run in the kernel, since docker doesn't have it")
        return EntityPlan(entity, kind, None, call, True, use, may_move)

    def _stand_in(self, entity: Any) -> Any:
        """Return the replacement of an entity: its stand-in, else its mock, else None."""
        stand_ins = self._settings.stand_ins
        given = stand_ins.get(entity.name) if stand_ins else None
        return mock_of(entity) if given is None else given

    def _call(self, entity: Any, kind: Kind) -> Call:
        settings = self._settings
        if self._is_apart(entity, kind):
            return process_call(entity, strict=settings.strict)
        return build_call(entity, strict=settings.strict, engine=settings.engine, has_network=settings.network)

    def _image(self, entity: Any, kind: Kind) -> str | None:
        """Return the image of a task that the run's engine may run in it."""
        is_asked = self._settings.engine == DOCKER and kind is Kind.TASK and self._source_of is not None
        return image_of_function(entity) if is_asked else None

    def _image_call(self, entity: Any, image: str) -> ImageCall:
        """Export the task now, before another cell changes what it reaches; a refusal fails its node."""
        assert self._source_of is not None
        refusal: FlytenbError | None = None
        try:
            source = self._source_of(entity)
        except FlytenbError as error:
            refusal = error

        def give() -> TaskSource:
            if refusal is not None:
                raise refusal
            return source

        return ImageCall(entity, image, give, self._settings.engine, self._settings.network)

    def _is_apart(self, entity: Any, kind: Kind) -> bool:
        """Tell whether it runs in a process."""
        return self._settings.processes and kind is Kind.TASK and can_travel(entity)

    def _state_use(self, entity: Any, kind: Kind) -> tuple[StateUse, bool]:
        """Return the process-wide state that a task uses, and whether it may change the working directory.

        A task that runs in another process uses no state of this one.
        """
        # An eager task waits for others, which may wait for its state.
        if kind not in (Kind.TASK, Kind.DYNAMIC, Kind.CONNECTOR):
            return NOTHING, True
        use, may_move = state_use_of(entity, has_own_cwd=HAS_OWN_CWD, calls_run=kind is not Kind.DYNAMIC)
        if self._is_apart(entity, kind):
            use, may_move = use.on_disk(), False
        return use or NOTHING, may_move

    def cache(self, entity: Any, policy: Policy) -> TaskCache | None:
        """Return the cache of a cached task, made once; None if the run or flytekit's configuration disables it."""
        if policy.cache_version is None or self._settings.cache is False:
            return None
        key = (id(entity), policy)
        if key not in self._caches:
            overwrite = self._settings.cache == "overwrite"
            made = TaskCache(entity, policy, overwrite=overwrite) if local_cache.is_enabled() else None
            self._caches[key] = (entity, made)
        return self._caches[key][1]
