"""A model of TensorFlow that crosses as an ONNX file."""

from typing import Annotated

import onnx
import tensorflow as tf
from flytekit import task, workflow
from flytekit.types.file import ONNXFile
from flytekitplugins.onnxtensorflow import TensorFlow2ONNX, TensorFlow2ONNXConfig

SIGNATURE = (tf.TensorSpec((None, 2), tf.float32, name="x"),)
Model = Annotated[TensorFlow2ONNX, TensorFlow2ONNXConfig(input_signature=SIGNATURE, opset=13)]


@task
def train(outputs: int) -> Model:
    model = tf.keras.Sequential([tf.keras.Input((2,), name="x"), tf.keras.layers.Dense(outputs)])
    return TensorFlow2ONNX(model=model)


@task
def names(model: ONNXFile) -> list[str]:
    return [each.name for each in onnx.load(model.download()).graph.input]


@workflow
def trained(outputs: int) -> list[str]:
    return names(model=train(outputs=outputs))


ENTITY = trained
INPUTS = {"outputs": 3}
EXPECTED = ["x"]
