"""Builds the documentation as one static site that works from a folder, without a server or a network.

python docs/site/build.py [--out site]

Sphinx reads a copy of the repository, in which the pages of the reference are written beside those of docs/. Links
between pages and to files of the repository are the same here and on a code host. A warning, such as one of a link that
leads nowhere, ends the build.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[2]
SOURCES = ("*.md", "LICENSE", "CITATION.cff", "Makefile", "configs", "docs", "experiments", "pinnlab", "slurm")
"""The files and folders that pages are or link to."""
_UNREAD = shutil.ignore_patterns("__pycache__", "*.pyc", ".ipynb_checkpoints")


def main() -> int:
    """Builds the site; the exit status is 0 if there was no warning."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=ROOT / "site", help="the folder of the site, which is written anew")
    return build(parser.parse_args().out)


def build(out: Path) -> int:
    """Builds the site into a folder; what an earlier build left there goes.

    Raises:
        FileExistsError: if the folder has other files.
    """
    if out.exists() and any(out.iterdir()) and not (out / "searchindex.js").exists():
        raise FileExistsError(f"{out} is no earlier site: choose an empty folder")
    shutil.rmtree(out, ignore_errors=True)
    sys.path[:0] = [str(ROOT), str(Path(__file__).parent)]
    import options
    import reference
    from sphinx.cmd.build import build_main

    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "source"
        stage(source)
        reference.write(source / "docs" / "reference")
        options.write(source / "docs" / "reference")
        here = str(Path(__file__).parent)
        settings = ["--fail-on-warning", "--keep-going", "--quiet", "-b", "html", "-d", f"{folder}/trees", "-c", here]
        status = build_main([*settings, str(source), str(out)])
    if status == 0:
        # the front page has a name of its own on code hosts
        shutil.copyfile(out / "README.html", out / "index.html")
    return status


def stage(target: Path) -> None:
    """Copies what pages are and link to."""
    for pattern in SOURCES:
        for path in sorted(ROOT.glob(pattern)):
            if path.is_dir():
                shutil.copytree(path, target / path.name, ignore=_UNREAD)
            else:
                target.mkdir(parents=True, exist_ok=True)
                shutil.copy(path, target / path.name)


if __name__ == "__main__":
    sys.exit(main())
