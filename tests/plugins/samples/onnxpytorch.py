"""A model of PyTorch that crosses as an ONNX file."""

from typing import Annotated

import onnx
import torch
from flytekit import task, workflow
from flytekit.types.file import ONNXFile
from flytekitplugins.onnxpytorch import PyTorch2ONNX, PyTorch2ONNXConfig

Model = Annotated[PyTorch2ONNX, PyTorch2ONNXConfig(args=torch.zeros(1, 2), input_names=["x"], output_names=["y"])]


@task
def train(outputs: int) -> Model:
    return PyTorch2ONNX(model=torch.nn.Linear(2, outputs))


@task
def names(model: ONNXFile) -> list[str]:
    graph = onnx.load(model.download()).graph
    return [each.name for each in (*graph.input, *graph.output)]


@workflow
def trained(outputs: int) -> list[str]:
    return names(model=train(outputs=outputs))


ENTITY = trained
INPUTS = {"outputs": 3}
EXPECTED = ["x", "y"]
