"""Quadrature rules on named axes, and operators that act on the values at all nodes of a rule."""

from pinnlab.operators.caputo import Caputo
from pinnlab.operators.hilbert import HilbertOnCircle, HilbertOnLine
from pinnlab.operators.integrals import Antiderivative, Integral
from pinnlab.operators.kernels import Convolution, Fredholm, Volterra
from pinnlab.operators.operator import AxisOperator, Derivative, Identity, Multiplication, Sum, WholeOperator
from pinnlab.operators.rule import AxisRule, ProductRule, Rule
from pinnlab.operators.rules import GaussHermite, GaussLegendre, PeriodicTrapezoid, SinhTrapezoid, TanTrapezoid

__all__ = [
    "Antiderivative",
    "AxisOperator",
    "AxisRule",
    "Caputo",
    "Convolution",
    "Derivative",
    "Fredholm",
    "GaussHermite",
    "GaussLegendre",
    "HilbertOnCircle",
    "HilbertOnLine",
    "Identity",
    "Integral",
    "Multiplication",
    "PeriodicTrapezoid",
    "ProductRule",
    "Rule",
    "SinhTrapezoid",
    "Sum",
    "TanTrapezoid",
    "Volterra",
    "WholeOperator",
]
