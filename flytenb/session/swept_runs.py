"""Sweeps: one entity run with several inputs, where equal calls of tasks run once."""

from __future__ import annotations

import itertools
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from flytenb.bridge.crossing import packer
from flytenb.display.rendering import Displayed, Rendering
from flytenb.display.runs.run_card import run_bundle
from flytenb.display.runs.sweep_card import SweepTable, SweepTableRow
from flytenb.display.show import show
from flytenb.errors import UsageError, closest
from flytenb.locks import new_lock
from flytenb.model import Phase
from flytenb.runner.run import Run
from flytenb.wording.kinds import phase_words
from flytenb.wording.quantities import count_text, duration_text
from flytenb.wording.values import SHORT, brief

_LOOK_EVERY = 0.1
_OWN_COLUMNS = {"phase", "seconds", "error"}
"""Columns of a sweep's frame; an input or output with such a name is called `NAME (input)` or `NAME (output)`."""


def rows_of(entity: Any, rows: Any, inputs: Mapping[str, Any]) -> tuple[tuple[str, ...], list[dict[str, Any]]]:
    """Return the names of the swept inputs, and all inputs of each run.

    Args:
        entity: what is run.
        rows: the swept inputs as dictionaries or a frame; None for the grid of `inputs`.
        inputs: the inputs; without rows, a list for an input of another type is swept.

    Raises:
        UsageError: if nothing is swept, or if rows have different or unknown inputs.
    """
    types = entity.python_interface.inputs
    if rows is not None:
        given = _read_rows(rows)
        swept = tuple(given[0]) if given else ()
    else:
        swept = tuple(name for name, value in inputs.items() if name in types and _is_swept(value, types[name]))
        given = [dict(zip(swept, chosen, strict=True)) for chosen in itertools.product(*(inputs[n] for n in swept))]
    without = [name for name in swept if rows is None and not [*inputs[name]]]
    if without:
        names = " and ".join(map(repr, without))
        raise UsageError(f"expected at least one value for the swept input {names}, got none", hint=f"{without[0]}=[…]")
    if not swept or not given:
        raise UsageError("no input is swept", hint="pass a list for an input, or rows=[{'n': 1}, {'n': 2}]")
    for number, row in enumerate(given):
        if row.keys() != set(swept):
            names = ", ".join(map(repr, row))
            raise UsageError(f"row {number} has the inputs {names}", hint=f"the first row has {', '.join(swept)}")
    unknown = next((name for name in swept if name not in types), None)
    if unknown is not None:
        raise UsageError(f"unexpected input {unknown!r} in the rows", hint=closest(unknown, types))
    common = {name: value for name, value in inputs.items() if rows is not None or name not in swept}
    return swept, [{**common, **row} for row in given]


def _read_rows(rows: Any) -> list[dict[str, Any]]:
    found = rows.to_dicts() if hasattr(rows, "to_dicts") else rows  # of Polars
    found = found.to_dict("records") if hasattr(found, "to_dict") else found
    if not isinstance(found, Sequence) or not all(isinstance(row, Mapping) for row in found):
        raise UsageError(f"rows must be a list of dictionaries or a frame, got {brief(rows)}", hint="rows=[{'n': 1}]")
    return [dict(row) for row in found]


def _is_swept(value: Any, declared: Any) -> bool:
    """Return whether a value is a list of inputs, and not an input."""
    if not isinstance(value, list | tuple | range):
        return False
    try:
        packer(declared)(value)
    except Exception:  # the type engine's, for a value of another type
        return True
    return False


