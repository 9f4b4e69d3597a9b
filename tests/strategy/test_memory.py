"""The memory of a solve: what is counted is what is taken, and what there is not is not tried."""

import json
import math
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch

import pinnlab
from pinnlab.equations import Constraint, Equation, Whole
from pinnlab.errors import UserError
from pinnlab.geometry import Box, Interval, PointSet
from pinnlab.operators import GaussLegendre
from pinnlab.strategy import Accept, Features, Outcome, Proposal, Recipe, Refinement, Stop, Survey
from pinnlab.strategy.features import Range
from pinnlab.strategy.journal import Journal
from pinnlab.strategy.march import March
from pinnlab.strategy.memory import Demand, available
from pinnlab.strategy.trials.trial import Trial
from pinnlab.training.setup.settings import default_dtype

REPOSITORY = Path(__file__).parents[2]

# Each solve in a process of its own, which has its own greatest use of memory; all of them share the imports.
MEASURED = """
import json, os, resource, sys
import torch
from experiments.tolerance import PROBLEMS
from pinnlab.strategy import Features, Proposal, Recipe, Stop
from pinnlab.strategy.march import March
from pinnlab.strategy.memory import Demand
from pinnlab.training.setup.settings import default_dtype, without_warnings

class One(Recipe):
    def __init__(self, count):
        self.count = count
    def decisions(self, progress):
        yield Proposal(Features(self.count, (2.0,) * progress.equation.dimension))
        return Stop(False)

def solve(name, count):
    march = March(PROBLEMS[name].equation(), One(count), 1e-8)
    march.run()
    return march

torch.set_num_threads(1)
for name, count in json.loads(sys.argv[1]).items():
    reading, writing = os.pipe()
    if not os.fork():
        with without_warnings(), default_dtype(torch.float64):
            solve(name, 30)
            before = int(open("/proc/self/statm").read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
            main = solve(name, count)._candidate.main
            taken = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 - before
            counted = Demand.of(main.residuals).bytes(Features(count, ()))
        os.write(writing, json.dumps([name, taken, counted]).encode())
        os._exit(0)
    os.close(writing)
    print(os.read(reading, 10000).decode(), flush=True)
    os.wait()
"""


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="the use of memory is read from Linux")
def test_what_is_counted_is_what_is_taken():
    problems = {"Kovasznay": 350, "plate": 500, "Poisson, 5 inputs": 600}
    environment = os.environ | {"PYTHONPATH": str(REPOSITORY), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-c", MEASURED, json.dumps(problems)], capture_output=True, text=True, env=environment
    )
    assert done.returncode == 0, done.stderr
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert [name for name, *_ in found] == list(problems)
    for name, taken, counted in found:
        print(f"{name}: {taken / 2**20:.0f} MiB taken, {counted / 2**20:.0f} counted")
        assert taken > 1e8 and 0.5 < counted / taken < 2, name


class Membrane(Equation):
    """Δu + 1 = 0 on the unit square, 0 on its boundary."""

    inputs, outputs = ("x", "y"), ("u",)

    def constraints(self):
        square = Box(x=(0, 1), y=(0, 1))
        return {
            "inside": Constraint(square, lambda x, y, u: pinnlab.laplacian(u, x, y) + 1),
            "walls": Constraint(square.boundary, lambda u: u),
        }


class Heat(Equation):
    """u_t = u_xx from x (1 − x)."""

    inputs, outputs = ("t", "x"), ("u",)

    def constraints(self):
        box = Box(t=(0, 0.2), x=(0, 1))
        return {
            "inside": Constraint(box, lambda t, x, u: u.d(t) - u.d(x, x)),
            "start": Constraint(box.face("t", 0), lambda x, u: u - x * (1 - x)),
            "walls": Constraint(box.faces("x"), lambda u: u),
        }


class Given(Equation):
    """u' = 1 with the mean 0 by a rule of 20 nodes, and 500 measurements."""

    inputs, outputs = ("x",), ("u",)

    def constraints(self):
        points = PointSet(x=torch.linspace(0, 1, 500), seen=torch.linspace(-0.5, 0.5, 500))
        rule = GaussLegendre(x=(0, 1), nodes=20)
        return {
            "slope": Constraint(Interval(x=(0, 1)), lambda x, u: u.d(x) - 1),
            "mean": Whole(rule, lambda u: u.mean()),
            "data": Constraint(points, lambda u, seen: u - seen),
        }


def demand(equation, features):
    with default_dtype(torch.float64):
        trial = Trial.untrained(equation, replace(features, count=1), Range.unit(len(equation.outputs)))
        return Demand.of(trial.residuals)


def test_numbers_of_a_hundred_features():
    """By hand: 250 points inside with 4 Taylor coefficients and a row, 84 on the walls with the value alone."""
    count, rows = 101, 250 + 84
    by_hand = (250 * (4 + 1) + 84 * (1 + 1)) * count + 3 * (250 * 4 + 84) * 100 + 3 * rows * count + count**2
    assert demand(Membrane(), Features(100, (2.0, 2.0))).bytes(Features(100, (2.0, 2.0))) == 8 * by_hand


def test_given_points_and_nodes_are_as_many_as_they_are():
    found = demand(Given(), Features(1, (2.0,)))
    assert found.groups["data"] == (0, 500) == found.nodes["data"] and found.groups["slope"] == (1, 0)
    assert found.nodes["mean"] == (0, 20)


