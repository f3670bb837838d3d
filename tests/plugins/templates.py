"""What flytekit would register of an entity."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any
from unittest import mock

from flytekit.image_spec.image_spec import ImageBuildEngine
from flytekit.tools.translator import get_serializable

from tests.idl_graph import SETTINGS


def template_of(entity: Any) -> Any:
    """Return the message of a task or workflow; no image is built on the way."""
    with mock.patch.object(ImageBuildEngine, "build"):
        return get_serializable(OrderedDict(), SETTINGS, entity).template
