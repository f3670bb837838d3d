"""Requests that the cluster refuses."""

from __future__ import annotations

import grpc


class Refused(Exception):
    """A request's answer is an error.

    Attributes:
        code: the status of gRPC.
        words: the details that the client reads.
    """

    def __init__(self, code: grpc.StatusCode, words: str) -> None:
        super().__init__(words)
        self.code, self.words = code, words


def invalid(words: str) -> Refused:
    return Refused(grpc.StatusCode.INVALID_ARGUMENT, words)


def missing(words: str) -> Refused:
    return Refused(grpc.StatusCode.NOT_FOUND, words)


def exists(words: str) -> Refused:
    return Refused(grpc.StatusCode.ALREADY_EXISTS, words)
