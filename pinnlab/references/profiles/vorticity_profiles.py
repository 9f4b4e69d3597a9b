"""The self-similar profiles of three models with a Hilbert transform, by `self_similar`, from guesses alone."""

from __future__ import annotations

from functools import cache
from itertools import chain, islice

import numpy as np

from pinnlab.errors import UserError
from pinnlab.references.profiles.self_similar import Array, Equations, LogGrid, Profile, Smooth, follow, smoothed, solve


def ccf_equations(q: Array, lam: complex) -> Array:
    """Córdoba-Córdoba-Fontelos: Ω + ((1 + λ) + M) y Ω' + HΩ Ω with M = U/y."""
    omega, slope, hilbert, speed = q[0]
    return np.stack([omega + (1 + lam + speed) * slope + hilbert * omega])


def ccf_smooth(centre: complex, lam: complex) -> complex:
    """The condition λ + 2 + 2 HΩ(0) = 0."""
    return lam + 2 + 2 * centre


def hou_luo_equations(q: Array, lam: complex) -> Array:
    """Hou-Luo for Ω and θ = Θ/y: Ω + ((1 + λ) + M) y Ω' − (yθ)', (2 + M) θ + ((1 + λ) + M) y θ'."""
    (omega, slope, _, speed), (theta, change) = q[0], q[1, :2]
    return np.stack(
        [omega + (1 + lam + speed) * slope - theta - change, (2 + speed) * theta + (1 + lam + speed) * change]
    )


def hou_luo_smooth(centre: complex, lam: complex) -> complex:
    """The condition λ + 3 + 2 HΩ(0) = 0."""
    return lam + 3 + 2 * centre


def clm_equations(a: float) -> Equations:
    """Generalised Constantin-Lax-Majda: (c + aM) y Ω' − (HΩ − 1) Ω; the unknown is c."""

    def equations(q: Array, c: complex) -> Array:
        omega, slope, hilbert, speed = q[0]
        return np.stack([(c + a * speed) * slope - (hilbert - 1) * omega])

    return equations


def clm_smooth(a: float) -> Smooth:
    """The condition c + (a − 1) HΩ(0) + 1 = 0."""
    return lambda centre, c: c + (a - 1) * centre + 1


def _guess(grid: LogGrid, decay: float, centre: float) -> Array:
    """A function like y at the origin and y^{−decay} far away, with a value of HΩ(0)."""
    omega = grid.y * (1 + grid.y**2) ** (-(1 + decay) / 2)
    return omega * centre / (grid.centre @ omega)


@cache
def ccf(rung: int, spacing: float = 0.12) -> Profile:
    """A rung of the ladder of Córdoba, Córdoba and Fontelos, 0, 1 or 2: λ ≈ 1.18, 0.606, 0.471.

    Args:
        rung: How many smooth profiles with a larger λ there are.
        spacing: That of the last grid.

    Raises:
        UserError: if there is no such rung.
    """
    if rung not in (0, 1, 2):
        raise UserError(f"the rung must be 0, 1 or 2, got {rung}")
    return smoothed(ccf_equations, ccf_smooth, _coarse_ccf(rung), (spacing, -34, 64))


@cache
def _coarse_ccf(rung: int) -> Profile:
    """A rung on a coarse grid, along the branch from the first one."""
    grid = LogGrid(0.16, -28, 50)
    guess = Profile(grid, _guess(grid, 1 / 2.1, -1.55)[None], 1.1)
    first = solve(ccf_equations, guess, grid, ccf_smooth)
    # the crest becomes narrow below 0.6, where the profile changes faster
    lams = np.concatenate([np.arange(1.16, 0.61, -0.02), np.arange(0.6, 0.456, -0.005)])
    others = follow(ccf_equations, ccf_smooth, first, lams.tolist(), (0.16, -28, 50))
    return next(islice(chain([first], others), rung, None))


@cache
def hou_luo() -> Profile:
    """The first rung of the ladder of the Hou-Luo model, λ ≈ 1.9987."""
    grid = LogGrid(0.15, -26, 70)
    omega = _guess(grid, 1 / 3, -2.5)
    theta = omega[0] / grid.y[0] / 2 * 1.5 * grid.y * (1 + grid.y**2) ** (-5 / 6)
    return solve(hou_luo_equations, Profile(grid, np.stack([omega, theta]), 2.0), grid, hou_luo_smooth, row=1)


@cache
def clm(a: float) -> Profile:
    """The smooth profile of the generalised Constantin-Lax-Majda equation, from a = 0 on; its λ is c."""
    grid = LogGrid(0.15, -24, 24)
    here = Profile(grid, -(grid.y / (grid.y**2 + 0.25))[None], 1.0)
    for step in np.linspace(0, a, max(2, round(abs(a) / 0.1) + 1))[1:]:
        here = solve(clm_equations(float(step)), here, grid, clm_smooth(float(step)))
    return here


def at(profile: Profile, z: Array, slope: float) -> Array:
    """Ω, U/√(1 + y²) and for two functions Θ/√(1 + y²) at y = sinh z, scaled so that Ω'(0) is the slope."""
    scale = slope / profile.slope
    y = np.maximum(np.abs(np.sinh(z)), 1e-30)
    found = profile(scale * y)
    sign, tanh = np.sign(z), np.tanh(z)
    # Θ = y θ has the derivative of the same size as Ω: Θ(κy)/κ has the slope of Θ at κy
    carried = [np.abs(tanh) * found[1]] if len(found) == 3 else []
    return np.stack([sign * found[0], tanh * found[-1], *carried])
