"""Jacobians as operators: products against the dense matrix and against forward and reverse mode through everything."""

import pytest
import torch
from torch.func import functional_call, jvp, vjp

from pinnlab.engines import NTP, Autograd
from pinnlab.residuals.jacobian.linearisation import Linearisation
from pinnlab.residuals.jacobian.stored import StoredOutputs
from tests.residuals.test_stored import agree, problem, trained

ENGINES = pytest.mark.parametrize("engine", [NTP(), Autograd()], ids=["jets", "autograd"])


@ENGINES
@pytest.mark.parametrize("name", ["interior", "ends", "pairs", "whole", "integral", "groups"])
def test_products_are_those_of_forward_and_reverse_mode(engine, name):
    """Local, paired and whole rows: J v by `jvp` through everything, Jᵀ w by `vjp`."""
    residuals, points = problem("staged", engine)
    points, parameters = {name: points[name]}, trained(residuals)
    # transforms of torch.func go through jets, and not through nested reverse mode, which has the same values
    prepared = residuals.with_engine(NTP()).prepared()

    def rows(own):
        return functional_call(prepared, own, (points,))[name].flatten()

    r, pullback = vjp(rows, parameters)
    jacobian = Linearisation(residuals, parameters, points, held=True).jacobian()
    m, p = jacobian.shape
    assert (m, p) == (len(r), sum(value.numel() for value in parameters.values()))
    v, w = torch.randn(p), torch.randn(m)
    agree(jacobian.rmatvec(w), torch.cat([part.flatten() for part in pullback(w)[0].values()]))
    parts = v.split([value.numel() for value in parameters.values()])
    tangent = {key: part.view_as(parameters[key]) for key, part in zip(parameters, parts, strict=True)}
    agree(jacobian.matvec(v), jvp(rows, (parameters,), (tangent,))[1])
    assert float(w @ jacobian.matvec(v)) == pytest.approx(float(jacobian.rmatvec(w) @ v), rel=1e-10, abs=1e-12)
    matrix = jacobian.dense()
    agree(jacobian.matvec(v), matrix @ v)
    agree(jacobian.rmatvec(w), matrix.mT @ w)


@ENGINES
@pytest.mark.parametrize("held", [True, False], ids=["held", "projected"])
@pytest.mark.parametrize("kept", [False, True], ids=["network", "stored"])
def test_products_of_all_rows_with_variable_projection(engine, held, kept):
    residuals, points = problem("features", engine)
    parameters = trained(residuals)
    stored = StoredOutputs().at(residuals, parameters, points, 1e9) if kept else None
    jacobian = Linearisation(residuals, parameters, points, held=held, stored=stored).jacobian()
    matrix = jacobian.dense()
    v, w = torch.randn(matrix.shape[1]), torch.randn(matrix.shape[0])
    agree(jacobian.matvec(v), matrix @ v)
    agree(jacobian.rmatvec(w), matrix.mT @ w)
    # an estimate without bias, from eight samples of a spread of its own size
    scales = torch.rand(len(v))
    exact = float((matrix * scales).square().sum())
    assert exact / 30 < float(jacobian.squares(scales)) < 10 * exact
