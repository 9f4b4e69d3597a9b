"""As much of W&B's HTTP interface as a run needs, on this machine: what its client posts, and nothing kept on disk.

The answers are made from what the client of this version asks for: a run (`UpsertBucket`), places to put files to
(`CreateRunFiles`), rows of history and summary (`file_stream`), and artifacts, of which it is told that they are there
already, so that their files are not sent.
"""

import gzip
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Received:
    """What came.

    Attributes:
        url: The server.
        runs: What runs were begun or changed with.
        lines: Files that are written line by line, such as wandb-history.jsonl, as objects.
        files: Files that were put as a whole.
        artifacts: What artifacts were made with.
        unknown: Questions that nothing is known about.
    """

    url: str = ""
    runs: list[dict] = field(default_factory=list)
    lines: dict[str, list[dict]] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)
    artifacts: list[dict] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)

    def answer(self, question: str, given: dict) -> dict:
        """The data of an answer."""
        name = re.search(r"(?:query|mutation)\s+(\w+)", question)[1]
        answers = {
            "Viewer": self._viewer,
            "RunResumeStatus": lambda given: {"model": {"id": "P", "name": "p", "entity": _ENTITY, "bucket": None}},
            "UpsertBucket": self._run,
            "CreateRunFiles": self._places,
            "OrganizationCoreWeaveOrganizationID": lambda given: {"entity": {"organization": None}},
            "ArtifactType": lambda given: {"project": {"artifact": None}},
            "CreateArtifact": self._artifact,
            "ServerFeaturesQuery": lambda given: {"serverInfo": {"features": []}},
        }
        if name not in answers:
            self.unknown.append(f"{name}: {given}"[:2000])
            return {}
        return answers[name](given)

    def put(self, name: str, content: bytes) -> None:
        """A file as a whole."""
        self.files[name] = content

    def stream(self, content: dict) -> None:
        """Rows."""
        for name, part in (content.get("files") or {}).items():
            rows = self.lines.setdefault(name, [])
            rows[part["offset"] :] = [json.loads(line) for line in part["content"]]

    def _viewer(self, given: dict) -> dict:
        return {"viewer": {"id": "V", "entity": "me", "username": "me", "flags": "{}", "teams": {"edges": []}}}

    def _run(self, given: dict) -> dict:
        self.runs.append(given)
        project = {"id": "P", "name": given["project"], "entity": _ENTITY}
        bucket = {
            "id": "R", "name": given["name"], "displayName": given["displayName"] or "", "description": "",
            "config": "{}", "sweepName": "", "historyLineCount": 0, "project": project,
        }  # fmt: skip
        return {"upsertBucket": {"bucket": bucket, "inserted": len(self.runs) == 1}}

    def _places(self, given: dict) -> dict:
        files = [{"name": name, "uploadUrl": f"{self.url}/put/{name}"} for name in given["files"]]
        return {"createRunFiles": {"runID": "R", "uploadHeaders": [], "files": files}}

    def _artifact(self, given: dict) -> dict:
        self.artifacts.append(given)
        name = f"A{len(self.artifacts)}"
        sequence = {"id": "S", "latestArtifact": {"id": name, "versionIndex": 0}}
        found = {"id": name, "digest": "d", "state": "COMMITTED", "artifactSequence": sequence}
        return {"createArtifact": {"artifact": found}}


_ENTITY = {"id": "E", "name": "me"}


def _handler(received: Received) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            content = self._content()
            if self.path == "/graphql":
                asked = json.loads(content)
                self._reply({"data": received.answer(asked["query"], asked.get("variables") or {})})
            elif self.path.endswith("/file_stream"):
                received.stream(json.loads(content))
                self._reply({"exitcode": None, "limits": {}})
            else:
                self._reply({})

        def do_PUT(self) -> None:
            received.put(self.path.removeprefix("/put/"), self._content())
            self._reply({})

        def _content(self) -> bytes:
            content = b""
            if self.headers.get("Transfer-Encoding") == "chunked":
                while size := int(self.rfile.readline(), 16):
                    content += self.rfile.read(size)
                    self.rfile.readline()
                self.rfile.readline()
            else:
                content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            return gzip.decompress(content) if self.headers.get("Content-Encoding") == "gzip" else content

        def _reply(self, data: dict) -> None:
            content = json.dumps(data).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *arguments: object) -> None:
            pass

    return Handler


@contextmanager
def serving() -> Iterator[Received]:
    """A server on a free port of this machine, within the block."""
    received = Received()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(received))
    # a client that leaves without a word is none of the test's business
    server.handle_error = lambda request, address: None
    received.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield received
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
