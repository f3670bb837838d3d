"""What of a picture can be measured: its area, how its lines run, and the smallest letter."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from math import atan2, dist, hypot, pi
from statistics import median

import numpy as np

from flytenb.model import Graph, Kind
from flytenb.render.drawing import Drawing

Rect = tuple[float, float, float, float]
Point = tuple[float, float]
NOTEBOOK = 960.0
"""Width of a notebook's output in pixels."""
LETTER = 11.0
"""Size of the smallest letters before a picture is scaled into a notebook's width."""


@dataclass
class Picture:
    """Boxes, frames and titles as rectangles by name; lines as points, each with the names at its ends."""

    width: float
    height: float
    boxes: dict[str, Rect] = field(default_factory=dict)
    frames: dict[str, Rect] = field(default_factory=dict)
    titles: dict[str, Rect] = field(default_factory=dict)
    around: dict[str, str] = field(default_factory=dict)  # the frame around a box or frame
    lines: list[tuple[str, str, Sequence[Point]]] = field(default_factory=list)


def measures_of(picture: Picture) -> dict[str, float]:
    """The measures of one picture; each is better when it is smaller, except `letter_px`."""
    area = area_of(picture)
    content = sum((right - left) * (bottom - top) for left, top, right, bottom in picture.boxes.values())
    lines = [(a, b, np.array(points)) for a, b, points in picture.lines if len(points) > 1]
    scale = min(1.0, NOTEBOOK / picture.width)
    return {
        "area_kpx": area / 1000,
        "area_to_content": area / max(content, 1),
        "crossings": sum(
            crosses(lines[i], lines[k]) for i, k in overlapping(bounds_of(lines), bounds_of(lines)) if i < k
        ),
        "bends": sum(turning(points) for _, _, points in lines),
        "length_px": sum(float(np.hypot(*np.diff(points, axis=0).T).sum()) for _, _, points in lines),
        "through_boxes": through(lines, picture.boxes, picture),
        "through_frames": through(lines, picture.frames, picture),
        "through_titles": through(lines, picture.titles, picture),
        "height_px": picture.height * scale,
        "letter_px": LETTER * scale,
    }


def area_of(picture: Picture) -> float:
    """The area of the rectangle around all that is laid out; a head and a border, which only some draw, don't count."""
    corners = [corner for rects in (picture.boxes, picture.frames) for rect in rects.values() for corner in rect]
    points = [point for _, _, line in picture.lines for point in line]
    across = [*corners[::2], *(x for x, _ in points)]
    down = [*corners[1::2], *(y for _, y in points)]
    return (max(across) - min(across)) * (max(down) - min(down))


def crosses(one: tuple[str, str, np.ndarray], other: tuple[str, str, np.ndarray]) -> int:
    """How often two lines cross; what happens within 12 px of a common end doesn't count."""
    p, q = one[2], other[2]
    d, e = np.diff(p, axis=0)[:, None], np.diff(q, axis=0)[None]
    between = q[None, :-1] - p[:-1, None]
    below = d[..., 0] * e[..., 1] - d[..., 1] * e[..., 0]
    with np.errstate(divide="ignore", invalid="ignore"):
        t = (between[..., 0] * e[..., 1] - between[..., 1] * e[..., 0]) / below
        u = (between[..., 0] * d[..., 1] - between[..., 1] * d[..., 0]) / below
    hits = np.argwhere((t > 0) & (t < 1) & (u > 0) & (u < 1))
    places = [p[i] + t[i, j] * (p[i + 1] - p[i]) for i, j in hits]
    ends = [p[k] for k in (0, -1) for m in (0, -1) if dist(p[k], q[m]) < 24]
    return sum(all(dist(place, end) > 12 for end in ends) for place in places)


def turning(points: np.ndarray) -> float:
    """How far a line turns altogether, in right angles."""
    steps = [(x, y) for x, y in np.diff(points, axis=0) if hypot(x, y) > 0.5]
    angles = [atan2(y, x) for x, y in steps]
    turns = (abs(b - a) for a, b in pairwise(angles))
    return sum(min(turn, 2 * pi - turn) for turn in turns) / (pi / 2)


def through(lines: list[tuple[str, str, np.ndarray]], rects: dict[str, Rect], picture: Picture) -> int:
    """How many lines run through a rectangle that isn't at their ends or around them."""
    if not lines or not rects:
        return 0
    found = 0
    outer = {name: ancestors(name, picture.around) for name in {n for a, b, _ in lines for n in (a, b)}}
    named = list(rects.items())
    for i, k in overlapping(bounds_of(lines), np.array(list(rects.values()))):
        (a, b, points), (name, (left, top, right, bottom)) = lines[i], named[k]
        if name in (a, b) or (rects is not picture.titles and (name in outer[a] or name in outer[b])):
            continue
        dense = np.concatenate([points[:-1] + (points[1:] - points[:-1]) * t for t in (0.0, 0.25, 0.5, 0.75)])
        x, y = dense[:, 0], dense[:, 1]
        found += bool(((x > left + 2) & (x < right - 2) & (y > top + 2) & (y < bottom - 2)).any())
    return found


def bounds_of(lines: list[tuple[str, str, np.ndarray]]) -> np.ndarray:
    """The rectangle around each line."""
    return np.array([(*points.min(0), *points.max(0)) for _, _, points in lines]).reshape(-1, 4)


