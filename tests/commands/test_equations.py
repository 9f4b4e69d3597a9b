"""Listing the equations that ship: all, some, and one."""

import ast
import inspect
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pinnlab import problems
from pinnlab.cli import main
from pinnlab.commands.catalogue.entries import SHIPPED, entries
from pinnlab.commands.catalogue.orders import order
from pinnlab.commands.catalogue.search import folded
from pinnlab.commands.options.configuration import read_chain
from pinnlab.commands.options.shipped import CONFIGS, located
from pinnlab.engines import NTP
from pinnlab.equations import Equation
from pinnlab.networks import MLP
from pinnlab.residuals import Residuals

REPOSITORY = Path(__file__).parents[2]
LISTED = {entry.name: entry for entry in entries(SHIPPED)}


def test_the_list_is_what_the_package_offers():
    offered = {name: getattr(problems, name) for name in problems.__all__}
    assert LISTED.keys() == offered.keys()
    for name, cls in offered.items():
        entry = LISTED[name]
        assert entry.inputs == cls.inputs and entry.outputs == cls.outputs and entry.text == inspect.getdoc(cls)
        assert entry.dimension == cls().dimension
        assert (entry.truth == "exact") == (cls.exact is not Equation.exact)
        assert (entry.truth is not None) == cls().solved
        assert "pinnlab.problems." + entry.group.replace("/", ".") == cls.__module__.rpartition(".")[0]
        for option in inspect.signature(cls).parameters.values():
            assert option.kind in (option.VAR_POSITIONAL, option.VAR_KEYWORD) or f"{option.name}=" in entry.options


@pytest.mark.parametrize("name", LISTED)
def test_the_order_in_the_source_is_the_one_that_is_inferred(name):
    equation = getattr(problems, name)()
    residuals = Residuals(MLP(equation.dimension, len(equation.outputs)), equation, NTP())
    weights = {key: len(constraint.sobolev or [1]) - 1 for key, constraint in equation.constraints().items()}
    assert LISTED[name].order == max(term.indices.order - weights[key] for key, term in residuals.terms.items())


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("return u", 0),
        ("return x.exp() * u.d(x, y)", 2),
        ("return pinnlab.laplacian(u, x, y, z) - u", 2),
        ("return biharmonic(u, x, y)", 4),
        ("return laplacian(laplacian(u, x), x)", 4),
        ("flux = (1 + x) * u.d(x)\n  return div([flux, flux], x, y)", 2),
        ("return (u * u.d(x)).d(x, x)", 3),
        ("return u.d(*[x] * 5)", 5),
        ("return directional(u, v, x, y, order=3)", 3),
        ("if self.even:\n   return u.d(x)\n  return u.d(t, t)", 2),
        ("return {'ends': periodic(box, 'x', 'u', order=2), 'start': Constraint(box, lambda x, u: u.d(x))}", 2),
        ("return {'ends': periodic(box, 'x', 'u')}", 1),
    ],
)
def test_orders_add_up(body, expected):
    module = ast.parse(f"class A:\n def residual(self, x, u):\n  {body}")
    assert order(module.body[0], module) == expected


def shown(capsys, *arguments):
    """The names of the equations that the command prints, and all that it prints."""
    assert main(["equations", *arguments]) == 0
    text = capsys.readouterr().out
    lines = text.splitlines()
    return [line.partition("(")[0] for line in lines if line.partition("(")[0] in LISTED], text


def test_groups_have_their_titles_and_fit_on_a_page(capsys):
    names, text = shown(capsys)
    assert sorted(names) == sorted(LISTED)
    assert "Boundary value problems on an interval (ode/boundary)\n----" in text
    assert max(map(len, text.splitlines())) <= 100
    assert "    t, x -> u; order 3; reference; kdv.py\n" in text
    assert "    x, y -> u; order 2; exact solution known; poisson.py\n" in text
    assert f"{len(LISTED)} of {len(LISTED)} equations" in text


def test_all_words_must_occur(capsys):
    assert {"KdV"} <= set(shown(capsys, "SOLITONS", "korteweg")[0]) < set(LISTED)
    assert "SineGordon" in shown(capsys, "sine-gordon")[0] and "Lorenz" not in shown(capsys, "sine-gordon")[0]
    both, steep = shown(capsys, "burgers", "viscosity")[0], shown(capsys, "burgers")[0]
    assert "BurgersViscosity" in both and set(both) < set(steep) and "SelfSimilarBurgers" in steep
    assert "Plate" in shown(capsys, "Δ²u", "sin πx")[0]


