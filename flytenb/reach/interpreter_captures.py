"""Captures of settings of the interpreter, the process and its threads."""

from __future__ import annotations

import faulthandler
import gc
import multiprocessing
import os
import signal
import sys
import threading
import tracemalloc
from typing import Any

from flytenb.reach.state_captures import Restore, all_of


def interpreter() -> Restore:
    """Capture settings of the interpreter."""
    limit, interval, digits = sys.getrecursionlimit(), sys.getswitchinterval(), sys.get_int_max_str_digits()
    is_collecting, thresholds, debug = gc.isenabled(), gc.get_threshold(), gc.get_debug()
    tracers = sys.gettrace(), sys.getprofile()
    is_tracing, has_handler = tracemalloc.is_tracing(), faulthandler.is_enabled()
    stack, freezes = threading.stack_size(), gc.get_freeze_count() > 0
    of_threads = threading.gettrace(), threading.getprofile()
    depth, hooks, flags = sys.get_coroutine_origin_tracking_depth(), sys.get_asyncgen_hooks(), _linking()
    start_method = multiprocessing.get_start_method(allow_none=True)

    def restore() -> None:
        sys.setrecursionlimit(limit)
        sys.setswitchinterval(interval)
        sys.set_int_max_str_digits(digits)
        if (sys.gettrace(), sys.getprofile()) != tracers:
            sys.settrace(tracers[0])
            sys.setprofile(tracers[1])
        gc.set_threshold(*thresholds)
        gc.set_debug(debug)
        (gc.enable if is_collecting else gc.disable)()
        if tracemalloc.is_tracing() != is_tracing:
            (tracemalloc.start if is_tracing else tracemalloc.stop)()
        if faulthandler.is_enabled() != has_handler:
            (faulthandler.enable if has_handler else faulthandler.disable)()
        threading.stack_size(stack)
        threading.settrace(of_threads[0])
        threading.setprofile(of_threads[1])
        if gc.get_freeze_count() and not freezes:
            gc.unfreeze()
        sys.set_coroutine_origin_tracking_depth(depth)
        sys.set_asyncgen_hooks(*hooks)
        if flags is not None:
            sys.setdlopenflags(flags)
        if multiprocessing.get_start_method(allow_none=True) != start_method:
            multiprocessing.set_start_method(start_method, force=True)

    return restore


def _linking() -> int | None:
    return sys.getdlopenflags() if hasattr(sys, "getdlopenflags") else None


def limits() -> Restore:
    """Capture the limits of the process."""
    resource: Any = sys.modules.get("resource")
    if resource is None:
        return lambda: None
    before = {n: resource.getrlimit(getattr(resource, n)) for n in dir(resource) if n.startswith("RLIMIT_")}
    return all_of(
        [lambda n=n, pair=pair: resource.setrlimit(getattr(resource, n), pair) for n, pair in before.items()]  # type: ignore[misc]
    )


def priority() -> Restore:
    """Capture the priority and the processors of this thread, of which the system has one each on Linux.

    Only a privileged process may raise the priority again.
    """
    if not hasattr(os, "sched_getaffinity"):
        return lambda: None
    nice, processors, policy = os.getpriority(os.PRIO_PROCESS, 0), os.sched_getaffinity(0), os.sched_getscheduler(0)
    parameter = os.sched_getparam(0)
    return all_of(
        [
            lambda: os.setpriority(os.PRIO_PROCESS, 0, nice),
            lambda: os.sched_setaffinity(0, processors),
            lambda: os.sched_setscheduler(0, policy, parameter),
        ]
    )


def signals() -> Restore:
    """In the main thread, capture signal handlers and timers, so that no timer of the task fires later."""
    before = {number: signal.getsignal(number) for number in signal.valid_signals()}
    timers = {which: signal.getitimer(which) for which in (signal.ITIMER_REAL, signal.ITIMER_VIRTUAL)}
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, []) if hasattr(signal, "pthread_sigmask") else None

    def restore() -> None:
        for which, (delay, interval) in timers.items():
            if signal.getitimer(which) != (delay, interval):
                signal.setitimer(which, delay, interval)
        for number, handler in before.items():
            if handler is not None and signal.getsignal(number) is not handler:
                signal.signal(number, handler)
        if blocked is not None:
            signal.pthread_sigmask(signal.SIG_SETMASK, blocked)

    return restore
