"""A W&B host of our own on 127.0.0.1, as good or as bad as a test needs it."""

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Host(ThreadingHTTPServer):
    """posts: how many POSTs are answered before it falls silent, None: all. heads: whether it says that it is there.

    upserts: the variables of each UpsertBucket, which is how wandb announces a run. rows: its uploaded history. views: the
    variables of each upsertView, which is how wandb-workspaces saves a page. files: what was uploaded, by path, an artifact's
    under /kept/a<number>/. artifacts: their types. committed: the ids of those that are whole. taken: whether each name
    of one belongs to another type already.
    """

    daemon_threads, block_on_close = True, False

    def __init__(self, posts: int | None, heads: bool, taken: bool) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.posts, self.heads, self.taken = posts, heads, taken
        self.upserts: list[dict[str, Any]] = []
        self.rows: list[dict[str, Any]] = []
        self.views: list[dict[str, Any]] = []
        self.files: dict[str, bytes] = {}
        self.artifacts: list[str] = []
        self.committed: list[str] = []
        self.count = 0
        self.silence = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def handle_error(self, *_: Any) -> None:
        """wandb is killed in some tests; its broken connections are no news."""


class Handler(BaseHTTPRequestHandler):
    server: Host
    protocol_version = "HTTP/1.1"

    def do_HEAD(self) -> None:
        if not self.server.heads:
            self.server.silence.wait()
        self.send_response(404)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def do_PUT(self) -> None:
        self.server.files[self.path] = self.rfile.read(int(self.headers["Content-Length"]))
        self.answer({})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])) or b"{}")
        self.server.count += 1
        if self.server.posts is not None and self.server.count > self.server.posts:
            self.server.silence.wait()
        self.answer(self.graphql(body) if self.path == "/graphql" else self.stream(body))

    def graphql(self, body: dict[str, Any]) -> dict[str, Any]:
        variables = body.get("variables") or {}
        found = re.search(r"(?:query|mutation)\s+(\w+)", body["query"])
        name = found[1] if found else ""
        if name == "UpsertBucket":
            self.server.upserts.append(variables)
            project = {"id": "p", "name": "stackgan", "entity": {"id": "e", "name": "me"}}
            bucket = {"id": "b", "name": variables["name"], "displayName": variables["displayName"], "project": project}
            kept = {"config": "{}", "historyLineCount": len(self.server.rows)}
            return {"data": {"upsertBucket": {"bucket": bucket | kept, "inserted": len(self.server.upserts) == 1}}}
        if name == "RunResumeStatus" and self.server.upserts:
            found = {"id": "b", "name": variables["name"], "historyLineCount": len(self.server.rows), "eventsLineCount": 0}
            tails = {"historyTail": json.dumps([json.dumps(self.server.rows[-1])] if self.server.rows else []), "eventsTail": "[]"}
            found |= {"logLineCount": 0, "config": "{}", "summaryMetrics": "{}", "wandbConfig": '{"t": 1}', **tails}
            return {"data": {"model": {"id": "p", "name": "stackgan", "entity": {"id": "e", "name": "me"}, "bucket": found}}}
        if name == "CreateRunFiles":
            files = [{"name": file, "uploadUrl": f"{self.server.url}/{file}"} for file in variables["files"]]
            return {"data": {"createRunFiles": {"runID": "b", "uploadHeaders": [], "files": files}}}
        if name in ("Viewer", "GetDefaultEntity"):
            viewer = {"id": "u", "entity": "me", "username": "me", "email": "", "flags": "{}", "teams": {"edges": []}}
            return {"data": {"viewer": viewer}}
        if name == "GetProjects":
            project = {"__typename": "Project", "id": "p", "name": "stackgan", "entityName": "me", "isBenchmark": False}
            page = {"__typename": "PageInfo", "endCursor": None, "hasNextPage": False}
            node = project | {"createdAt": "2026-01-01T00:00:00Z", "user": None}
            return {"data": {"models": {"pageInfo": page, "edges": [{"node": node}]}}}
        if "rtifact" in name:
            if name == "ArtifactType" and self.server.taken:
                return {"data": {"project": {"artifact": {"artifactType": {"name": "dataset"}}}}}
            return {"data": self.artifact(name, variables)}
        if name.lower().startswith("upsertview"):
            self.server.views.append(variables)
            kept = {key: variables.get(key) for key in ("name", "displayName", "description", "spec")}
            project = {"id": "p", "name": variables["projectName"], "entityName": variables["entityName"]}
            view = kept | {"id": f"view{len(self.server.views)}", "project": project, "updatedAt": "2026-01-01T00:00:00"}
            return {"data": {"upsertView": {"view": view, "inserted": True}}}
        return {"data": {}}

    def artifact(self, name: str, variables: dict[str, Any]) -> dict[str, Any]:
        """What a table is kept as: made, its files and its manifest taken, committed."""
        sent = variables.get("input") or variables
        if name == "CreateArtifact":
            self.server.artifacts.append(sent["artifactTypeName"])
            made = {"id": f"a{len(self.server.artifacts)}", "state": "PENDING", "artifactSequence": {"latestArtifact": None}}
            return {"createArtifact": {"artifact": made}}
        if name in ("CreateArtifactManifest", "UpdateArtifactManifest"):
            file = {"id": "f", "uploadUrl": f"{self.server.url}/manifest", "uploadHeaders": []}
            verb = name[0].lower() + name[1:]
            return {verb: {"artifactManifest": {"id": "m", "file": file}}}
        if name == "CreateArtifactFiles":
            nodes = [
                {
                    "storagePath": file["name"], "uploadUrl": f"{self.server.url}/kept/{file['artifactID']}/{file['name']}",
                    "uploadHeaders": [], "uploadMultipartUrls": None, "artifact": {"id": file["artifactID"]},
                }
                for file in sent["artifactFiles"]
            ]  # fmt: skip
            return {"createArtifactFiles": {"files": {"edges": [{"node": node} for node in nodes]}}}
        if name == "CommitArtifact":
            self.server.committed.append(variables["artifactID"])
            return {"commitArtifact": {"artifact": {"id": variables["artifactID"], "digest": "d"}}}
        return {"project": None}  # asked for the type of an artifact that is not there yet

    def stream(self, body: dict[str, Any]) -> dict[str, Any]:
        if history := body.get("files", {}).get("wandb-history.jsonl"):
            # As W&B keeps them: a file of lines, of which these begin at an offset.
            lines = [json.loads(line) for line in history["content"]]
            self.server.rows[history["offset"] : history["offset"] + len(lines)] = lines
        return {"exitcode": None, "limits": {}}

    def answer(self, value: dict[str, Any]) -> None:
        data = json.dumps(value).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: Any) -> None:
        """Silent."""


@contextmanager
def host(posts: int | None = None, heads: bool = True, taken: bool = False) -> Iterator[Host]:
    server = Host(posts, heads, taken)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server
    finally:
        server.silence.set()
        server.shutdown()
        server.server_close()