def test_the_most_features_just_fit():
    features = Features(100, (2.0, 2.0))
    found = demand(Membrane(), features)
    most = found.most(features, 1e8)
    assert found.bytes(replace(features, count=most)) <= 1e8 < found.bytes(replace(features, count=most + 1))
    assert found.most(features, math.inf) == math.inf and found.most(features, 1.0) == 0


def test_the_default_is_what_the_machine_has_left():
    assert 1e7 < available() < os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def system(folder, files):
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


MACHINE = {"proc/meminfo": "MemTotal:   20000 kB\nMemAvailable:   10000 kB\n"}
JOB = {
    "proc/self/cgroup": "0::/jobs/7\n",
    "sys/fs/cgroup/jobs/7/memory.max": "max\n",
    "sys/fs/cgroup/jobs/7/memory.current": "900000\n",
    "sys/fs/cgroup/jobs/memory.max": "3000000\n",
    "sys/fs/cgroup/jobs/memory.current": "2000000\n",
    "sys/fs/cgroup/jobs/memory.stat": "anon 5\ninactive_file 500000\n",
}
FIRST = {
    "proc/self/cgroup": "4:cpu:/x\n3:memory:/box\n",
    "sys/fs/cgroup/memory/box/memory.limit_in_bytes": "2000000\n",
    "sys/fs/cgroup/memory/box/memory.usage_in_bytes": "1900000\n",
    "sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n",
    "sys/fs/cgroup/memory/memory.usage_in_bytes": "1900000\n",
}


@pytest.mark.parametrize(
    ("files", "left"),
    [(MACHINE, 10000 * 1024), (MACHINE | JOB, 1500000), (FIRST, 100000), (MACHINE | FIRST, 100000)],
)
def test_jobs_and_containers_have_their_own_limits(tmp_path, files, left):
    assert available(system(tmp_path, files)) == pytest.approx(0.8 * left)


def test_a_system_that_tells_nothing(tmp_path):
    assert available(tmp_path) == os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2


@pytest.mark.parametrize(("memory", "tried"), [(2e6, [60]), (8e6, [60, 120])])
def test_what_does_not_fit_ends_a_solve_with_what_there_is(memory, tried):
    solution = pinnlab.solve(Membrane(), tol=1e-9, recipe=Refinement(surveyed=30, first=60), memory=memory)
    ending = solution.ending
    assert not ending.reached and list(solution.history["solve/features"]) == tried
    assert ending.reason.startswith(f"memory: {2 * tried[-1]} features need ")
    assert ending.reason.endswith(f" MiB, and {memory / 2**20:.0f} MiB are allowed")


def test_a_survey_needs_memory_too():
    with pytest.raises(UserError, match="no solution was found: memory: 30 features need"):
        pinnlab.solve(Membrane(), tol=1e-9, recipe=Refinement(surveyed=30), memory=1e4)


class Told(Recipe):
    """Two windows; what the outcomes say is kept."""

    def decisions(self, progress):
        self.outcomes = []
        for end in (0.1, 0.2):
            outcome = yield Proposal(Features(40, (1.5, 1.5)), end)
            self.outcomes.append(outcome)
            yield Accept()
        return Stop(False, "two windows")


def test_a_recipe_sees_the_most_features_and_a_resumed_one_sees_the_same(tmp_path):
    with default_dtype(torch.float64):
        recipe, journal = Told(), Journal(tmp_path / "decisions.jsonl")
        March(Heat(), recipe, 1e-3, memory=1e7).run(journal)
        first, second = (outcome.most for outcome in recipe.outcomes)
        assert 40 < second <= first < 500 and isinstance(first, int)
        again = Told()
        March(Heat(), again, 1e-3, memory=1e9).run(Journal(journal.path))
        assert again.outcomes == recipe.outcomes
        free = Told()
        March(Heat(), free, 1e-3).run()
        assert [outcome.most for outcome in free.outcomes] == [math.inf, math.inf]


def test_windows_get_shorter_where_more_features_do_not_fit():
    """The answers say that more features help, as long as there is memory for them."""
    asked = {}
    for most in (math.inf, 500):
        decisions = Refinement().decisions(March(Heat(), Refinement(), 1e-6).progress)
        decision, answer = next(decisions), None
        while not isinstance(decision, Proposal):
            assert isinstance(decision, Survey)
            decision = decisions.send((1.0, 0.5, 1.0, 1.0, 1.0)[: len(decision.features)])
        answer = Outcome(0.0, 1e-4, 1e-4, {}, 1e-9, 0.01, 0.0, most, held_out_fewer=1e-9)
        following = decisions.send(answer)
        while isinstance(following, Survey):  # other scales are no better
            following = decisions.send((1.0,) * len(following.features))
        asked[most] = following.features.count > decision.features.count, following.end < decision.end
    assert asked == {math.inf: (True, False), 500: (False, True)}


@pytest.mark.parametrize("memory", [0, -1e9, "8 GB", math.nan])
def test_memory_is_a_number_of_bytes(memory):
    with pytest.raises(UserError, match="memory is a number of bytes, as 8e9, not"):
        pinnlab.solve(Membrane(), tol=1e-6, memory=memory)


def test_memory_goes_with_a_tolerance():
    with pytest.raises(UserError, match="memory is for a solve to a tolerance, which chooses points itself"):
        pinnlab.solve(Membrane(), points={"inside": 9}, memory=8e9)
