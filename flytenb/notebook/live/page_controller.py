"""Controller of one run's widget: sends changes to the page and executes what its reader requests.

`run_view` decides when the widget is created and shown.
"""

from __future__ import annotations

import json
import time
import weakref
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from flytenb.display.deadline import wait_for
from flytenb.display.part import Group, Note, Value, named_part
from flytenb.display.rendering import Rendering, render_part
from flytenb.display.runs.node_details import LOG_SHOWN, NodeDetails, elements_of, members_of, web_links
from flytenb.display.runs.run_state import RunState
from flytenb.errors import FlytenbError
from flytenb.locks import new_rlock
from flytenb.model import Graph
from flytenb.notebook.explore.explorer import show_with_controls
from flytenb.notebook.live.gate_answers import parse_answer
from flytenb.notebook.live.messages import asked_message, box_messages, details_message, layout_message, run_message
from flytenb.notebook.live.page_layout import PageLayout
from flytenb.notebook.live.page_presence import PagePresence
from flytenb.notebook.live.run_widget import RunWidget
from flytenb.notebook.page_threads import JobQueue
from flytenb.notebook.pages import pages
from flytenb.render.drawing import Drawing
from flytenb.wording.quantities import duration_text
from flytenb.wording.text import as_printed
from flytenb.wording.values import class_name, clean

if TYPE_CHECKING:
    from flytenb.runner.run import Run

_FRAME_EVERY = 2.0
"""Seconds after which changes are merged into a new frame, which keeps updates small."""
_MOST_CHANGES = 200
_BEAT = 5.0
"""Seconds without another message after which the page is sent a heartbeat."""
_LAYOUT_EVERY = 0.5
"""Least seconds between two layouts of a growing graph."""
_PATIENCE = 5.0
"""Seconds for rendering the values of a node."""


