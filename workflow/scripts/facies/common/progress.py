"""Progress of a long job: a bar in the terminal, a line every half minute in the log."""

import sys
import time
from collections.abc import Callable
from typing import TextIO

EVERY = 30.0  # seconds between lines
REDRAW = 0.2  # seconds between drawings of the bar
WIDTH = 24


class Progress:
    """Counts photos of ``total``; ``quality`` names the figure whose mean is shown.

    Lines go to standard output, which is a job's log, the bar to Snakemake's terminal, if any.
    """

    def __init__(
        self,
        total: int,
        quality: str,
        terminal: TextIO | None = None,
        clock: Callable[[], float] = time.monotonic,
    ):
        self.total, self.quality, self.clock = total, quality, clock
        self.terminal = terminal or sys.__stderr__
        self.start = self.printed = self.drawn = clock()
        self.done, self.sum = 0, 0.0

    def add(self, value: float) -> None:
        """Count one more photo of this quality."""
        self.done, self.sum = self.done + 1, self.sum + value
        now = self.clock()
        if now - self.printed >= EVERY or self.done == self.total:
            self.printed = now
            print(self.line(), flush=True)
        if self.terminal.isatty() and (now - self.drawn >= REDRAW or self.done == self.total):
            self.drawn = now
            end = "\n" if self.done == self.total else ""
            self.terminal.write(f"\r{self.bar()} {self.line()}\033[K{end}")
            self.terminal.flush()

    def line(self) -> str:
        """Photos done, rate, time left, mean quality so far."""
        rate = self.done / max(self.clock() - self.start, 1e-9)
        left = round((self.total - self.done) / rate)
        time_left = f"{left // 3600}:{left // 60 % 60:02d}:{left % 60:02d} left"
        mean = f"{self.quality} {self.sum / self.done:.2f}"
        return f"{self.done}/{self.total} photos, {rate:.2f} a second, {time_left}, {mean}"

    def bar(self) -> str:
        full = WIDTH * self.done // self.total
        return f"[{'#' * full}{'.' * (WIDTH - full)}]"