@pytest.mark.parametrize(
    ("one", "other"), [("Schrödinger", "SCHRODINGER"), ("Navier–Stokes", "navier-stokes"), ("[0, 1]¹⁰", "[0, 1]10")]
)
def test_writing_makes_no_difference(one, other):
    assert folded(one) == folded(other)


def test_filters(capsys):
    for arguments, kept in {
        ("--order", "4"): lambda entry: entry.order == 4,
        ("--inputs", "10"): lambda entry: entry.dimension == 10,
        ("--group", "waves"): lambda entry: entry.group.split("/")[0] == "waves",
        ("--group", "poisson"): lambda entry: entry.group == "elliptic/poisson",
        ("--group", "ode/initial", "--order", "1"): lambda entry: entry.group == "ode/initial" and entry.order == 1,
    }.items():
        names, _ = shown(capsys, *arguments)
        assert 0 < len(names) < len(LISTED) and set(names) == {name for name in LISTED if kept(LISTED[name])}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["lorentz"], "did you mean Lorenz?"),
        (["burgers", "--order", "9"], "with 'burgers', --order 9"),
        (["--inputs", "0"], "with --inputs 0"),
        (["--group", "wave"], "there is no group 'wave': groups are blowup, "),
    ],
)
def test_nothing_found_is_said(arguments, said, capsys):
    assert main(["equations", *arguments]) == 2
    captured = capsys.readouterr()
    assert said in captured.err and captured.err.count("\n") == 1 and not captured.out


def test_one_exact_name_shows_all_of_it(capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(REPOSITORY)
    text = shown(capsys, "Lorenz")[1]
    assert text.startswith("Lorenz(sigma=10.0, rho=28.0, beta=8 / 3, end=3.0)\n\nx' = σ")
    for part in ("Deterministic Nonperiodic Flow", ">>> import torch", "ode/initial/lorenz.py"):
        assert part in text
    assert "fit --model.equation Lorenz --tol" in text and "lorenz.yaml\n" in text.partition("fit --config configs/")[2]
    # profile_2.yaml names its equation in the file that it builds on
    assert "configs/self_similar_burgers/profile_2.yaml" in shown(capsys, "SelfSimilarBurgers")[1]
    # they ship with the package
    monkeypatch.chdir(tmp_path)
    assert shown(capsys, "Lorenz")[1] == text


def test_broken_configurations_are_passed_over(capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    Path("configs").mkdir()
    for name, text in {
        "broken": "model: [", "list": "- 1", "other": "model: {equation: Heat}", "text": "model: Lorenz",
        "short": "model: {equation: Lorenz}", "long": "model: {equation: {class_path: pinnlab.problems.Lorenz}}",
    }.items():  # fmt: skip
        Path("configs", f"{name}.yaml").write_text(text)
    lines = shown(capsys, "Lorenz")[1].splitlines()
    found = [line.split()[-1] for line in lines if "--config" in line]
    assert found == ["configs/long.yaml", "configs/short.yaml", "configs/ode/lorenz.yaml"]


def test_a_configuration_that_ships_is_found_from_everywhere(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    found = sorted(path.relative_to(CONFIGS) for path in CONFIGS.rglob("*.yaml"))
    assert len(found) > 60
    for path in found:
        assert located(path) == located("configs" / path) == CONFIGS / path
    # the user's own come first
    own = Path("configs", "ode", "lorenz.yaml")
    own.parent.mkdir(parents=True)
    own.write_text("base: self_similar_burgers/base.yaml\ntol: 1e-3\n")
    assert located(own) == own
    assert read_chain(own) == [*read_chain(CONFIGS / "self_similar_burgers" / "base.yaml"), {"tol": 1e-3}]
    assert located(Path("no.yaml")) == Path("no.yaml")


@pytest.mark.parametrize(
    "arguments", [["--help"], ["equations"], ["equations", "KdV"], ["compare", "--help"], ["new-equation", "--help"]]
)
def test_what_does_not_train_starts_at_once(arguments):
    code = (
        "import sys\nfrom pinnlab.cli import main\n"
        "try:\n    status = main(sys.argv[1:])\nexcept SystemExit as end:\n    status = end.code\n"
        "print([name for name in ('torch', 'lightning', 'wandb', 'matplotlib') if name in sys.modules])\n"
        "sys.exit(status)"
    )
    started = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, cwd=REPOSITORY)
    print(f"{' '.join(arguments)}: {time.perf_counter() - started:.2f} s")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "[]"