class PageController:
    """Keeps one widget in step with its run.

    Args:
        run: the run.
        on_done: called when the reader closes the view of a finished run.
        memory: key under which the page keeps zoom and chosen node for the next run in the same output, `""` for none.
        is_explorer: whether the view stays open until the reader closes it.
        jobs: executes layouts and the reader's requests.
    """

    def __init__(
        self,
        run: Run,
        *,
        on_done: Callable[[], None] = lambda: None,
        memory: str = "",
        is_explorer: bool = False,
        jobs: JobQueue | None = None,
    ) -> None:
        self._run: Run | None = run
        self._weak_run = weakref.ref(run)
        self._on_done = on_done
        self._memory = memory
        self._is_explorer = is_explorer
        self._jobs = jobs or pages.layouts
        self._lock = new_rlock()
        self._state = RunState()
        self._graph: Graph = run.graph
        self._merged = 0
        self._picture = PageLayout.nothing(self._graph)
        self._drawing: Drawing | None = None
        self._drawn: Graph | None = None
        self._number = 0
        self._shut: frozenset[str] | None = None
        self._changed: set[str] = set()
        self._key = 0
        self._framed = 0.0
        self._laid_out = 0.0
        self._is_laying_out = False
        self._logs: dict[str, int] = {}
        self._stop_listening = run.listen(self._state.take)
        self._presence = PagePresence()
        self._announcements = 0
        self._last_sent = 0.0
        self._final: dict[str, Any] | None = None
        self.widget: RunWidget | None = None

    @property
    def run(self) -> Run:
        """The run; once the view is closed, it is held for as long as something else holds it."""
        run = self._weak_run()
        assert run is not None
        return run

    def open(self) -> RunWidget:
        """Create the widget; its layout follows, after some seconds if the layout engine must be compiled first."""
        with self._lock:
            self._state.read()
            self.widget = RunWidget(self._about(), self._on_message, frame=self._frame())
            self._lay_out_soon()
            return self.widget

    def _about(self) -> dict[str, Any]:
        about = {"name": clean(self.run.name), "isExplorer": self._is_explorer, "turn": self._announcements}
        return {**about, "memory": self._memory}

    def _announce(self) -> None:
        """Create the widget again: a page loaded while the cell runs receives only new widgets."""
        assert self.widget is not None
        previous = self.widget
        self._announcements += 1
        self.widget = RunWidget(
            self._about(), self._on_message, previous.key, picture=previous.picture, frame=self._frame()
        )
        self._changed.clear()
        self._presence.announced(sum(len(json.dumps(value, default=str)) for value in self.widget.get_state().values()))
        pages.retire(previous)

    def drawing_of(self, graph: Graph) -> Drawing | None:
        """Return the drawing of the whole graph with its default folding, if it was made already."""
        return self._drawing if self._drawing is not None and self._drawn is graph else None

    @property
    def is_laid_out(self) -> bool:
        """Whether there is a layout."""
        return self._number > 0

    def close(self) -> None:
        """Send the final state, with the nodes that came last, and stop listening to the run."""
        self._stop_listening()
        with self._lock:
            self._state = RunState.of(self.run.events)  # the listener may not have received the last ones
            is_grown = self.is_laid_out and len(self._state.spawned) != self._merged
        if is_grown:
            self._lay_out()
        with self._lock:
            if self.widget is not None:
                self.widget.frame = last = self._frame()
                self._final = last["run"]  # for a layout that is made after this, without the run
            self._run = None
            self._stop_listening = lambda: None  # it holds the journal, and with it the values of the run

    @property
    def open_nodes(self) -> tuple[str, ...]:
        """Paths of the nodes whose details are open."""
        return tuple(self._logs)

    # --- updates -------------------------------------------------------------------------------------------------

    def tick(self) -> None:
        """Send what changed since the last call."""
        with self._lock:
            if self.widget is None:
                return
            changed, printed = self._state.read()
            if len(self._state.spawned) != self._merged:
                self._lay_out_soon()
            self._changed |= changed
            if changed:
                self._send()
            elif time.monotonic() - self._last_sent > _BEAT and not self.run.phase.is_terminal:
                self._last_sent = time.monotonic()
                self.widget.send({"kind": "beat"})
            for path in printed & self._logs.keys():
                self._send_log(path)
            if self._presence.is_due():
                self._announce()

    def _send(self) -> None:
        assert self.widget is not None
        self._last_sent = time.monotonic()
        is_due = time.monotonic() - self._framed > _FRAME_EVERY
        if is_due or len(self._changed) > _MOST_CHANGES:
            self.widget.frame = self._frame()
            self._changed.clear()
            return
        boxes = box_messages(self._state, self._picture, self._changed)
        self.widget.changes = {"key": self._key, "boxes": boxes, "run": self._run_news()}

    def _frame(self) -> dict[str, Any]:
        self._key += 1
        self._framed = time.monotonic()
        return {
            "key": self._key,
            "boxes": box_messages(self._state, self._picture, self._graph.nodes),
            "run": self._run_news(),
        }

    def _run_news(self) -> dict[str, Any]:
        return self._final or run_message(self._state, self._graph, time.time(), self._run)

    def _send_log(self, path: str) -> None:
        assert self.widget is not None
        node, sent = self.run.nodes[path], self._logs[path]
        log = node.log
        if len(log) > sent:
            self._logs[path] = len(log)
            text = log[sent:][-LOG_SHOWN:]
            # What is written over needs the whole log, for which the page asks.
            start = -1 if "\r" in text else sent
            links = list(web_links(node))
            self.widget.send({"kind": "log", "path": path, "from": start, "text": as_printed(text), "links": links})

    # --- layouts -------------------------------------------------------------------------------------------------

    def _lay_out_soon(self) -> None:
        """Queue a new layout, at most every half second; the ticker's thread must not wait for it."""
        if self._is_laying_out or time.monotonic() - self._laid_out < _LAYOUT_EVERY:
            return
        self._is_laying_out = True
        self._jobs.submit(self._lay_out)

    def _lay_out(self) -> None:
        run = self._weak_run()
        if run is None:  # the view is closed, and nothing else holds the run
            return
        merged, graph, shut = len(self._state.spawned), run.graph, self._shut
        drawing = self.drawing_of(graph) if shut is None else None
        picture = PageLayout.of(graph, shut, drawing, self._picture.drawing)
        with self._lock:
            self._is_laying_out = False
            self._laid_out = time.monotonic()
            if merged < self._merged:  # a layout of a later graph was faster
                return
            if shut is None:
                self._drawing, self._drawn = picture.drawing, graph
            assert self.widget is not None
            self._graph, self._picture, self._merged = graph, picture, merged
            self._number += 1
            self._state.read()
            with self.widget.hold_sync():
                self.widget.picture = layout_message(self._number, picture, graph)
                self.widget.frame = self._frame()
            self._changed.clear()

    # --- requests ------------------------------------------------------------------------------------------------

    def _on_message(self, message: dict[str, Any]) -> None:
        """Queue the reader's request; this may be the kernel's main thread."""
        if message.get("kind") == "bye":
            self._presence.page_left()
            return
        self._presence.page_seen()
        run = self._weak_run()
        handler = {
            "look": self._send_details,
            "ask": self._send_asked,
            "leave": self._close_details,
            "toggle": self._toggle,
            "all": self._open_all,
            "stop": self._stop,
            "answer": self._answer,
            "done": self._done,
        }.get(str(message.get("kind")))
        if run is None:
            self._send_message({"kind": "gone"})
        elif handler is not None:
            queue = pages.values if message.get("kind") in ("look", "ask") else self._jobs
            queue.submit(lambda: self._answer_reader(run, handler, message))

    def _answer_reader(self, run: Run, handler: Callable[[dict[str, Any]], None], message: dict[str, Any]) -> None:
        """Execute a request; the run is held meanwhile."""
        handler(message)

    def _send_message(self, message: dict[str, Any]) -> None:
        if self.widget is not None:
            self.widget.send(message)

    def _details(self, path: str) -> NodeDetails:
        try:
            return wait_for(lambda: NodeDetails.of(self.run, path, show_with_controls), _PATIENCE)
        except TimeoutError:
            # A value's own code may take any time and can't be interrupted.
            return NodeDetails.of(self.run, path, _not_rendered)

    def _send_details(self, message: dict[str, Any]) -> None:
        path = str(message.get("path"))
        details = self._details(path)
        with self._lock:
            behind = self._picture.members.get(path, []) or elements_of(self._graph, path, self.run)
            self._logs[path] = details.log_size
        self._send_message(details_message(details, members_of(self._graph, behind, self.run)))

    def _send_asked(self, message: dict[str, Any]) -> None:
        """Send the value that a gate asks about."""
        path = str(message.get("path"))
        asked = self.run.questions.get(path)
        if asked is not None:
            self._send_message(asked_message(asked, self._details(path)))

    def _close_details(self, message: dict[str, Any]) -> None:
        self._logs.pop(str(message.get("path")), None)

    def _toggle(self, message: dict[str, Any]) -> None:
        with self._lock:
            self._shut = self._picture.toggled(str(message.get("path")))
        self._lay_out()

    def _open_all(self, message: dict[str, Any]) -> None:
        self._shut = frozenset()
        self._lay_out()

    def _stop(self, message: dict[str, Any]) -> None:
        self._send_message({"kind": "stopping"})
        self.run.cancel()

    def _done(self, message: dict[str, Any]) -> None:
        self._on_done()

    def _answer(self, message: dict[str, Any]) -> None:
        path, value = str(message.get("path")), message.get("value")
        error = ""
        try:
            if isinstance(value, bool):
                self.run.approve(path, value)
            else:
                node = self._graph.nodes.get(path)
                declared = node.interface.outputs[0].type if node is not None and node.interface.outputs else ""
                self.run.set_input(path, parse_answer(str(value), declared))
        except FlytenbError as e:
            # a second answer to a gate that is open already
            error = clean(str(e)) if path in self.run.waiting else ""
        except Exception as e:
            error = clean(str(e)) or class_name(e)
        self._send_message({"kind": "answered", "path": path, "error": error})


def _not_rendered(value: Any, declared: Any = None, *, name: str = "", **_: Any) -> Rendering:
    why = f"not shown: rendering the values of this node takes more than {duration_text(_PATIENCE)}"
    return render_part(named_part(Group((Value(f"<{class_name(value)}>"), Note(why))), name))
