"""Weights & Biases lost in the middle of a run: the run goes on, ends in bounded time, and its record is whole."""

import http.server
import json
import os
import signal
import threading
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.long

LONG = ["--model.phases.0.steps", "600"]

ANSWERS = {
    "RunResumeStatus": {"model": None},
    "UpsertBucket": {
        "upsertBucket": {
            "bucket": {
                "id": "1",
                "name": "run",
                "displayName": "run",
                "description": "",
                "config": "{}",
                "sweepName": None,
                "historyLineCount": 0,
                "project": {"id": "2", "name": "pinnlab", "entity": {"id": "3", "name": "someone"}},
            },
            "inserted": True,
        }
    },
    "OrganizationCoreWeave": {"entity": {"organization": {"coreWeaveOrganizationId": ""}}},
    "CreateRunFiles": {"createRunFiles": {"runID": "1", "uploadHeaders": [], "files": []}},
}
"""What a W&B server says to the requests of one run; it takes everything else without a word."""


class Server(http.server.ThreadingHTTPServer):
    """As much of a W&B server as the client needs to go online; it can go away."""

    daemon_threads = True

    def __init__(self):
        self.identities = []
        self.streamed = 0
        super().__init__(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def environment(self):
        url = f"http://127.0.0.1:{self.server_address[1]}"
        return {"WANDB_MODE": "online", "WANDB_BASE_URL": url, "WANDB_API_KEY": "0" * 40}

    def leave(self):
        self.shutdown()
        self.server_close()


class Handler(http.server.BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        answer = {}
        if self.path == "/graphql":
            request = json.loads(body)
            answer = {"data": next((a for name, a in ANSWERS.items() if name in request["query"]), {})}
            if "RunResumeStatus" in request["query"]:
                self.server.identities.append(request["variables"]["name"])
        self.server.streamed += self.path.endswith("file_stream")
        text = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    do_GET = do_POST


@pytest.fixture
def tracking():
    made = Server()
    yield made
    made.leave()


def finished(lab, name, process):
    process.join(120)
    assert process.exitcode == 0, lab.log(name)
    assert lab.summary(name)["status"] == "finished"
    steps = sum(phase["steps"] for phase in lab.summary(name)["phases"])
    assert int(lab.record(name)[-1]["step"]) == steps


def test_the_server_goes_away(lab, tracking):
    options = ["--wandb.finish_timeout", "3", *LONG]
    process = lab.start("online", *options, **tracking.environment())
    lab.wait(lambda: tracking.streamed > 0 and (lab.path("online") / "metrics.csv").exists(), process)
    tracking.leave()
    finished(lab, "online", process)
    assert "Traceback" not in lab.log("online")


def test_its_own_process_dies(lab, tracking):
    process = lab.start("online", *LONG, **tracking.environment())
    lab.wait(lambda: (lab.path("online") / "metrics.csv").exists(), process)
    (core,) = [child for child in children(process.pid) if "wandb-core" in name(child)]
    os.kill(core, signal.SIGKILL)
    finished(lab, "online", process)
    assert lab.log("online").count("W&B is lost") == 1


def test_a_resumed_run_is_the_same_run(lab, tracking):
    environment = tracking.environment()
    process = lab.start("online", *LONG, **environment)
    lab.wait(lambda: (lab.path("online") / "metrics.csv").exists(), process)
    time.sleep(0.5)
    process.kill()
    process.join()
    assert lab.fit("online", *LONG, "--ckpt_path", "last", **environment) == 0, lab.log("online")
    assert len(tracking.identities) == 2 and len(set(tracking.identities)) == 1
    assert tracking.identities[0] == (lab.path("online") / "wandb_id.txt").read_text().strip()


def children(pid):
    return [
        int(child) for task in Path(f"/proc/{pid}/task").iterdir() for child in (task / "children").read_text().split()
    ]


def name(pid):
    return Path(f"/proc/{pid}/cmdline").read_text()
