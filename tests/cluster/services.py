"""The data proxy, signals, and what a client asks about credentials."""

from __future__ import annotations

import base64
import re
from typing import Any

import grpc
from flyteidl.admin import signal_pb2
from flyteidl.core import identifier_pb2 as ids
from flyteidl.service import (
    admin_pb2_grpc,
    auth_pb2,
    auth_pb2_grpc,
    dataproxy_pb2,
    dataproxy_pb2_grpc,
    identity_pb2,
    identity_pb2_grpc,
    signal_pb2_grpc,
)
from google.protobuf.message import Message

from tests.cluster.literal_types import are_castable, type_of_literal
from tests.cluster.records import Records, copied, listed
from tests.cluster.refused import exists, invalid, missing
from tests.cluster.storage import Storage

_ADDRESS = re.compile(r"flyte://v1/(?P<project>[^/]+)/(?P<domain>[^/]+)/(?P<name>[^/]+)/(?P<node>[^/]+)/(?P<what>.+)")
_DATA = re.compile(r"(?:(?P<attempt>\d+)/)?(?P<kind>[iod])(?:/(?P<variable>\w+))?")


class DataProxyService(dataproxy_pb2_grpc.DataProxyServiceServicer):
    """Signs links, and finds values by their address."""

    def __init__(self, storage: Storage, records: Records) -> None:
        self.storage, self.records = storage, records

    def CreateUploadLocation(self, request: Any, context: Any) -> Message:
        if not request.project or not request.domain:
            raise invalid("project and domain are required parameters")
        if not request.filename_root and not request.content_md5:
            raise invalid("content_md5 or filename_root is a required parameter")
        prefix = request.filename_root or base64.b32encode(request.content_md5).decode()
        uri = self.storage.uri(request.project, request.domain, prefix, request.filename or "file")
        if request.filename and request.filename_root and not self.storage.may_replace(uri, request.content_md5):
            raise exists(f"file already exists at location [{uri}], specify a matching hash if you wish to rewrite")
        return dataproxy_pb2.CreateUploadLocationResponse(
            signed_url=self.storage.sign("PUT", uri, request.content_md5), native_url=uri
        )

    def CreateDownloadLocation(self, request: Any, context: Any) -> Message:
        return dataproxy_pb2.CreateDownloadLocationResponse(signed_url=self.storage.sign("GET", request.native_url))

    def CreateDownloadLink(self, request: Any, context: Any) -> Message:
        if request.artifact_type == dataproxy_pb2.ARTIFACT_TYPE_UNDEFINED:
            raise invalid("error while validating request. Error: invalid artifact type [ARTIFACT_TYPE_UNDEFINED]")
        with self.records.changed:
            uri = self.records.node(request.node_execution_id).message.closure.deck_uri
        if not uri:
            raise missing(f"no deckUrl found for request [{request}]")
        link = self.storage.sign("GET", uri)
        made = dataproxy_pb2.PreSignedURLs(signed_url=[link])
        return dataproxy_pb2.CreateDownloadLinkResponse(signed_url=[link], pre_signed_urls=made)

    def GetData(self, request: Any, context: Any) -> Message:
        address = _ADDRESS.fullmatch(request.flyte_url)
        data = _DATA.fullmatch(address["what"]) if address else None
        if address is None or data is None:
            raise invalid(f"failed to parse artifact url {request.flyte_url}")
        execution = ids.WorkflowExecutionIdentifier(
            project=address["project"], domain=address["domain"], name=address["name"]
        )
        identifier = ids.NodeExecutionIdentifier(execution_id=execution, node_id=address["node"])
        if data["kind"] == "d":
            deck = dataproxy_pb2.CreateDownloadLinkRequest(node_execution_id=identifier)
            deck.artifact_type = dataproxy_pb2.ARTIFACT_TYPE_DECK
            link = self.CreateDownloadLink(deck, context)
            return dataproxy_pb2.GetDataResponse(pre_signed_urls=link.pre_signed_urls)
        with self.records.changed:
            record: Any = self.records.node(identifier)
            if data["attempt"] is not None:
                number = int(data["attempt"])
                record = next(each for each in record.tasks.values() if each.number == number)
            values = copied(record.inputs if data["kind"] == "i" else record.outputs)
        if data["variable"] is None:
            return dataproxy_pb2.GetDataResponse(literal_map=values)
        if data["variable"] not in values.literals:
            raise invalid(f"name [{data['variable']}] not found in node execution [{identifier}]")
        return dataproxy_pb2.GetDataResponse(literal=values.literals[data["variable"]])


class SignalService(signal_pb2_grpc.SignalServiceServicer):
    """The questions that gates ask, and their answers."""

    def __init__(self, records: Records) -> None:
        self.records = records

    def ListSignals(self, request: Any, context: Any) -> Message:
        with self.records.changed:
            found = self.records.execution(request.workflow_execution_id).signals.values()
            page, token = listed(found, request, lambda signal: {"signal_id": signal.id.signal_id})
            return signal_pb2.SignalList(signals=page, token=token)

    def SetSignal(self, request: Any, context: Any) -> Message:
        with self.records.changing():
            signals = self.records.execution(request.id.execution_id).signals
            name = request.id.signal_id
            if name not in signals:
                raise missing(f"missing entity of type signal with identifier {request.id}")
            if not are_castable(type_of_literal(request.value), signals[name].type):
                raise invalid(
                    f"requested signal value [{request.value}] is not castable to existing signal type "
                    f"[{signals[name].type}]"
                )
            if signals[name].HasField("value") and signals[name].value != request.value:
                raise exists(f"requested signal value [{request.value}] is already set: [{signals[name].value}]")
            signals[name].value.CopyFrom(request.value)
        return signal_pb2.SignalSetResponse()


class AuthMetadataService(auth_pb2_grpc.AuthMetadataServiceServicer):
    """Where a client gets a token."""

    def __init__(self, storage: Storage) -> None:
        self.storage = storage

    def GetOAuth2Metadata(self, request: Any, context: Any) -> Message:
        return auth_pb2.OAuth2MetadataResponse(
            issuer=self.storage.address,
            token_endpoint=f"{self.storage.address}/oauth2/token",
            authorization_endpoint=f"{self.storage.address}/oauth2/authorize",
            device_authorization_endpoint=f"{self.storage.address}/oauth2/device",
            grant_types_supported=["client_credentials"],
        )

    def GetPublicClientConfig(self, request: Any, context: Any) -> Message:
        return auth_pb2.PublicClientAuthConfigResponse(
            client_id="flytekit",
            redirect_uri=self.storage.redirect_uri,
            scopes=["all", "offline"],
            authorization_metadata_key="authorization",
        )


class IdentityService(identity_pb2_grpc.IdentityServiceServicer):
    """Who the client is."""

    def UserInfo(self, request: Any, context: Any) -> Message:
        return identity_pb2.UserInfoResponse(subject="tester", name="Tester", email="tester@example.com")


def add_services(server: grpc.Server, admin: Any, storage: Storage, records: Records) -> None:
    admin_pb2_grpc.add_AdminServiceServicer_to_server(admin, server)
    dataproxy_pb2_grpc.add_DataProxyServiceServicer_to_server(DataProxyService(storage, records), server)
    signal_pb2_grpc.add_SignalServiceServicer_to_server(SignalService(records), server)
    auth_pb2_grpc.add_AuthMetadataServiceServicer_to_server(AuthMetadataService(storage), server)
    identity_pb2_grpc.add_IdentityServiceServicer_to_server(IdentityService(), server)
