"""Pictures of regions."""

import pytest

from pinnlab.errors import UserError
from pinnlab.geometry import Ball, Cylinder, Disc
from pinnlab.reporting.figures import plot_region


@pytest.mark.parametrize("region", [Disc() - Disc(radius=0.5), Ball() - Cylinder(0.3, (-2, 2))], ids=["plane", "space"])
def test_a_region_is_drawn_by_points_of_its_boundary(region, tmp_path):
    figure = plot_region(region, 200, tmp_path / "region.png")
    (axes,) = figure.axes
    assert (tmp_path / "region.png").stat().st_size > 5000
    assert len(axes.collections[0].get_offsets()) == 200 and axes.get_xlabel() == "x"


@pytest.mark.parametrize(
    ("region", "path", "message"),
    [
        (Ball([0.0] * 4, names="x"), None, "two or three coordinates can be drawn, not of x"),
        (Disc(), "a.jpg", "a picture is a .png"),
        (Disc().boundary, None, "has no outward normal"),
    ],
)
def test_what_cannot_be_drawn_says_so(region, path, message):
    with pytest.raises(UserError, match=message):
        plot_region(region, path=path)
