"""A SLURM cluster of two nodes on this host, and what to submit to it."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SCRIPT = Path(__file__).parent / "cluster.sh"

FAST = """
model:
  network: {class_path: MLP, init_args: {depth: 1, width: 8}}
  phases:
    - {class_path: Adam, init_args: {steps: 60}}
    - {class_path: LBFGS, init_args: {steps: 4, inner: 5}}
    - {class_path: GaussNewton, init_args: {steps: 4}}
data: {points: {interior: 31, origin: 7}, held_out: 51}
run: {threads: 1, checkpoint_steps: 10}
trainer: {accelerator: cpu, log_every_n_steps: 5}
"""

# what a person would edit, and that nodes of one host reach each other over the loopback device
ENVIRONMENT = f"""
export PATH={Path(sys.executable).parent}:$PATH PYTHONPATH={ROOT} OMP_NUM_THREADS=1 WANDB_MODE=offline
export MASTER_ADDR=127.0.0.1 GLOO_SOCKET_IFNAME=lo
"""


@dataclass(frozen=True)
class Cluster:
    """Submits the shipped scripts from a folder that looks like a checkout."""

    folder: Path
    conf: Path

    def command(self, *words: str, **environment: str) -> str:
        environment = os.environ | {"SLURM_CONF": str(self.conf), "PINNLAB_ENV": "my_env.sh"} | environment
        done = subprocess.run(words, cwd=self.folder, env=environment, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, f"{' '.join(words)}: {done.stdout}{done.stderr}"
        return done.stdout

    def submit(self, *words: str, **environment: str) -> str:
        return self.command("sbatch", "--parsable", *words, **environment).strip()

    def state(self, job: str) -> set[str]:
        return set(re.findall(r"JobState=(\S+)", self.command("scontrol", "show", "job", "-o", job)))

    def logs(self) -> str:
        return "\n".join(f"--- {path.name}\n{path.read_text()}" for path in sorted(self.folder.glob("*.log")))

    def wait(self, condition: Callable[[], bool], seconds: float = 240.0) -> None:
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, f"nothing happened; {self.command('squeue')}\n{self.logs()}"
            time.sleep(0.2)

    def completed(self, job: str) -> None:
        over = {"COMPLETED", "FAILED", "CANCELLED", "TIMEOUT", "NODE_FAIL", "OUT_OF_MEMORY"}
        self.wait(lambda: self.state(job) <= over)
        assert self.state(job) == {"COMPLETED"}, self.logs()


@pytest.fixture(scope="session")
def slurm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    if not os.environ.get("PINNLAB_SLURM_TESTS"):
        pytest.skip("make slurm-test runs these: they start a SLURM cluster on this host and install it if they must")
    folder = tmp_path_factory.mktemp("slurm")
    started = subprocess.run(["bash", str(SCRIPT), "start", str(folder)], capture_output=True, text=True, timeout=600)
    if started.returncode == 77:
        pytest.skip(started.stdout.strip())
    assert started.returncode == 0, started.stderr
    yield folder / "slurm.conf"
    subprocess.run(["bash", str(SCRIPT), "stop", str(folder)], check=True, timeout=60)


@pytest.fixture
def cluster(slurm: Path, tmp_path: Path) -> Iterator[Cluster]:
    for name in ("slurm", "configs"):
        (tmp_path / name).symlink_to(ROOT / name)
    (tmp_path / "fast.yaml").write_text(FAST)
    (tmp_path / "my_env.sh").write_text(ENVIRONMENT)
    made = Cluster(tmp_path, slurm)
    yield made
    made.command("scancel", "--state=RUNNING")
    made.command("scancel", "--state=PENDING")
