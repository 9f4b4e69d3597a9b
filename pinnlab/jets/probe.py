"""A symbolic probe: it finds the derivatives of the network that a residual consumes, and refuses those without one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.utils._pytree import tree_flatten, tree_map

from pinnlab.errors import UserError
from pinnlab.jets.contents import OVER_ENTRIES, contents, mixes
from pinnlab.jets.field import Field
from pinnlab.jets.series.algebra import MultiIndex, add, unit
from pinnlab.jets.values import ADVICE, BRANCHES, TOGETHER, Origin, Values, check_local, numbers


class Probe(Field):
    """A field that computes nothing and records which derivatives of the network it needs.

    A node holds the set of shifts it consumes. Coordinates and outputs of the network hold {0}. `.d` shifts every
    element by one derivative along its axis. Everything else unions its operands. To have ∂^α of the node, its operands
    must supply ∂^{α+s} for every shift s.

    A node also names the parts of it that have only so many derivatives, and says how many are left: none for data, for
    the `.value` of a field and for functions that jump. A plain tensor with an entry for every point is data.

    A row may see other places than its own point; `places` names the places of a node. Places at a fixed distance
    share one name, since ∂/∂x of u(x + c) is (∂u/∂x)(x + c); an expression that mixes other places has no derivative.
    A row may also see all points `together`: an expression in which NaN at one point spreads to others has no
    derivative either.

    Values live on the meta device: they have shapes and no numbers, so control flow that depends on data is an error.

    Example:
        >>> from pinnlab.jets import Probe
        >>> u = Probe.output((4,), dimension=2)
        >>> t, x = (Probe.coordinate((4,), dimension=2, axis=axis) for axis in (0, 1))
        >>> sorted((u.d(t) - u.d(x, x)).shifts)
        [(0, 2), (1, 0)]
    """

    def __init__(
        self,
        shape: Sequence[int],
        dimension: int,
        shifts: Iterable[MultiIndex],
        axis: int | range | None = None,
        laplacians: Iterable[tuple[int, ...]] = (),
        *,
        points: int | None = None,
        left: Mapping[str, int] | None = None,
        name: str = "an expression",
        dtype: torch.dtype | None = None,
        places: Iterable[str] = (),
        together: bool = False,
    ) -> None:
        """A probe of the given shape of values.

        Args:
            shape: The shape of the values.
            dimension: The number of coordinate axes.
            shifts: The derivatives of the network that it consumes.
            axis: The coordinate axis or axes that it is.
            laplacians: The groups of axes over which it consumes a Laplacian alone.
            points: The number of points; the first entry of the shape by default.
            left: The parts of it that have only so many derivatives, in words → how many each has left.
            name: Its name in messages about its values.
            dtype: The dtype of the values.
            places: The places at which it uses the network.
            together: Whether functions may take the points together.
        """
        self._value = torch.empty(tuple(shape), device="meta", dtype=dtype)
        self.dimension = dimension
        self.shifts = frozenset(shifts)
        self.axis = axis
        self.laplacians = frozenset(laplacians)
        self.points = shape[0] if points is None else points
        self.left = dict(left or {})
        self.name = name
        self.places = frozenset(places)
        self.together = together

    @classmethod
    def output(
        cls, shape: Sequence[int], dimension: int, name: str = "an output", place: str = "", together: bool = False
    ) -> Probe:
        """An output of the network."""
        return cls(shape, dimension, [(0,) * dimension], name=name, places=[place], together=together)

    @classmethod
    def coordinate(
        cls,
        shape: Sequence[int],
        dimension: int,
        axis: int | range,
        name: str = "a coordinate",
        place: str = "",
        together: bool = False,
    ) -> Probe:
        """A coordinate: its expressions can be differentiated too, like (x * x).d(x)."""
        return cls(shape, dimension, [(0,) * dimension], axis, name=name, places=[place], together=together)

    @property
    def value(self) -> Tensor:
        """A tensor without numbers, `(N, ...)`, that knows whose values it stands for."""
        origins = frozenset((*self.left, f"the values of {self.name}"))
        return Values.of(self._value, Origin(origins, self.points, self.shifts, self.laplacians, self.together))

    @property
    def shape(self) -> torch.Size:
        """The shape of the values, `(N, ...)`."""
        return self._value.shape

    @property
    def dtype(self) -> torch.dtype:
        """The dtype of the values."""
        return self._value.dtype

    @property
    def device(self) -> torch.device:
        """The device without numbers."""
        return self._value.device

    def differentiate(self, axis: int) -> Probe:
        """Every shift with one more derivative along the axis.

        Raises:
            UserError: if a part of it has no derivative left.
        """
        for what, count in self.left.items():
            if count == 0:
                raise UserError(
                    f"a derivative is asked of an expression that contains {what}, which has none: {ADVICE}"
                )
        step = unit(self.dimension, axis)
        shifts = (add(shift, step) for shift in self.written_out())
        left = {what: count - 1 for what, count in self.left.items()}
        return Probe(
            self.shape,
            self.dimension,
            shifts,
            points=self.points,
            left=left,
            dtype=self.dtype,
            places=self.places,
            together=self.together,
        )

    def _axis(self, coordinate: object) -> int | range:
        """The axis of a coordinate.

        Raises:
            UserError: if it is none, or one of another place than this expression.
        """
        axis = super()._axis(coordinate)
        assert isinstance(coordinate, Probe)
        if len(self.places | coordinate.places) > 1:
            raise UserError(
                "a derivative is asked of an expression at one place along a coordinate of another, or of one that "
                "mixes places: differentiate the output of each place along its own coordinate, as right.u.d(right.x)"
            )
        return axis

    def laplacian(self, axes: Sequence[int]) -> Field:
        """The Laplacian of an output is noted as a Laplacian, and of an expression by its second derivatives."""
        plain = not self.laplacians and not self.left and self.shifts == {(0,) * self.dimension}
        if len(axes) > 1 and plain:
            return Probe(
                self.shape,
                self.dimension,
                (),
                laplacians=[tuple(sorted(axes))],
                points=self.points,
                places=self.places,
                together=self.together,
            )
        return super().laplacian(axes)

    def written_out(self) -> frozenset[MultiIndex]:
        """The shifts, with Laplacians as the second derivatives that they are sums of."""
        return self.shifts | {
            tuple(2 * a for a in unit(self.dimension, axis)) for axes in self.laplacians for axis in axes
        }

    def derivative(self, alpha: MultiIndex) -> Tensor:
        """A probe has no numbers to give.

        Raises:
            UserError: always.
        """
        raise UserError("a residual cannot ask for the values of derivatives; use .d(…)")

    @classmethod
    def apply(cls, function: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        """Runs the function on shapes alone; the result consumes and contains all that its operands do.

        Raises:
            UserError: if the function needs numbers, changes a field in place, takes points together or is complex.
        """
        name = getattr(function, "__name__", str(function))
        if name.endswith("_") and not name.endswith("__"):
            raise UserError(f"{name} would change a field in place, and a residual may not: write u = u + 1")
        leaves, _ = tree_flatten((args, kwargs), is_leaf=lambda leaf: isinstance(leaf, Field))
        probes = [leaf for leaf in leaves if isinstance(leaf, Probe)]
        parts: list[Probe | Origin] = [*probes, *(leaf.origin for leaf in leaves if isinstance(leaf, Values))]
        shifts = frozenset[MultiIndex]().union(*(part.shifts for part in parts))
        laplacians = frozenset[tuple[int, ...]]().union(*(part.laplacians for part in parts))
        dimension, points, together = probes[0].dimension, probes[0].points, probes[0].together
        places = frozenset[str]().union(*(probe.places for probe in probes))
        if not together and name in OVER_ENTRIES and all(probe.ndim == 1 for probe in probes):
            raise UserError(f"{name} takes points together, and {TOGETHER}")
        left = contents(function, name, leaves, kwargs, points)
        if together and mixes(function, args, kwargs, points):
            left = {f"{name}(…) over the nodes": 0, **left}

        def strip(leaf: object) -> object:
            if isinstance(leaf, Probe):
                return leaf._value
            return numbers(leaf).to("meta") if isinstance(leaf, Tensor) else leaf

        plain_args, plain_kwargs = tree_map(
            strip, (tuple(args), dict(kwargs)), is_leaf=lambda leaf: isinstance(leaf, Field)
        )
        try:
            result = function(*plain_args, **plain_kwargs)
        except UserError:
            raise
        except (RuntimeError, TypeError, ValueError, IndexError) as error:
            if "meta" in str(error):
                raise UserError(f"{name}: {BRANCHES}") from error
            message = " ".join(str(error).split())
            advice = (
                "what acts on the nodes must have as many entries as there are nodes, in training and, where a rule "
                "has a finer one, in the evaluation"
                if together
                else "values at the points must be a column, as m in PointSet(x=…, m=…), and a residual may use only "
                "the values at its own point"
            )
            raise UserError(f"{name} of fields at {points} points fails ({message}); {advice}") from error

        def wrap(leaf: object) -> object:
            if not isinstance(leaf, Tensor):
                return leaf
            if leaf.is_complex():
                raise UserError(f"{name} gives complex numbers: write real and imaginary part as two outputs")
            if not together:
                check_local(name, leaf.shape, points, any(points in probe.shape for probe in probes))
            own = left if leaf.is_floating_point() else {**left, f"{name}(…)": 0}
            return cls(
                leaf.shape,
                dimension,
                shifts,
                None,
                laplacians,
                points=points,
                left=own,
                dtype=leaf.dtype,
                places=places,
                together=together,
            )

        return tree_map(wrap, result)
