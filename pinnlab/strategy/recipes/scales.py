"""The scales of random features: surveys, of which the held-out losses say which scales suit a solution."""

from __future__ import annotations

from collections.abc import Generator

from pinnlab.strategy.features import Features, Layered
from pinnlab.strategy.recipe import Answer, Decision, Progress, Survey

# Scales that are tried first, and the least and the largest one; rounds over the inputs, where these are few.
_SCALES, _LEAST, _LARGEST = (1.0, 2.0, 4.0, 8.0, 16.0), 0.05, 500.0
_ROUNDS, FEW_INPUTS = 3, 4
# A lower loss by this factor is no accident. Larger scales must lower it by more: a little beyond the best ones errors
# are larger by orders, and where that begins differs from one draw of features to the next.
_BETTER, _MUCH_BETTER = 0.5, 0.1


def suited(
    progress: Progress, surveyed: int, end: float | None, layers: Layered = ()
) -> Generator[Decision, Answer, Features]:
    """Features whose scales suit the solution: one scale for all inputs first, then each with its own.

    Args:
        progress: What the recipe sees.
        surveyed: The number of features.
        end: The end of the window.
        layers: The layers for which coordinates are stretched.
    """
    dimension = progress.equation.dimension
    start = Features(surveyed, (1.0,) * dimension, periodic=progress.periodic, layers=layers)
    scales, losses = list(_SCALES), list[float]()
    while True:
        candidates = tuple(start.magnified((scale,) * dimension) for scale in scales[len(losses) :])
        answer = yield Survey(candidates, end, "the scale of the features")
        assert isinstance(answer, tuple)
        losses += answer
        best = min(range(len(scales)), key=losses.__getitem__)
        if scales[best] == min(scales) and scales[best] > _LEAST:
            scales.append(scales[best] / 2)
        elif scales[best] == max(scales) and scales[best] < _LARGEST:
            scales.append(scales[best] * 2)
        else:
            return (yield from adapted(start.magnified((scales[best],) * dimension), end, losses[best], 2.0))


def sharpened(features: Features, end: float | None, loss: float) -> Generator[Decision, Answer, Features]:
    """The features with other scales where errors fall slowly, as beside a corner, whose waves have all lengths.

    There is no best scale then beyond which errors are larger by orders, and larger ones help a little.
    """
    return (yield from adapted(features, end, loss, 2.0, _BETTER))


def adapted(
    features: Features, end: float | None, loss: float, step: float, larger: float = _MUCH_BETTER
) -> Generator[Decision, Answer, Features]:
    """The features with the scale of each input changed by a factor, up or down, as long as that helps.

    Args:
        features: The features.
        end: The end of the window.
        loss: Their held-out loss.
        step: The factor.
        larger: By which factor larger scales must lower the loss.
    """
    dimension = len(features.scales)
    if dimension > FEW_INPUTS:
        return features
    for _ in range(_ROUNDS):
        before = features
        for axis in range(dimension):
            start = features
            for factor in (step, 1 / step):
                other = features
                while True:
                    other = other.magnified([factor if i == axis else 1.0 for i in range(dimension)])
                    if other.scales[axis] > _LARGEST:
                        break
                    answer = yield Survey((other,), end, f"the scale along input {axis + 1}")
                    assert isinstance(answer, tuple)
                    if answer[0] >= (_BETTER if factor < 1 else larger) * loss:
                        break
                    features, (loss,) = other, answer
                if features is not start:
                    break
        if features is before:
            break
    return features
