"""Figures that a notebook shows by themselves."""

from __future__ import annotations

from io import BytesIO

from matplotlib.figure import Figure


class InlineFigure(Figure):
    """A figure of matplotlib that a notebook shows as a picture, also where pyplot was never imported."""

    def _repr_png_(self) -> bytes:
        """The picture, for IPython."""
        stream = BytesIO()
        self.savefig(stream, format="png", dpi=100)
        return stream.getvalue()
