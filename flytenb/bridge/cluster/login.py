"""Logins of a person, for whom flytekit waits without end: only on the main thread, which can be interrupted."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from functools import wraps
from types import ModuleType
from typing import Any

from flytekit.clients.auth import authenticator, token_client
from flytekit.clients.auth.auth_client import AuthorizationClient

from flytenb.bridge.patch import Patch, SharedPatch

_is_refused: ContextVar[bool] = ContextVar("is_refused", default=False)


class LoginNeededError(Exception):
    """A login is needed on a thread that can't wait for one."""


def refuse_login(ask: Callable[..., Any]) -> Callable[..., Any]:
    """Raise an error on a thread that no interrupt reaches, instead of waiting there for a person."""

    @wraps(ask)
    def ask_person(*args: Any, **kwargs: Any) -> Any:
        if _is_refused.get():
            raise LoginNeededError
        return ask(*args, **kwargs)

    return ask_person


class _QuietLogging:
    """`logging` without warnings on a thread that doesn't log in: the view says that a login is needed, once."""

    def __init__(self, original: ModuleType) -> None:
        self._original = original

    def warning(self, message: str, *args: Any) -> None:
        if not _is_refused.get():
            self._original.warning(message, *args)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._original, name)


PATCHES = (
    SharedPatch(Patch(authenticator, "logging", _QuietLogging, "clients/auth/authenticator.py:159,326")),
    SharedPatch(Patch(AuthorizationClient, "get_creds_from_remote", refuse_login, "clients/auth/auth_client.py:346")),
    SharedPatch(Patch(token_client, "get_device_code", refuse_login, "clients/auth/token_client.py:133")),
)


@contextmanager
def login_on_main_thread() -> Iterator[None]:
    """Let requests in the block raise LoginNeededError for a login, unless this is the main thread.

    Tokens are renewed on any thread.
    """
    if threading.current_thread() is threading.main_thread():
        yield
        return
    with ExitStack() as stack:
        for patch in PATCHES:
            stack.enter_context(patch)
        token = _is_refused.set(True)
        try:
            yield
        finally:
            _is_refused.reset(token)
