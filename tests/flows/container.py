"""A raw container task: a command in any language, typed inputs and outputs as files."""

from flytekit import ContainerTask, kwtypes, task, workflow

ellipse_area = ContainerTask(
    name="ellipse-area",
    image="docker.io/library/busybox:1.36",
    input_data_dir="/var/inputs",
    output_data_dir="/var/outputs",
    inputs=kwtypes(a=float, b=float),
    outputs=kwtypes(area=float),
    command=[
        "sh",
        "-c",
        "awk -v a={{.inputs.a}} -v b={{.inputs.b}} 'BEGIN { print 3 * a * b }' > /var/outputs/area",
    ],
)


@task
def double(x: float) -> float:
    return 2 * x


@workflow
def container(a: float) -> float:
    return double(x=ellipse_area(a=a, b=2.0))


ENTITY = container
INPUTS = {"a": 1.0}
EXPECTED = 12.0
NEEDS = {"docker"}
