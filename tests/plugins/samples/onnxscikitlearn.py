"""A model of scikit-learn that crosses as an ONNX file and answers as before."""

from typing import Annotated

import onnx
from flytekit import task, workflow
from flytekit.types.file import ONNXFile
from flytekitplugins.onnxscikitlearn import ScikitLearn2ONNX, ScikitLearn2ONNXConfig
from skl2onnx.common.data_types import FloatTensorType
from sklearn.linear_model import LinearRegression

Model = Annotated[
    ScikitLearn2ONNX, ScikitLearn2ONNXConfig(initial_types=[("x", FloatTensorType([None, 1]))], target_opset=12)
]


@task
def train(slope: float) -> Model:
    return ScikitLearn2ONNX(LinearRegression().fit([[0.0], [1.0]], [0.0, slope]))


@task
def coefficients(model: ONNXFile) -> list[float]:
    graph = onnx.load(model.download()).graph
    regressor = next(node for node in graph.node if node.op_type == "LinearRegressor")
    found = next(a for a in regressor.attribute if a.name == "coefficients")
    return [round(c, 5) for c in found.floats]


@workflow
def trained(slope: float) -> list[float]:
    return coefficients(model=train(slope=slope))


ENTITY = trained
INPUTS = {"slope": 3.0}
EXPECTED = [3.0]
