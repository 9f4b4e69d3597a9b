"""The site of all documents: built without a warning, with every page, working in a browser without a network."""

import html
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from filelock import FileLock

REPOSITORY = Path(__file__).parents[2]
PAGES = (
    "index", "docs/tutorial", "docs/how-to/tolerance", "docs/catalogue/README", "docs/catalogue/kdv",
    "docs/reference/configuration", "docs/reference/api/pinnlab.geometry", "docs/notebooks/first_steps",
)  # fmt: skip
# Tells the page around it what the browser made of a page.
PROBE = """<script>addEventListener("load", () => setTimeout(() => {
  const blocks = [...document.querySelectorAll("article pre, article .table-wrapper")];
  parent.postMessage({
    name: location.pathname.split("/").pop(),
    width: document.documentElement.scrollWidth,
    wide: blocks.filter(e => e.scrollWidth > e.clientWidth + 1).map(e => e.textContent.trim().slice(0, 80)),
    found: [...document.querySelectorAll("#search-results a")].map(e => e.getAttribute("href")),
    formulas: [...document.querySelectorAll("math")].filter(e => e.getBoundingClientRect().height > 5).length,
  }, "*");
}, 3000))</script>"""
AROUND = """<!doctype html><html><head><script>
const all = {};
addEventListener("message", e => { all[e.data.name] = e.data; document.body.dataset.all = JSON.stringify(all); });
</script></head><body>%s</body></html>"""

# building it takes half a minute of a core
pytestmark = [pytest.mark.slow, pytest.mark.long]


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    """The site, built once for all processes of a run of the tests."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "site"
    with FileLock(f"{folder}.lock"):
        if not (folder / "index.html").exists():
            command = [sys.executable, str(REPOSITORY / "docs" / "site" / "build.py"), "--out", str(folder)]
            done = subprocess.run(command, capture_output=True, text=True, cwd=base)
            assert done.returncode == 0, done.stdout + done.stderr
    return folder


def test_every_document_is_a_page(site):
    pages = [*REPOSITORY.glob("*.md"), *(REPOSITORY / "docs").rglob("*.md"), *REPOSITORY.glob("docs/**/*.ipynb")]
    names = [path.relative_to(REPOSITORY).with_suffix(".html") for path in pages]
    assert [str(name) for name in names if not (site / name).exists()] == []
    front = (site / "index.html").read_text()
    listed = {name.parts[1] for name in names if len(name.parts) == 3} - {"catalogue"}
    assert all(f'href="docs/{folder}/' in front for folder in listed)


def test_the_reference_has_packages_commands_and_options(site):
    reference = site / "docs" / "reference"
    for page, text in {
        "api/pinnlab": "Solve an equation: to a tolerance, or by training a network",
        "api/pinnlab.jets": "truncated Taylor series",
        "api/pinnlab.problems": "singled out by an interval",
        "api/pinnlab.training": "Levenberg-Marquardt steps",
        "api/pinnlab.reporting.comparison": "How much sooner one engine reaches the error that both reach",
        "command-line": "--extrapolate",
        "configuration": "model.equation",
    }.items():
        assert text in (reference / f"{page}.html").read_text(), page
    assert "<sub>" in (site / "docs" / "catalogue" / "kdv.html").read_text()


@pytest.fixture(scope="module")
def shown(chromium, site, tmp_path_factory) -> dict[str, dict]:
    """What a browser of 1280 pixels, without a network, makes of some pages and of a search for KdV."""
    frames = ""
    for number, page in enumerate((*PAGES, "search")):
        copy = site / page
        copy = copy.with_name(f"probed-{number}.html")
        copy.write_text((site / f"{page}.html").read_text().replace("</head>", PROBE + "</head>"))
        query = "?q=KdV" if page == "search" else ""
        frames += f'<iframe src="{copy.as_uri()}{query}" width="1280" height="1600" frameborder="0"></iframe>'
    around = site / "around.html"
    around.write_text(AROUND % frames)
    command = [
        chromium, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--dump-dom",
        "--host-resolver-rules=MAP * ~NOTFOUND", f"--user-data-dir={tmp_path_factory.mktemp('profile')}",
        "--virtual-time-budget=10000", "--window-size=1400,1600", around.as_uri(),
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr[-2000:]
    found = json.loads(html.unescape(re.search(r'data-all="([^"]*)"', done.stdout)[1]))
    return {page: found[f"probed-{number}.html"] for number, page in enumerate((*PAGES, "search"))}


def test_pages_are_no_wider_than_1280_pixels_and_the_search_works_offline(shown):
    assert {page: found["width"] for page, found in shown.items() if found["width"] > 1280} == {}
    assert {page: found["wide"] for page, found in shown.items() if found["wide"]} == {}
    assert shown["docs/notebooks/first_steps"]["formulas"] > 1
    links = shown["search"]["found"]
    assert any(link.startswith("docs/catalogue/kdv.html") for link in links[:4]), links
