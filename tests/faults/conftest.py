"""Real processes of the command line that can be killed, started by forking a server that has everything imported."""

import csv
import json
import multiprocessing
import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import pytest
import torch
from lightning.fabric.utilities.rank_zero import rank_zero_only

from pinnlab.cli import main

CONFIG = """
seed_everything: 0
model:
  equation: {class_path: SelfSimilarBurgers}
  network: {class_path: MLP, init_args: {depth: 1, width: 8}}
  engine: {class_path: NTP}
  phases:
    - {class_path: Adam, init_args: {steps: 60, lr: 5.0e-3}}
    - {class_path: LBFGS, init_args: {steps: 8, inner: 10}}
    - {class_path: GaussNewton, init_args: {steps: 12, plateau: null}}
data:
  sampler: {class_path: Uniform}
  resample_every: 7
  points: {interior: 31, origin: 7}
  held_out: 51
run: {threads: 1, checkpoint_steps: 3}
trainer: {log_every_n_steps: 5, accelerator: cpu}
"""


def run(arguments: list[str], output: str, environment: dict[str, str]) -> None:
    """What a process does: the command line, with its output in a file."""
    os.environ.update(environment)
    os.chdir(Path(output).parent)
    descriptor = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for stream in (1, 2):
        os.dup2(descriptor, stream)
    # the server's standard streams are not those of a shell
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1):
        signal.signal(number, signal.SIG_DFL)
    torch.set_default_dtype(torch.float32)
    # read when the server imported it
    rank_zero_only.rank = int(environment.get("LOCAL_RANK", 0))

    sys.exit(main(arguments))


@dataclass
class Lab:
    """Starts runs in a folder and looks at what they left."""

    folder: Path
    context: Any
    processes: list[BaseProcess] = field(default_factory=list)

    def start(self, name: str, *arguments: str, **environment: str) -> BaseProcess:
        command = ["fit", "--config", str(self.folder / "fast.yaml"), "--run.root", str(self.folder / "runs")]
        command += ["--run.name", name, *arguments]
        environment = {"OMP_NUM_THREADS": "1", "WANDB_MODE": "disabled"} | environment
        process = self.context.Process(target=run, args=(command, str(self.folder / f"{name}.log"), environment))
        process.start()
        self.processes.append(process)
        return process

    def fit(self, name: str, *arguments: str, **environment: str) -> int:
        process = self.start(name, *arguments, **environment)
        process.join(120)
        assert process.exitcode is not None, f"still running after two minutes: {self.log(name)}"
        return process.exitcode

    def ranks(self, name: str, count: int, *arguments: str, **environment: str) -> list[BaseProcess]:
        """The processes of one run, as a cluster starts them."""
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = str(free.getsockname()[1])
        arguments = (*arguments, "--trainer.devices", str(count), "--trainer.strategy", "ddp")
        environment |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "GLOO_SOCKET_IFNAME": "lo", "NODE_RANK": "0"}
        return [self.start(name, *arguments, **environment, LOCAL_RANK=str(rank)) for rank in range(count)]

    def fit_ranks(self, name: str, count: int, *arguments: str) -> list[int | None]:
        processes = self.ranks(name, count, *arguments)
        for process in processes:
            process.join(120)
        return [process.exitcode for process in processes]

    def path(self, name: str) -> Path:
        return self.folder / "runs" / name

    def log(self, name: str) -> str:
        return (self.folder / f"{name}.log").read_text()

    def summary(self, name: str) -> dict[str, Any]:
        return json.loads((self.path(name) / "summary.json").read_text())

    def record(self, name: str) -> list[dict[str, str]]:
        with (self.path(name) / "metrics.csv").open(newline="") as file:
            return [{key: value for key, value in row.items() if key != "seconds"} for row in csv.DictReader(file)]

    def wait(self, condition: Callable[[], bool], process: BaseProcess, seconds: float = 60.0) -> None:
        end = time.monotonic() + seconds
        while not condition():
            assert process.is_alive() and time.monotonic() < end, "nothing happened"
            time.sleep(0.01)


@pytest.fixture(scope="session")
def server() -> Any:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["pinnlab.commands.training.train", "matplotlib.figure", __name__])
    return context


@pytest.fixture
def lab(tmp_path: Path, server: Any) -> Iterator[Lab]:
    (tmp_path / "fast.yaml").write_text(CONFIG)
    made = Lab(tmp_path, server)
    yield made
    for process in made.processes:
        if process.is_alive():
            process.kill()
        process.join()
        process.close()
