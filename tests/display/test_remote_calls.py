"""A refused call of a server says what the server said, by real gRPC calls through flytekit's own interceptor."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent import futures
from typing import Any

import grpc
import pytest
from flytekit import task
from flytekit.clients.grpc_utils.wrap_exception_interceptor import RetryExceptionWrapperInterceptor

import flytenb
from flytenb.display.runs.error_card import card_lines
from flytenb.display.runs.error_message import message_lines
from flytenb.display.runs.remote_calls import is_rpc, refused_call, server_message
from flytenb.notebook.failures.short_error import short_lines

_ADDRESS: list[str] = []
WORDS = {
    grpc.StatusCode.NOT_FOUND: "entity with identifier project:'p' not found",
    grpc.StatusCode.INVALID_ARGUMENT: "missing project in 'x'",
    grpc.StatusCode.ALREADY_EXISTS: "workflow with different structure already exists",
    grpc.StatusCode.UNAUTHENTICATED: "token is missing",
    grpc.StatusCode.UNAVAILABLE: "the database is being upgraded",
    grpc.StatusCode.PERMISSION_DENIED: "ada may not launch in production",
    grpc.StatusCode.INTERNAL: "\x1b[31mpanic\x1b[0m in admin",
}


class Refusing(grpc.GenericRpcHandler):
    """Refuses every call, with the status whose name is the method's."""

    def service(self, call_details: Any) -> Any:
        code = grpc.StatusCode[call_details.method.rpartition("/")[2]]

        def refuse(request: bytes, context: Any) -> bytes:
            context.abort(code, WORDS[code])
            raise AssertionError

        return grpc.unary_unary_rpc_method_handler(refuse)


@pytest.fixture(scope="module", autouse=True)
def server() -> Iterator[None]:
    made = grpc.server(futures.ThreadPoolExecutor(2))
    made.add_generic_rpc_handlers((Refusing(),))
    _ADDRESS[:] = [f"127.0.0.1:{made.add_insecure_port('127.0.0.1:0')}"]
    made.start()
    yield
    made.stop(0).wait()


def call(status: str, *, is_flytekits: bool = True) -> None:
    with grpc.insecure_channel(_ADDRESS[0]) as channel:
        used = grpc.intercept_channel(channel, RetryExceptionWrapperInterceptor(0)) if is_flytekits else channel
        used.unary_unary(f"/flyte.Admin/{status}")(b"a request")


@task
def launch(status: str, is_flytekits: bool) -> str:
    call(status, is_flytekits=is_flytekits)
    return "launched"


@pytest.mark.parametrize("code", WORDS, ids=lambda code: code.name)
@pytest.mark.parametrize("is_flytekits", [True, False])
def test_the_card_says_what_the_server_said(code: grpc.StatusCode, is_flytekits: bool) -> None:
    run = flytenb.start(launch, status=code.name, is_flytekits=is_flytekits).wait()
    card = "\n".join(card_lines(run))
    said = WORDS[code].replace("\x1b[31m", "").replace("\x1b[0m", "")
    assert said in card.split("\n  node ")[0]
    assert code.name in card
    assert "debug_error_string" not in card
    assert "\x1b" not in card
    assert card.count(said) == 1, card


def test_so_does_an_error_of_a_cell() -> None:
    with pytest.raises(Exception) as raised:
        call("PERMISSION_DENIED")
    assert "ada may not launch in production (PERMISSION_DENIED)" in short_lines(raised.value, None)[0]


def test_only_errors_of_grpc_are_asked() -> None:
    class RpcError(Exception):
        pass

    assert not is_rpc(RpcError())
    assert refused_call(ValueError()) is None
    error = ValueError("mine")
    error.__cause__ = error
    assert refused_call(error) is None
    assert message_lines(error, 1) == ["ValueError: mine"]


def test_an_error_without_words_falls_back_on_its_own() -> None:
    class Silent(grpc.RpcError):
        def __str__(self) -> str:
            return "no details here"

    assert server_message(Silent()) == "no details here"
