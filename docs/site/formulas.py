"""Formulas: TeX as MathML, which browsers typeset by themselves, and derivatives such as u_xx in a sentence."""

from __future__ import annotations

import re
from collections.abc import Iterator

from docutils import nodes
from docutils.utils.math.latex2mathml import tex2mathml
from sphinx.application import Sphinx
from sphinx.writers.html5 import HTML5Translator

_RAISED = re.compile(
    r"(?<![\w\\/.])(?P<name>[^\W\d_]{1,2})_(?P<below>[A-Za-zα-ω0-9]{1,4})(?![A-Za-z0-9_]|\.\w)"
    r"|(?<=[\w)∂])\^(?:\{(?P<group>[^{}]+)\}|(?P<above>[−-]?\w+))"
)
"""u_xx, x_i, Δ_h: one or two letters with what is written below, and no name of a program; e^x, U^{2k + 1}."""
_PROSE = (nodes.paragraph, nodes.emphasis, nodes.strong, nodes.entry)


def inline(translator: HTML5Translator, node: nodes.math) -> None:
    """Writes $…$."""
    translator.body.append(tex2mathml(node.astext()))
    raise nodes.SkipNode


def display(translator: HTML5Translator, node: nodes.math_block) -> None:
    """Writes $$…$$."""
    translator.body.append(f'<div class="math">{tex2mathml(node.astext(), as_block=True)}</div>')
    raise nodes.SkipNode


def typeset(app: Sphinx, document: nodes.document) -> None:
    """Sets what follows an underscore lower and what follows a caret higher, in text that is no code."""
    for text in list(document.findall(nodes.Text)):
        if isinstance(text.parent, _PROSE) and _RAISED.search(text):
            text.parent.replace(text, list(_pieces(text)))


def _pieces(text: str) -> Iterator[nodes.Node]:
    before = 0
    for match in _RAISED.finditer(text):
        found = match.groupdict()
        yield nodes.Text(text[before : match.start()] + (found["name"] or ""))
        if found["below"]:
            yield nodes.subscript("", found["below"])
        else:
            yield nodes.superscript("", found["group"] or found["above"])
        before = match.end()
    yield nodes.Text(text[before:])


def setup(app: Sphinx) -> dict[str, bool]:
    """Offers `html_math_renderer = "mathml"`, and changes pages once they are read."""
    app.add_html_math_renderer("mathml", (inline, None), (display, None))
    app.connect("doctree-read", typeset)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
