"""Pydantic models from task to task, and a field of one."""

from flytekit import task, workflow
from pydantic import BaseModel


class Server(BaseModel):
    """Where something runs."""

    host: str
    ports: list[int] = [80]


class Fleet(BaseModel):
    """Several of them."""

    servers: dict[str, Server]
    first: Server


@task
def make(host: str) -> Fleet:
    server = Server(host=host, ports=[80, 443])
    return Fleet(servers={"a": server}, first=server)


@task
def address(server: Server, port: int) -> str:
    return f"{server.host}:{port}"


@workflow
def pydantic_models(host: str) -> str:
    fleet = make(host=host)
    return address(server=fleet.first, port=fleet.first.ports[1])


ENTITY = pydantic_models
INPUTS = {"host": "example.org"}
EXPECTED = "example.org:443"
