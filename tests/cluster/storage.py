"""The bucket: a folder whose paths are the native addresses, and signed links to it over HTTP."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import threading
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import parse_qs, parse_qsl, urlparse

from google.protobuf.message import Message

M = TypeVar("M", bound=Message)


class Storage:
    """Files by their paths, and the links that admit one request without credentials.

    Attributes:
        root: the folder.
        tokens: what the authorization server has given; a new one is given for each request at `/oauth2/token`.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.tokens: list[str] = []
        self.grants: list[str] = []
        self.is_login_approved = False
        self.redirect_uri = "http://localhost:53593/callback"
        self._refresh_tokens: set[str] = set()
        self._links: dict[str, tuple[str, Path, str]] = {}
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        self._server.daemon_threads = True
        self._server.storage = self  # type: ignore[attr-defined]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def uri(self, *parts: str) -> str:
        return str(self.root.joinpath(*parts))

    def expire(self, *, for_good: bool) -> None:
        """Forget the tokens that were given, and also those that renew them."""
        self.tokens.clear()
        if for_good:
            self._refresh_tokens.clear()

    def grant(self, form: Mapping[str, str]) -> tuple[int, dict[str, Any]]:
        """Answer a request for a token as an authorization server does."""
        kind = form.get("grant_type", "").rpartition(":")[2]
        self.grants.append(kind)
        if kind == "device_code" and not self.is_login_approved:
            return 400, {"error": "authorization_pending"}
        if kind == "refresh_token" and form["refresh_token"] not in self._refresh_tokens:
            return 400, {"error": "invalid_grant"}
        token, refresh_token = secrets.token_hex(8), secrets.token_hex(8)
        self.tokens.append(token)
        self._refresh_tokens.add(refresh_token)
        given = {"access_token": token, "token_type": "bearer", "expires_in": 3600}
        return 200, given if kind == "client_credentials" else {**given, "refresh_token": refresh_token}

    def write(self, uri: str, message: Message) -> None:
        path = Path(uri)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(message.SerializeToString(deterministic=True))

    def read(self, uri: str, kind: type[M]) -> M:
        """Return a message, an empty one if there is no such file."""
        path = Path(uri)
        return kind.FromString(path.read_bytes() if uri and path.is_file() else b"")

    def may_replace(self, uri: str, md5: bytes) -> bool:
        """Tell whether an upload may write a file: there is none, or it has the digest."""
        path = Path(uri)
        return not path.exists() or (bool(md5) and hashlib.md5(path.read_bytes()).digest() == md5)

    def sign(self, method: str, uri: str, md5: bytes = b"") -> str:
        """Return a link that one method may use; an upload's content must have the digest."""
        token = secrets.token_hex(8)
        self._links[token] = method, Path(uri), base64.b64encode(md5).decode()
        return f"{self.address}{uri}?signature={token}"

    def signed(self, method: str, query: str) -> tuple[Path, str] | None:
        token = parse_qs(query).get("signature", [""])[0]
        signed_method, path, md5 = self._links.get(token, ("", Path(), ""))
        return (path, md5) if signed_method == method else None


class _Handler(BaseHTTPRequestHandler):
    """Answers signed links as an object store does, and asks for tokens as an authorization server does."""

    protocol_version = "HTTP/1.1"

    @property
    def storage(self) -> Storage:
        found: Storage = self.server.storage  # type: ignore[attr-defined]
        return found

    def do_PUT(self) -> None:
        content = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        signed = self.storage.signed("PUT", urlparse(self.path).query)
        if signed is None:
            return self._answer(403, b"<Error><Code>SignatureDoesNotMatch</Code></Error>")
        path, md5 = signed
        if md5 and md5 != base64.b64encode(hashlib.md5(content).digest()).decode():
            return self._answer(400, b"<Error><Code>BadDigest</Code></Error>")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return self._answer(200)

    def do_GET(self) -> None:
        if urlparse(self.path).path == "/oauth2/authorize":  # the page on which a person logs in
            query = dict(parse_qsl(urlparse(self.path).query))
            self.send_response(302)
            self.send_header("Location", f"{query['redirect_uri']}?code=1234&state={query['state']}")
            self.send_header("Content-Length", "0")
            return self.end_headers()
        signed = self.storage.signed("GET", urlparse(self.path).query)
        if signed is None:
            return self._answer(403, b"<Error><Code>SignatureDoesNotMatch</Code></Error>")
        path = signed[0]
        if not path.is_file():
            return self._answer(404, b"<Error><Code>NoSuchKey</Code></Error>")
        return self._answer(200, path.read_bytes())

    def do_POST(self) -> None:
        form = dict(parse_qsl(self.rfile.read(int(self.headers.get("Content-Length", "0"))).decode()))
        path = urlparse(self.path).path
        if path == "/oauth2/device":
            page = {"verification_uri": f"{self.storage.address}/device", "user_code": "ABCD", "device_code": "1"}
            return self._answer(200, json.dumps({**page, "expires_in": 600, "interval": 1}).encode())
        if path != "/oauth2/token":
            return self._answer(404)
        status, given = self.storage.grant(form)
        return self._answer(status, json.dumps(given).encode())

    def _answer(self, status: int, content: bytes = b"") -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *arguments: Any) -> None:
        """Print nothing."""
