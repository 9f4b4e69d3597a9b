"""The line that a person watches: written anew on a terminal and in a notebook, line after line in a file."""

import io
import re
import sys

import pytest

import pinnlab
from pinnlab.problems import SelfSimilarBurgers
from pinnlab.reporting.line import Line
from pinnlab.training import Adam
from pinnlab.training.callbacks.progress import Notebook, Terminal, shown


def terminal(width=80):
    return Terminal(file=io.StringIO(), force_terminal=True, width=width, color_system=None)


def frames(console):
    """What the line showed one after the other, without what moves the cursor."""
    text = re.sub(r"\x1b\[[?\d;]*[A-Za-z]", "", console.file.getvalue())
    return [frame for frame in text.replace("\n", "\r").split("\r") if frame.strip()]


def test_a_terminal_has_one_line_which_is_gone_at_the_end():
    console, now = terminal(), [0.5]
    with Line(lambda: now[0], console) as line:
        line.show("t from 0 to 6", part=0.0)
        now[0] = 2.0
        line.show(part=0.375)
        now[0] = 75.0
        line.show("t from 6 to 16", part=0.375)
    shown = list(dict.fromkeys(frame.rstrip() for frame in frames(console)))
    assert shown[-3:] == [
        "   0.5 s    0 %  t from 0 to 6",
        "   2.0 s   38 %  t from 0 to 6",
        "    1:15   38 %  t from 6 to 16",
    ]
    written = console.file.getvalue()
    assert written.count("\n") <= 2, "the line is written anew, not below itself"
    assert written.rstrip("\x1b[?25h").endswith("\x1b[2K") or "\x1b[1A\x1b[2K" in written[-20:], "and erased"


def test_a_long_line_does_not_go_on_below():
    console = terminal(width=30)
    with Line(lambda: 1.0, console) as line:
        line.show("a message that is far too long for so few columns")
    assert all(len(frame) <= 30 for frame in frames(console)) and "…" in frames(console)[-1]


def test_the_seconds_go_on_while_nothing_is_told():
    console, now = terminal(), iter(range(1, 1000))
    with Line(lambda: float(next(now)), console) as line:
        line.show("waiting")
        line._live.refresh()
        line._live.refresh()
    assert len({frame.split(" s")[0] for frame in frames(console) if "waiting" in frame}) >= 3


def test_a_file_has_a_line_for_each_message(capsys):
    with Line(lambda: 3.0) as line:
        line.show("first", part=0.1)
        line.show(part=0.2)
        line.show("second")
    assert capsys.readouterr().out == "   3.0 s  first\n   3.0 s  second\n"


def test_the_line_is_closed_by_an_error(monkeypatch):
    console = terminal()
    with pytest.raises(KeyboardInterrupt), Line(lambda: 1.0, console) as line:
        line.show("going on")
        raise KeyboardInterrupt
    assert console.file.getvalue().endswith("\x1b[?25h") or "\x1b[?25h" in console.file.getvalue(), "the cursor is back"
    assert sys.stdout is not console.file


def test_a_file_goes_without_small_messages_that_come_soon(capsys):
    now = [1.0]
    with Line(lambda: now[0]) as line:
        line.show("first")
        line.show("a scale", small=True)
        now[0] = 7.0
        line.show("another scale", small=True)
        line.show("second")
    assert capsys.readouterr().out == "   1.0 s  first\n   7.0 s  another scale\n   7.0 s  second\n"


def test_a_notebook_has_one_line_of_which_the_last_message_stays(capsys):
    with Line(lambda: 3.0, Notebook()) as line:
        line.show("a long message", part=0.1)
        line.show("short", part=1.0)
    written = capsys.readouterr().out
    assert written.count("\n") == 1 and written.endswith("\n")
    assert written.split("\r")[1:] == ["   3.0 s   10 %  a long message", "   3.0 s  100 %  short         \n"]


def test_progress_is_shown_at_a_prompt_unless_it_is_said_otherwise(monkeypatch):
    assert not shown(None) and shown(True)
    monkeypatch.setattr("sys.ps1", ">>> ", raising=False)
    assert shown(None) and not shown(False)


def test_a_training_in_a_notebook_has_one_line_and_one_for_each_phase(monkeypatch, capsys):
    monkeypatch.setattr("pinnlab.training.callbacks.progress.in_notebook", lambda: True)
    monkeypatch.setattr("pinnlab.training.callbacks.progress.REDRAWN", 0.0)
    pinnlab.solve(SelfSimilarBurgers(), phases=[Adam(3), Adam(2)], points={"interior": 9}, progress=True)
    *lines, rest = capsys.readouterr().out.split("\n")
    assert rest == "" and [line.count("\r") for line in lines] == [3, 2]
    assert "phase 1/2 Adam 1/3" in lines[0] and re.search(r"\rphase 2 \(Adam\) ended after 2 steps", lines[1])
