"""Connections to a cluster, found as flytekit finds it, and errors in the words of its server."""

from __future__ import annotations

import os
import re
import traceback
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from http.server import HTTPServer
from pathlib import Path
from typing import Any

from flytekit.configuration import Config, ImageConfig, PlatformConfig
from flytekit.configuration.default_images import DefaultImages
from flytekit.configuration.file import (
    FLYTECTL_CONFIG_ENV_VAR,
    FLYTECTL_CONFIG_ENV_VAR_OVERRIDE,
    ConfigFile,
)
from flytekit.remote import FlyteRemote

from flytenb.bridge.cluster.lasting_interrupts import lasting_interrupts
from flytenb.bridge.cluster.login import LoginNeededError, login_on_main_thread
from flytenb.bridge.cluster.specs import RegisteredVersion
from flytenb.errors import ClusterError, FlytenbError, UsageError, headline
from flytenb.wording.text import message_of

try:
    from flytekit.clients.grpc_utils.deadline_interceptor import scoped_grpc_deadline
except ModuleNotFoundError:  # flytekit 1.16.12, which has no limit for requests

    def scoped_grpc_deadline(timeout: float) -> AbstractContextManager[None]:
        """Limit nothing."""
        return nullcontext()


PROJECT = "flytesnacks"
DOMAIN = "development"
"""The project and the domain of `pyflyte run` without options."""
_PATIENCE = 30.0
"""Seconds after which a request has failed."""
_PLACE = re.compile(r"project \[.*are registered|domain \[.*unrecognized")
"""What flyteadmin (1.16.8) says of a project or a domain that it doesn't have."""
_LOGIN = "log in by .read() of the run, or by any request of its flytenb.cluster(…), such as .plans()"
"""What to do if a login is needed on a thread that can't wait for one."""
_HINTS = {
    "UNAUTHENTICATED": "log in again; `admin:` in the configuration file says how",
    "PERMISSION_DENIED": "ask for access to the project, or choose another one: project=…, domain=…",
}


class Connection:
    """A cluster, a project and a domain. Nothing is sent before the first request.

    Args:
        config: a configuration file or flytekit's `Config`; None for what flytekit finds by itself.
        project: the project, None for that of `pyflyte run`.
        domain: the domain, None for that of `pyflyte run`.

    Attributes:
        config_file: the absolute path of the configuration file that was given or that flytekit finds by a relative
            path, None for another one: processes with other working directories read it too.
        remote: flytekit's object for the cluster; it registers source code, never pickles.
        sent: the versions that were registered last by this connection, by the names of their entities.

    Raises:
        UsageError: if the file doesn't exist or can't be read, or the one that FLYTECTL_CONFIG names doesn't exist.
    """

    def __init__(self, config: str | Path | Config | None, project: str | None, domain: str | None) -> None:
        self.project = project or PROJECT
        self.domain = domain or DOMAIN
        self.config_file = _file_of_flytekit() if config is None else None
        self.sent: dict[str, RegisteredVersion] = {}
        if config is not None and not isinstance(config, Config):
            file = Path(config).expanduser().absolute()
            if not file.is_file():
                raise UsageError(f"expected a configuration file of flytekit, got {str(config)!r}")
            self.config_file = str(file)
            _require_settings(file)
        found = config if isinstance(config, Config) else Config.auto(self.config_file)
        self.remote: Any = FlyteRemote(
            found, default_project=self.project, default_domain=self.domain, interactive_mode_enabled=False
        )

    @property
    def endpoint(self) -> str:
        """The address of the server."""
        return str(self.remote.config.platform.endpoint)

    @property
    def image_settings(self) -> str:
        """The images of the configuration, which the specs of tasks depend on."""
        return str(ImageConfig.auto(self.config_file, DefaultImages.default_image()).to_json())

    @property
    def raw(self) -> Any:
        """The requests of the services, with messages of flyteidl."""
        return self.remote.client.raw

    @contextmanager
    def asking(self, what: str) -> Iterator[None]:
        """Limit the time of each request in the block, and raise its errors with the message of the server.

        Args:
            what: what the requests are for, as in `can't register 'train.fit'`.

        Raises:
            ClusterError: for an error of the server or the network.
        """
        try:
            with lasting_interrupts(), scoped_grpc_deadline(_PATIENCE), login_on_main_thread():
                yield
        except FlytenbError:
            raise
        except Exception as error:
            raise self.error_of(what, error) from error
        except BaseException as error:
            _close_servers(error)
            raise

    def error_of(self, what: str, error: Exception) -> ClusterError:
        """Return an error of a request with the message of the server; `what` as for `asking`."""
        if any(isinstance(each, LoginNeededError) for each in _causes(error)):
            return ClusterError(f"can't {what}: {_LOGIN}", code="UNAUTHENTICATED")
        code, words = server_words(error)
        if code in ("UNAVAILABLE", "DEADLINE_EXCEEDED"):
            hint = "check the network and the endpoint of the configuration; config=… names another file"
            if self.endpoint == PlatformConfig().endpoint:
                hint = "no cluster is configured: set FLYTECTL_CONFIG, write ~/.flyte/config.yaml, or give config=…"
            return ClusterError(f"can't {what}: {self.endpoint} doesn't answer: {words}", hint, code)
        hint = _HINTS.get(code, "")
        if code == "NOT_FOUND" or (code == "INVALID_ARGUMENT" and _PLACE.search(words)):
            place = f"{self.endpoint}, project {self.project!r}, domain {self.domain!r}"
            hint = f"asked: {place}; config=…, project=… and domain=… choose another place"
        return ClusterError(f"can't {what}: {words}", hint=hint, code=code)


