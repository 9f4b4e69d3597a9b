"""Points as named columns, and how they are chosen, put together and compared."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar

import torch
from torch import Tensor

from pinnlab.errors import UserError

Points = dict[str, Tensor]
"""Named columns of N points, each `(N,)`, or `(N, d)` for a vector coordinate."""

Ends = dict[str, tuple[Tensor, Tensor]]
"""The lower and the upper end of each coordinate."""

GOLDEN = (5**0.5 - 1) / 2
"""The golden ratio less 1. Its multiples modulo 1 fill the unit interval evenly."""


def size(points: Points) -> int:
    """The number N of points in these columns.

    Example:
        >>> size({"x": torch.zeros(3), "y": torch.zeros(3)})
        3
    """
    return len(next(iter(points.values())))


def select(points: Points, index: Tensor | slice) -> Points:
    """The rows of every column that indices, booleans or a slice choose.

    Example:
        >>> select({"x": torch.tensor([1.0, 2.0, 3.0])}, torch.tensor([True, False, True]))
        {'x': tensor([1., 3.])}
    """
    return {name: column[index] for name, column in points.items()}


def subsample(total: int, n: int) -> Tensor:
    """Ascending indices `(min(n, total),)` of a subsample of n out of `total` points.

    The indices 0, …, total − 1 are cut into n runs of about the same length, and run i gives one index: the one at the
    fraction (i φ mod 1) of its length, with the golden ratio φ. A fixed fraction would be wrong for a Sobol sequence:
    points of even index lie in one half of the region, points of odd index in the other.

    Args:
        total: The number of points to choose from.
        n: The number to choose; with n ≥ total all are chosen.

    Example:
        >>> subsample(10, 4)
        tensor([0, 3, 5, 9])
    """
    if n >= total:
        return torch.arange(total)
    edges = torch.arange(n + 1) * total // max(n, 1)
    place = torch.arange(n, dtype=torch.float64) * GOLDEN % 1
    return edges[:-1] + (place * edges.diff()).long()


def concatenate(parts: Sequence[Points]) -> Points:
    """The points of all parts, one after another.

    Raises:
        UserError: the parts have different columns, such as normals on some of them only.

    Example:
        >>> concatenate([{"x": torch.tensor([1.0])}, {"x": torch.tensor([2.0])}])
        {'x': tensor([1., 2.])}
    """
    for part in parts[1:]:
        if part.keys() != parts[0].keys():
            raise UserError(f"the parts have different columns: {', '.join(parts[0])} and {', '.join(part)}")
    return {name: torch.cat([part[name] for part in parts]) for name in parts[0]}


_ROUNDED: ContextVar[float] = ContextVar("rounded", default=1.0)
"""The size to which rounding errors are proportional, whatever the size of a region."""


def tolerance(column: Tensor, scale: float) -> float:
    """The distance by which rounding may move a point of this column, in a region of this size: 16 ε max(1, scale).

    Example:
        >>> tolerance(torch.zeros(3, dtype=torch.float64), scale=2.0) < 1e-14
        True
    """
    return 16 * torch.finfo(column.dtype).eps * max(_ROUNDED.get(), scale)


@contextmanager
def rounded(scale: float) -> Iterator[None]:
    """Within it, points are those of a region that was moved: they were rounded as numbers of this size are.

    Example:
        >>> with rounded(100.0):
        ...     tolerance(torch.zeros(3, dtype=torch.float64), scale=2.0) > 1e-13
        True
    """
    before = _ROUNDED.set(max(scale, _ROUNDED.get()))
    try:
        yield
    finally:
        _ROUNDED.reset(before)


def divide(n: int, weights: Sequence[float]) -> list[int]:
    """Split n in proportion to the weights, by largest remainders, at least one each.

    Raises:
        UserError: there are more weights than n.

    Example:
        >>> divide(10, [1.0, 3.0, 0.01])
        [2, 7, 1]
    """
    if n < len(weights):
        raise UserError(f"{n} point(s) cannot cover a region of {len(weights)} parts; ask for more points")
    total = sum(weights)
    spare = n - len(weights)
    ideal = [max(0.0, n * weight / total - 1) for weight in weights]
    ideal = [spare * share / (sum(ideal) or 1.0) for share in ideal]
    counts = [int(share) for share in ideal]
    by_remainder = sorted(range(len(ideal)), key=lambda i: counts[i] - ideal[i])
    for i in by_remainder[: spare - sum(counts)]:
        counts[i] += 1
    return [1 + count for count in counts]


def coordinate_names(names: object, count: int) -> tuple[str, ...]:
    """The names of the coordinates of a shape.

    Raises:
        UserError: they are not as many different names.

    Example:
        >>> coordinate_names(["x", "y"], 2)
        ('x', 'y')
    """
    given = tuple(str(name) for name in names) if isinstance(names, tuple | list) else ()
    if len(given) != count or len(set(given)) < count:
        words = ("one", "two different", "three different")
        wanted = words[count - 1] if count <= len(words) else f"{count} different"
        raise UserError(f"a shape of {count} coordinate(s) needs {wanted} coordinate name(s), not {names!r}")
    return given


def stack(points: Points, names: Sequence[str]) -> Tensor:
    """Columns side by side, `(N, d)`; a vector has several of them.

    Example:
        >>> stack({"x": torch.tensor([1.0, 2.0]), "y": torch.tensor([3.0, 4.0])}, ["x", "y"])
        tensor([[1., 3.],
                [2., 4.]])
    """
    columns = [points[name] for name in names]
    return torch.cat([column if column.dim() > 1 else column[:, None] for column in columns], dim=1)


def unstack(places: Tensor, names: Sequence[str], prefix: str = "") -> Points:
    """Named columns of places `(N, d)`: numbers, or one vector if there is one name for several of them.

    Example:
        >>> unstack(torch.tensor([[1.0, 3.0]]), ["x", "y"], prefix="normal_")
        {'normal_x': tensor([1.]), 'normal_y': tensor([3.])}
    """
    if len(names) == 1 and places.shape[1] > 1:
        return {f"{prefix}{names[0]}": places}
    return {f"{prefix}{name}": places[:, i] for i, name in enumerate(names)}