def overlapping(some: np.ndarray, others: np.ndarray) -> np.ndarray:
    """The pairs of rectangles, one of each, that overlap or touch: only there is something to look for in detail."""
    a, b = some[:, None], others[None]
    return np.argwhere((a[..., :2] <= b[..., 2:]).all(-1) & (b[..., :2] <= a[..., 2:]).all(-1))


def ancestors(name: str, around: dict[str, str]) -> set[str]:
    """The frames around a box."""
    found = set()
    while name in around:
        name = around[name]
        found.add(name)
    return found


def medians(pictures: Sequence[Picture]) -> dict[str, float]:
    """The median of each measure; of what there should be none, the mean."""
    rows = [measures_of(picture) for picture in pictures]
    return {
        name: sum(r[name] for r in rows) / len(rows)
        if name.startswith("through")
        else float(median(r[name] for r in rows))
        for name in rows[0]
    }


def bezier(curve: Sequence[float], parts: int = 8) -> list[Point]:
    """Points on a curve of cubic Bézier segments."""
    points = list(zip(curve[::2], curve[1::2], strict=True))
    found = [points[0]]
    for k in range(0, len(points) - 3, 3):
        a, b, c, d = points[k : k + 4]
        for i in range(1, parts + 1):
            t = i / parts
            weights = ((1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3)
            found.append(tuple(sum(w * p[n] for w, p in zip(weights, (a, b, c, d), strict=True)) for n in (0, 1)))
    return found


def picture_of(drawing: Drawing) -> Picture:
    """What flytenb draws."""
    svg = drawing.svg
    scene, at = drawing._scene, drawing._at
    width, height = (float(svg.partition(f'{side}="')[2].partition('"')[0]) for side in ("width", "height"))
    found = Picture(width, height)
    for box in scene.boxes:
        if box.shape != "meet":
            x, y = at.boxes[f"n{box.number}"]
            found.boxes[f"n{box.number}"] = (
                x - box.width / 2,
                y - box.height / 2,
                x + box.width / 2,
                y + box.height / 2,
            )
        if box.frame is not None:
            found.around[f"n{box.number}"] = f"f{box.frame}"
    for frame in scene.frames:
        left, top, right, _ = found.frames[f"f{frame.number}"] = at.frames[f"cluster_{frame.number}"]
        start = at.titles.get(frame.number, left + 12)
        state = at.states.get(frame.number)  # an arrow passes between it and the name
        width = frame.title.width if state is None else frame.name_width
        found.titles[f"f{frame.number}"] = (start - 2, top + 6, min(start + width + 2, right), top + 24)
        if state is not None:
            found.titles[f"s{frame.number}"] = (state - 2, top + 6, right, top + 24)
        if frame.frame is not None:
            found.around[f"f{frame.number}"] = f"f{frame.frame}"
    ways = {ends: iter(curves) for ends, curves in at.arrows.items()}
    for arrow in scene.arrows:
        points = [point for leg in arrow.legs for point in bezier(next(ways[leg]))]
        found.lines.append((f"n{arrow.tail}", f"n{arrow.head}", points))
    return found


@dataclass
class Plan:
    """A graph as other programs are given it: a box of two lines for each node, a frame for each container."""

    sizes: dict[str, tuple[float, float]]
    frames: dict[str, str]
    around: dict[str, str]
    edges: list[tuple[str, str]]


def plan_of_drawing(drawing: Drawing) -> Plan:
    """Return the boxes of a drawing by flytenb for other programs, without labels: only the layouts differ."""
    scene = drawing._scene
    framed = [(f"n{box.number}", box.frame) for box in scene.boxes] + [(f"f{f.number}", f.frame) for f in scene.frames]
    return Plan(
        {f"n{box.number}": (box.width, box.height) for box in scene.boxes},
        {f"f{frame.number}": frame.title.text for frame in scene.frames},
        {name: f"f{frame}" for name, frame in framed if frame is not None},
        list({(f"n{arrow.tail}", f"n{arrow.head}"): None for arrow in scene.arrows}),
    )


def plan_of(graph: Graph) -> Plan:
    """Return the plan of a graph; constants are left out, as are edges into a container beside its inputs."""
    drawn = {path: node for path, node in graph.nodes.items() if node.kind is not Kind.CONSTANT}
    open_ones = {node.parent for node in drawn.values() if node.parent}
    names = {path: f"v{i}" for i, path in enumerate(drawn)}
    sizes = {
        names[path]: (max(96.0, 7.5 * len(node.name) + 30), 43.0)
        for path, node in drawn.items()
        if path not in open_ones
    }
    frames = {names[path]: graph.nodes[path].name for path in drawn if path in open_ones}
    around = {names[path]: names[node.parent] for path, node in drawn.items() if node.parent}

    def end(path: str, side: str) -> str:
        while path in open_ones:
            inner = [p for p in drawn if drawn[p].parent == path]
            door = f"{path}/@{side}"
            path = door if door in drawn else inner[0 if side == "inputs" else -1]
        return names[path]

    pairs = {
        (end(e.source, "outputs"), end(e.target, "inputs")): None
        for e in graph.edges
        if e.source in drawn and e.target in drawn and not e.target.startswith(f"{e.source}/")
    }
    return Plan(sizes, frames, around, [(a, b) for a, b in pairs if a != b])
