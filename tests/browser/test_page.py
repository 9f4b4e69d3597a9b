"""The comparison page opened in a real browser that has no network."""

import re
import subprocess
from pathlib import Path

import pytest
from matplotlib.image import imread

from pinnlab.reporting.comparison import Comparison
from pinnlab.reporting.comparison.page import write
from pinnlab.reporting.comparison.runs import read
from pinnlab.reporting.figures.style import panels, styled

# Reports what the browser made of the page, in an attribute that --dump-dom shows.
PROBE = """<script>addEventListener("load", () => {
  const images = [...document.images].map(i => i.complete ? i.naturalWidth : 0);
  document.body.dataset.images = images.join(" ");
  document.body.dataset.rows = document.querySelectorAll("tbody tr").length;
  const loaded = performance.getEntriesByType("resource");
  const wide = [document.documentElement, ...document.querySelectorAll(".wide")];
  document.body.dataset.hidden = wide.map(e => e.scrollWidth - e.clientWidth).join(" ");
  document.body.dataset.fetched = loaded.filter(e => !e.name.startsWith("data:")).length;
})</script>"""

pytestmark = pytest.mark.slow


def open_page(chromium: str, page: Path, *options: str) -> str:
    done = subprocess.run(
        [
            chromium, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
            "--host-resolver-rules=MAP * ~NOTFOUND", f"--user-data-dir={page.parent / 'profile'}",
            "--virtual-time-budget=5000", *options, page.as_uri(),
        ],
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


@pytest.fixture
def page(write_run, tmp_path) -> Path:
    runs = []
    for number in range(4):
        path = write_run(f"run-{number}", number // 2, ("NTP", "Autograd")[number % 2])
        with styled():
            figure, (axis,) = panels(1)
            axis.plot([0, 1], [number, 1])
            figure.savefig(path / "profile.png")
        runs.append(read(path))
    path = tmp_path / "page.html"
    write(Comparison(runs), path)
    return path


def test_the_browser_shows_tables_and_figures_without_a_network(chromium, page, tmp_path):
    copy = tmp_path / "probed.html"
    # the page itself forbids scripts
    text = re.sub(r"<meta http-equiv=[^>]*>", "", page.read_text())
    copy.write_text(text.replace("</head>", PROBE + "</head>"))
    dom = open_page(chromium, copy, "--dump-dom", "--window-size=1280,1600")
    # of the page and of its three tables
    assert re.search(r'data-hidden="0 0 0 0"', dom)
    widths = [int(width) for width in re.search(r'data-images="([^"]*)"', dom)[1].split()]
    assert len(widths) == 3 and min(widths) > 300  # the curves, and a picture for each engine
    assert re.search(r'data-rows="7"', dom)  # four runs, two groups, one speed-up
    assert re.search(r'data-fetched="0"', dom)


def test_the_page_as_it_is_paints_its_figures(chromium, page, tmp_path):
    picture = tmp_path / "page.png"
    open_page(chromium, page, f"--screenshot={picture}", "--window-size=1200,1600")
    pixels = imread(picture)[..., :3]
    blue = (abs(pixels - (0, 114 / 255, 178 / 255)) < 0.02).all(-1)
    assert blue.sum() > 300  # the first curve's colour


def test_nothing_in_the_page_points_elsewhere(page):
    assert re.findall(r'(?:src|href)="(?!data:)', page.read_text()) == []
