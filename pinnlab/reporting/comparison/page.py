"""A comparison as one HTML file that needs nothing else: figures are inside, and nothing is fetched."""

from __future__ import annotations

import base64
import html
import io
from pathlib import Path

from pinnlab.reporting.comparison import Comparison
from pinnlab.reporting.comparison.curves import caption, draw_curves
from pinnlab.reporting.comparison.tables import to_html

_PICTURES = 6

# The browser is told to load nothing but what the file holds.
_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>
body {{ font: 15px/1.45 system-ui, sans-serif; margin: 2rem auto; max-width: 75rem; padding: 0 1rem; color: #222 }}
h1 {{ font-size: 1.4rem }} h2 {{ font-size: 1.1rem; margin-top: 2.5rem }}
.wide {{ overflow-x: auto; margin: 1.5rem 0 }}
table {{ border-collapse: collapse; font-size: .8rem; font-variant-numeric: tabular-nums }}
caption {{ text-align: left; font-weight: 600; padding: .4rem 0 }}
th, td {{ padding: .25rem .4rem; border-bottom: 1px solid #ddd }}
td {{ white-space: nowrap }}
thead th {{ border-bottom: 2px solid #888; font-weight: 600; vertical-align: bottom }}
.num {{ text-align: right }} .text {{ text-align: left }}
tbody tr:first-child {{ background: #eef5fb }}
img {{ max-width: 100%; height: auto }} figure {{ margin: 1rem 0 }} figcaption {{ color: #555; font-size: .87rem }}
</style>
</head>
<body>
<h1>{title}</h1>
{body}
</body>
</html>
"""


def render(comparison: Comparison) -> str:
    """The page: errors with their curves, tables, and the pictures of the best run of each of the best groups."""
    buffer = io.BytesIO()
    draw_curves(comparison).savefig(buffer, format="png")
    runs, *others = (f'<div class="wide">{to_html(table)}</div>' for table in comparison.tables())
    parts = [_figure(buffer.getvalue(), html.escape(caption(comparison))), runs, *others]
    pictures = [
        (f"{run.name}: {comparison.label(values)}", run.folder.figure)
        for values, (run, *_) in comparison.groups.items()
        if run.folder is not None and run.folder.figure.is_file()
    ]
    if pictures:
        parts.append("<h2>Solutions</h2>")
        parts += [_figure(path.read_bytes(), html.escape(caption)) for caption, path in pictures[:_PICTURES]]
    count = len(comparison.runs)
    return _PAGE.format(title=f"pinnlab: {count} run{'s' * (count != 1)} compared", body="\n".join(parts))


def write(comparison: Comparison, path: Path) -> None:
    """Write the page."""
    path.write_text(render(comparison), encoding="utf-8")


def _figure(png: bytes, caption: str) -> str:
    data = base64.b64encode(png).decode()
    image = f'<img alt="{caption}" src="data:image/png;base64,{data}">'
    return f"<figure>{image}<figcaption>{caption}</figcaption></figure>"
