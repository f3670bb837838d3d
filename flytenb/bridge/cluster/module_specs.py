"""The specs of a module's entities as flytekit makes them, in a process that has imported nothing of the notebook.

The kernel can't import the module: it has its launch plans, types and plugins already.
"""

from __future__ import annotations

import base64
import importlib
import json
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from flytenb.bridge.cluster.known_specs import SpecSource, known_specs
from flytenb.bridge.cluster.spec_process import spec_process
from flytenb.bridge.cluster.specs import EntitySpec, SpecRequest
from flytenb.errors import RegistrationError


def make_specs(
    files: Mapping[str, bytes], request: SpecRequest, source: SpecSource | None = None
) -> tuple[EntitySpec, ...]:
    """Import a module in a process of its own, and return the specs, each after those that it needs.

    Args:
        files: the content of the module's file and of those beside it, by their paths.
        request: what the specs are made of.
        source: what they depend on, by which those of an earlier module are found; None to make them in any case.

    Raises:
        RegistrationError: if the module can't be imported or an entity can't be serialized.
    """
    known = None if source is None else known_specs.find(source, request)
    if known is not None:
        return known
    with TemporaryDirectory(prefix="flytenb-ship-") as folder:
        for path, data in files.items():
            file = Path(folder, path)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(data)
        status, specs, errors = spec_process.make(Path(folder), asdict(request))
    if status:
        lines = errors.strip().splitlines()
        reason = lines[-1] if lines else f"the process ended with status {status}"
        raise RegistrationError(
            f"{request.module}.py can't be imported in a process of its own: {reason}",
            hint="%flyte export shows the module; `python` runs the file that it writes",
        )
    made = tuple(
        EntitySpec(m["kind"], m["name"], base64.b64decode(m["message"]), m["is_active"]) for m in json.loads(specs)
    )
    if source is not None:
        known_specs.keep(source, request, made)
    return made


def import_flytekit() -> None:
    """Import what the specs are made with."""
    for name in (
        "flytekit.image_spec.image_spec",
        "flytekit.tools.translator",
        "flytekit.configuration.default_images",
    ):
        importlib.import_module(name)


def write_specs(asked: Mapping[str, Any], file: Path) -> None:
    """Write the specs of a request, in the process that makes them."""
    made = _serialize(SpecRequest(**asked))
    specs = [{**asdict(spec), "message": base64.b64encode(spec.message).decode()} for spec in made]
    file.write_text(json.dumps(specs))


def _serialize(request: SpecRequest) -> Iterator[EntitySpec]:
    from flytekit.configuration import FastSerializationSettings, ImageConfig, SerializationSettings
    from flytekit.configuration.default_images import DefaultImages
    from flytekit.core.base_task import PythonTask
    from flytekit.core.context_manager import FlyteEntities
    from flytekit.core.launch_plan import LaunchPlan
    from flytekit.core.workflow import WorkflowBase
    from flytekit.image_spec.image_spec import ImageBuildEngine
    from flytekit.tools.translator import get_serializable

    if not request.builds_images:
        ImageBuildEngine.build = classmethod(lambda cls, spec: None)
    settings = SerializationSettings(
        image_config=ImageConfig.auto(request.config_file, request.image or DefaultImages.default_image()),
        project=request.project,
        domain=request.domain,
        version=request.version,
        fast_serialization_settings=FastSerializationSettings(
            enabled=True, destination_dir=".", distribution_location=request.archive
        ),
        source_root=str(Path.cwd()),
    )
    entity = getattr(importlib.import_module(request.module), request.name)
    found: OrderedDict[Any, Any] = OrderedDict()
    # What only the code of a dynamic or eager task names isn't reached from the entity.
    others = [each for each in FlyteEntities.entities if isinstance(each, PythonTask | WorkflowBase | LaunchPlan)]
    for each in (*others, entity):
        get_serializable(found, settings, each)
    specs = (spec for local, model in found.items() for spec in _specs_of(local, model, settings))
    yield from {(spec.kind, spec.name): spec for spec in specs}.values()


def _specs_of(local: Any, model: Any, settings: Any) -> Iterator[EntitySpec]:
    """Yield the spec of one entity; a workflow has a launch plan of its name, as flytekit registers it."""
    from flytekit.core.context_manager import FlyteContextManager
    from flytekit.core.launch_plan import LaunchPlan
    from flytekit.core.reference_entity import ReferenceSpec
    from flytekit.models.admin.workflow import WorkflowSpec
    from flytekit.models.launch_plan import LaunchPlan as PlanModel
    from flytekit.models.task import TaskSpec
    from flytekit.tools.translator import get_serializable_launch_plan

    if isinstance(model, ReferenceSpec):
        return
    if isinstance(model, TaskSpec):
        yield EntitySpec("task", model.template.id.name, model.to_flyte_idl().SerializeToString(deterministic=True))
    elif isinstance(model, WorkflowSpec):
        message = model.to_flyte_idl().SerializeToString(deterministic=True)
        yield EntitySpec("workflow", model.template.id.name, message)
        plan = LaunchPlan.get_default_launch_plan(FlyteContextManager.current_context(), local)
        yield _plan_spec(get_serializable_launch_plan(OrderedDict(), settings, plan, recurse_downstream=False))
    elif isinstance(model, PlanModel):
        yield _plan_spec(model)


def _plan_spec(model: Any) -> EntitySpec:
    message = model.spec.to_flyte_idl().SerializeToString(deterministic=True)
    return EntitySpec("launch_plan", model.id.name, message, bool(model.should_auto_activate))