class Sweep(Displayed):
    """Runs of one entity with several inputs. Created by `flytenb.sweep`.

    `sweep.runs[n]` is the run of row `n`, `sweep.frame()` the table as a frame of pandas. A failed run doesn't stop the
    others.

    Attributes:
        swept: the names of the swept inputs.
        inputs: the inputs of each run.
        runs: the runs, in the order of the rows.
    """

    def __init__(self, swept: Sequence[str], inputs: Sequence[Mapping[str, Any]], runs: Sequence[Run]) -> None:
        self.swept = tuple(swept)
        self.inputs = tuple(inputs)
        self.runs = tuple(runs)
        self._shown_outputs: tuple[str, ...] | None = None
        self._shown_in: int | None = None  # the number of the cell whose output has its table
        self._order = [*range(len(runs))]
        self._lock = new_lock()
        self._waiting = [*reversed(runs)]
        self._cards: dict[int, str] = {}
        self._is_cancelled = False
        self._note: Callable[[Run], None] = lambda run: None

    def _begin(self, at_once: int, note: Callable[[Run], None]) -> Sweep:
        """Start as many runs at the same time; each that ends starts the next. `note` is called before a run starts."""
        self._note = note
        try:
            for _ in range(min(at_once, len(self.runs))):
                self._begin_next()
        except BaseException:  # an interrupt
            self.cancel()
            raise
        return self

    def _begin_next(self) -> None:
        with self._lock:
            if self._is_cancelled or not self._waiting:
                return
            run = self._waiting.pop()
            run.on_finish(self._begin_next)  # before it begins, or each that has ended would call the next one
            try:
                self._note(run)
            finally:  # or the sweep would never end
                run._begin()

    def wait(self, timeout: float | None = None) -> Sweep:
        """Wait until all runs have ended, for at most `timeout` seconds."""
        until = None if timeout is None else time.monotonic() + timeout
        while not self.is_over and (until is None or time.monotonic() < until):
            going = next((run for run in self._begun() if not run.phase.is_terminal), None)
            if going is not None:
                going.wait(_LOOK_EVERY)
            else:  # the thread that ended the last run begins the next
                time.sleep(0.001)
        return self

    def cancel(self) -> Sweep:
        """Cancel all runs; those that haven't begun never begin."""
        with self._lock:
            self._is_cancelled = True
        for run in self._begun():
            run.cancel()
        return self

    def _begun(self) -> list[Run]:
        waiting = set(map(id, self._waiting))
        return [run for run in self.runs if id(run) not in waiting]

    @property
    def is_over(self) -> bool:
        """Whether no run goes on or will begin."""
        with self._lock:
            begun = self._begun() if self._is_cancelled or not self._waiting else None
        return begun is not None and all(run.phase.is_terminal for run in begun)

    def _phase(self, run: Run) -> str:
        is_never = self._is_cancelled and run.phase is Phase.QUEUED
        return str(Phase.ABORTED if is_never else run.phase)

    def show(self, *outputs: str) -> Sweep:
        """Choose the outputs that the table has, by name; returns the sweep.

        Raises:
            UsageError: for an unknown output.
        """
        known = self.runs[0]._root.outputs
        for name in outputs:
            if name not in known:
                raise UsageError(f"unknown output {name!r}", hint=closest(name, known))
        self._shown_outputs = outputs
        return self

    def sort(self, by: str, *, descending: bool = False) -> Sweep:
        """Order the rows of the table by a column, those without a value last; `runs` keeps its order.

        Raises:
            UsageError: for an unknown column.
        """
        table = self._values()
        if by not in table:
            raise UsageError(f"unknown column {by!r}", hint=closest(by, table))
        column = table[by]
        known = [n for n in range(len(self.runs)) if column[n] is not None]
        known.sort(key=lambda n: column[n], reverse=descending)
        self._order = [*known, *(n for n in range(len(self.runs)) if n not in set(known))]
        return self

    def _values(self) -> dict[str, list[Any]]:
        """Return the columns of the table: the row's number, swept inputs, phase, outputs, seconds."""
        outputs = [run.outputs for run in self.runs]
        named = self._shown_outputs if self._shown_outputs is not None else tuple(self.runs[0]._root.outputs)
        found: dict[str, list[Any]] = {
            f"{name} (input)" if name in _OWN_COLUMNS else name: [row[name] for row in self.inputs]
            for name in self.swept
        }
        found["phase"] = [self._phase(run) for run in self.runs]
        taken = {*found, *_OWN_COLUMNS}
        for name in named:
            found[f"{name} (output)" if name in taken else name] = [each.get(name) for each in outputs]
        found["seconds"] = [run.duration for run in self.runs]
        return found

    def frame(self) -> Any:
        """Return the table as a frame of pandas: swept inputs, phase, outputs, seconds and the error of each run."""
        import pandas

        errors = [str(run.error) if run.error is not None else None for run in self.runs]
        made = pandas.DataFrame({**self._values(), "error": pandas.Series(errors, dtype=object)})
        return made.iloc[self._order]

    def __getitem__(self, number: int) -> Run:
        return self.runs[number]

    def __len__(self) -> int:
        return len(self.runs)

    def __iter__(self) -> Iterator[Run]:
        return iter(self.runs)

    def __repr__(self) -> str:
        return self._table().to_text()

    @property
    def _shown(self) -> Rendering:
        table = self._table()
        return Rendering(table.to_text(), table.to_html())

    def _table(self) -> SweepTable:
        keys = self._values()
        keys["took"] = keys.pop("seconds")
        values = {**keys, "took": [None if took is None else duration_text(took) for took in keys["took"]]}
        rows = [
            SweepTableRow(
                {name: column[n] for name, column in values.items()},
                {name: column[n] for name, column in keys.items()},
                "" if run.error is None else str(run.error).partition("\n")[0],
                self.inputs[n],
                partial(self._card, run),
            )
            for n, run in enumerate(self.runs)
        ]
        return SweepTable(f"sweep of {self.runs[0].name}" if self.runs else "no run", self._facts(), rows, self._order)

    def _card(self, run: Run) -> str:
        """Return the run card of a run, kept once the run has ended."""
        if run.phase is Phase.QUEUED:
            return ""
        is_over, card = run.phase.is_terminal, self._cards.get(id(run))
        if card is None:
            card = run_bundle(run, show, is_whole=False)["text/html"]
            if is_over:
                self._cards[id(run)] = card
        return card

    def _facts(self) -> list[str]:
        counts = Counter(phase_words(self._phase(run)) for run in self.runs)
        given = self.inputs[0] if self.inputs else {}
        return [
            f"{count_text(len(self.runs), 'run')}: {', '.join(f'{n} {phase}' for phase, n in counts.items())}",
            *(f"{name}={brief(value, SHORT)}" for name, value in given.items() if name not in self.swept),
        ]


Prepare = Callable[[Mapping[str, Any], int], Run]


def prepare(swept: Sequence[str], inputs: Iterable[Mapping[str, Any]], make: Prepare) -> Sweep:
    """Return the sweep of these inputs; `make` prepares the run of a row."""
    rows = list(inputs)
    return Sweep(swept, rows, [make(row, number) for number, row in enumerate(rows)])
