"""What is in the way of a frame whose sides are moved, and the order of boxes in parts of one shape."""

from __future__ import annotations

import pytest

from flytenb.model import Edge, EdgeKind, Graph, Kind, Node
from flytenb.render.layout import Positions
from flytenb.render.part_rows import PartRows
from flytenb.render.scene import Scene, build_scene
from flytenb.render.surroundings import Surroundings

FRAME = (100.0, 50.0, 200.0, 200.0)


def beside_a_box(*, across: float) -> tuple[Scene, Positions]:
    """A frame with a box, another box to its right, and an arrow that passes it at some place."""
    nodes = {
        "n0": Node("n0", Kind.TASK, "load"),
        "n1": Node("n1", Kind.SUBWORKFLOW, "f"),
        "n1/n0": Node("n1/n0", Kind.TASK, "fit"),
        "n2": Node("n2", Kind.TASK, "report"),
        "n3": Node("n3", Kind.TASK, "other"),
    }
    scene = build_scene(Graph("g", Kind.SUBWORKFLOW, nodes, (Edge("n0", "n2", EdgeKind.ORDER),)))
    number = {box.path: f"n{box.number}" for box in scene.boxes}
    places = {"n0": (across, 20.0), "n1/n0": (150.0, 120.0), "n2": (across, 260.0), "n3": (400.0, 120.0)}
    line = (across, 42.0, across, 100.0, across, 180.0, across, 238.0)
    boxes = {number[path]: place for path, place in places.items()}
    return scene, Positions(600, 300, boxes, {"cluster_0": FRAME}, {(number["n0"], number["n2"]): [line]})


@pytest.mark.parametrize(
    ("left", "right", "is_free"),
    [(100, 200, True), (80, 250, True), (100, 349, False), (-20, 200, False), (110, 190, True), (40, 200, False)],
)
def test_the_sides_of_a_frame_move_only_to_where_nothing_is(left: float, right: float, is_free: bool) -> None:
    """The other box begins at 352, the arrow passes at 40."""
    scene, at = beside_a_box(across=40.0)
    assert Surroundings(scene, at).is_free(0, (left, FRAME[1], right, FRAME[3]), at.frames) is is_free


def test_the_sides_of_what_is_in_a_frame_are_those_of_its_boxes() -> None:
    scene, at = beside_a_box(across=40.0)
    width = next(box.width for box in scene.boxes if box.path == "n1/n0")
    assert Surroundings(scene, at).sides_of(0, at.frames) == (150.0 - width / 2, 150.0 + width / 2)


def test_boxes_of_parts_of_one_shape_have_one_order() -> None:
    rank = {"n0": 0, **dict.fromkeys(("n1", "n2", "n4", "n5"), 1), "n3": 2, "n6": 2, "n7": 3}
    arrows = [("n0", "n1"), ("n0", "n2"), ("n1", "n3"), ("n0", "n4"), ("n0", "n5"), ("n4", "n6")]
    parts = PartRows([[["n1", "n2", "n3"], ["n4", "n5", "n6"]]], rank, arrows)
    across = {"n1": 0.0, "n2": 100.0, "n5": 200.0, "n4": 300.0}  # an engine has turned the second part over
    found = sorted(across, key=lambda name: parts.order(1, (name, name), across[name]))
    assert found == ["n1", "n2", "n4", "n5"]
    assert parts.are_together(("n4", "n6"))
    assert not parts.are_together(("n1", "n6"))


def test_parts_of_different_shapes_keep_their_orders() -> None:
    rank = dict.fromkeys(("n1", "n2", "n4", "n5"), 1)
    parts = PartRows([[["n1", "n2"], ["n4", "n5"]]], rank, [("n0", "n1"), ("n5", "n7")])
    across = {"n1": 0.0, "n2": 100.0, "n5": 200.0, "n4": 300.0}
    found = sorted(across, key=lambda name: parts.order(1, (name, name), across[name]))
    assert found == ["n1", "n2", "n5", "n4"]
