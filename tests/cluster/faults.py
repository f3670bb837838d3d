"""What can be wrong on the way to the cluster: on demand, by method."""

from __future__ import annotations

import threading
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import grpc

from tests.cluster.door import Door
from tests.cluster.refused import Refused

ANY = "*"
ALWAYS = 1_000_000
GARBAGE = b"\xff\xfe garbage \x00"


@dataclass
class Fault:
    """What happens to requests of a method instead of an answer.

    Attributes:
        method: the method's name, as in `CreateTask`, or `ANY`.
        times: how many requests are left that it happens to.
        before: called before the method is run; it may raise `Refused`.
        after: called with the answer after the method has run; what it returns is sent.
    """

    method: str
    times: int
    before: Callable[[], None] = lambda: None
    after: Callable[[Any], Any] = lambda answer: answer


class Faults:
    """The faults of a cluster, each for a number of requests.

    Attributes:
        calls: the names of all methods that were called, in the order of the requests.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._armed: list[Fault] = []
        self._held: list[threading.Event] = []
        self.calls: list[str] = []

    def arm(self, fault: Fault) -> None:
        with self._lock:
            self._armed.append(fault)

    def clear(self) -> None:
        """Disarm all faults and let all requests go on that are held."""
        with self._lock:
            self._armed.clear()
            for event in self._held:
                event.set()

    def refuse(self, method: str, code: grpc.StatusCode, words: str, times: int = ALWAYS) -> None:
        def refuse() -> None:
            raise Refused(code, words)

        self.arm(Fault(method, times, before=refuse))

    def deny(self, method: str = ANY, times: int = ALWAYS) -> None:
        self.refuse(method, grpc.StatusCode.PERMISSION_DENIED, "PermissionDenied", times)

    def be_unavailable(self, method: str = ANY, times: int = ALWAYS) -> None:
        self.refuse(method, grpc.StatusCode.UNAVAILABLE, "upstream connect error or disconnect/reset", times)

    def send_garbage(self, method: str, times: int = ALWAYS) -> None:
        self.arm(Fault(method, times, after=lambda answer: GARBAGE))

    def hold(self, method: str, times: int = ALWAYS) -> threading.Event:
        """Let requests wait until the event is set."""
        released = threading.Event()
        with self._lock:
            self._held.append(released)
        self.arm(Fault(method, times, before=lambda: _wait(released)))
        return released

    def cut(self, method: str, door: Door, times: int = 1) -> None:
        """Cut the connections through a door when a request's method has run, before its answer is sent."""

        def cut(answer: Any) -> Any:
            door.cut()
            return answer

        self.arm(Fault(method, times, after=cut))

    def take(self, method: str) -> Fault | None:
        """Return the fault of a request."""
        with self._lock:
            self.calls.append(method)
            for fault in self._armed:
                if fault.method in (ANY, method) and fault.times > 0:
                    fault.times -= 1
                    return fault
        return None


def _wait(released: threading.Event) -> None:
    released.wait()


class Interceptor(grpc.ServerInterceptor):
    """Runs methods with their faults, checks tokens, and sends what a method refuses as gRPC does."""

    def __init__(self, faults: Faults, check_token: Callable[[str, Any], None]) -> None:
        self._faults, self._check_token = faults, check_token

    def intercept_service(self, continuation: Any, details: Any) -> Any:
        handler = continuation(details)
        if handler is None:
            return None
        service, method = details.method.split("/")[-2:]

        def run(request: Any, context: Any) -> Any:
            fault = self._faults.take(method)
            try:
                self._check_token(service, context)
                if fault is not None:
                    fault.before()
                answer = handler.unary_unary(request, context)
                return answer if fault is None else fault.after(answer)
            except Refused as refused:
                context.abort(refused.code, refused.words)
            except NotImplementedError:
                context.abort(grpc.StatusCode.UNIMPLEMENTED, f"unknown method {method} for service {service}")
            except Exception:  # a fault of the double, which isn't to be taken for one of credentials
                context.abort(grpc.StatusCode.INTERNAL, traceback.format_exc())

        def serialize(answer: Any) -> bytes:
            return answer if isinstance(answer, bytes) else answer.SerializeToString()

        return grpc.unary_unary_rpc_method_handler(run, handler.request_deserializer, serialize)
