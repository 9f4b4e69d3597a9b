"""What a person sees of something that goes on: one line that is written anew, or in a file line after line."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType

from rich.live import Live
from rich.text import Text

from pinnlab.training.callbacks.progress import Terminal, clock, terminal

# Seconds without a line in a file, after which a small message is one.
_OFTEN = 5.0


class Line:
    """Shows the last message with the seconds before it, in a `with` block.

    On a terminal there is one line, whose seconds go on between messages, and it is gone at the end. In a notebook each
    message overwrites the one before, and the last one stays. In a file each message is a line, but for small ones that
    come soon after another.

    Example:
        >>> with Line(lambda: 61.2) as line:
        ...     line.show("half of it")
            1:01  half of it
    """

    def __init__(self, seconds: Callable[[], float], console: Terminal | None = None) -> None:
        """Shows nothing yet.

        Args:
            seconds: What tells the seconds so far.
            console: Where to write; standard output by default.
        """
        self._seconds, self._console = seconds, console or terminal()
        self._message, self._part = "", ""
        self._written = 0.0
        self._live: Live | None = None

    def __enter__(self) -> Line:
        if self._console.is_terminal:
            self._live = Live(console=self._console, get_renderable=self._now, refresh_per_second=4, transient=True)
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.stop()
        self._console.end()

    def show(self, message: str = "", part: float | None = None, small: bool = False) -> None:
        """Shows a message.

        Args:
            message: The message; that before it stays if this one is empty.
            part: The part of all that is done, which the line on a terminal has in front.
            small: Whether a file can do without it, unless it has had no line for some seconds.
        """
        self._message = message or self._message
        self._part = "" if part is None else f"{100 * part:3.0f} %  "
        if self._live is not None:
            self._live.refresh()
        elif self._console.overwrites:
            self._console.passing(str(self._now()))
        elif message and not (small and self._seconds() - self._written < _OFTEN):
            self._written = self._seconds()
            print(f"{clock(self._written):>8}  {message}", flush=True)

    def _now(self) -> Text:
        """The line as it is now, cut off where the terminal ends."""
        text = f"{clock(self._seconds()):>8}  {self._part}{self._message}"
        return Text(text, no_wrap=True, overflow="ellipsis")