def _file_of_flytekit() -> str | None:
    """Return the configuration file that flytekit finds by a relative path, None if it takes another one or none.

    flytekit ignores a variable that names no file, with a line in its log, and takes the next file, which may be that
    of another cluster.

    Raises:
        UsageError: for such a variable, unless another one has the endpoint.
    """
    named = os.environ.get(FLYTECTL_CONFIG_ENV_VAR_OVERRIDE) or os.environ.get(FLYTECTL_CONFIG_ENV_VAR)
    if named and not Path(named).exists() and not os.environ.get("FLYTE_PLATFORM_URL"):
        place = "" if Path(named).is_absolute() else f" from {str(Path.cwd())!r}"
        hint = "set it to the absolute path of a file, or unset it"
        raise UsageError(f"{FLYTECTL_CONFIG_ENV_VAR} names {named!r}, which doesn't exist{place}", hint)
    found = (Path(each).absolute() for each in (named, "flytekit.config") if each and Path(each).exists())
    return next(map(str, found), None)


def _require_settings(file: Path) -> None:
    """Check a configuration file, of which flytekit ignores what it can't read.

    Raises:
        UsageError: if it has no settings.
    """
    try:
        read = ConfigFile(str(file))
        has_settings = bool(read.legacy_config or isinstance(read.yaml_config, dict))
    except Exception:  # of the parser
        has_settings = False
    if not has_settings:
        hint = "it must be YAML, with the endpoint as `endpoint:` below `admin:`"
        raise UsageError(f"expected a configuration file of flytekit, got {str(file)!r}, which has no settings", hint)


def _close_servers(error: BaseException) -> None:
    """Close the server that an interrupted login in the browser leaves open: the next login needs its port."""
    for frame, _ in traceback.walk_tb(error.__traceback__):
        for value in frame.f_locals.values():
            if issubclass(type(value), HTTPServer):
                value.server_close()


def server_words(error: BaseException) -> tuple[str, str]:
    """Return the status code and the message of a server, which flytekit's own exceptions don't show.

    The code is `""` for an error that isn't an answer of the server.
    """
    for cause in _causes(error):
        details, code = getattr(cause, "details", None), getattr(cause, "code", None)
        if callable(details) and callable(code):
            return str(getattr(code(), "name", code())), str(details() or message_of(cause))
    return "", headline(error)


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and what it was raised from."""
    cause: BaseException | None = error
    while cause is not None:
        yield cause
        cause = cause.__cause__ or cause.__context__
