"""Every line a function process writes is also appended to `<SWITCHBOARD_LOG_DIR>/<function name>.log` at once.

MiniStack collects the lines and shows them when the invocation has ended, in its own log and in CloudWatch Logs. A file
per function can be followed while the function runs, and keeps what it wrote before it died.
"""

import contextlib
import functools
import os
from collections.abc import Callable
from pathlib import Path
from queue import Queue
from typing import BinaryIO

from ministack.core.lambda_runtime import ProvidedWorker


def apply() -> None:
    if folder := os.environ.get("SWITCHBOARD_LOG_DIR"):
        Path(folder).mkdir(parents=True, exist_ok=True)
        ProvidedWorker._pump_output = _writing_to(Path(folder), ProvidedWorker._pump_output)


class _Copied:
    """A process's output that leaves a copy of each line in a file as it is read."""

    def __init__(self, output: BinaryIO, copy: BinaryIO) -> None:
        self._output, self._copy = output, copy

    def readline(self) -> bytes:
        line = self._output.readline()
        # A full disk must not stop the reading: a process whose output nobody reads blocks.
        with contextlib.suppress(OSError):
            # Appended in one write, so lines of two processes of the same function never mix.
            self._copy.write(line if line.endswith(b"\n") or not line else line + b"\n")
        return line

    def close(self) -> None:
        self._output.close()
        self._copy.close()


def _writing_to(folder: Path, pump: Callable) -> Callable:
    @functools.wraps(pump)
    def pump_and_copy(worker: ProvidedWorker, output: BinaryIO, lines: Queue) -> None:
        copy = (folder / f"{worker.func_name}.log").open("ab", buffering=0)
        pump(worker, _Copied(output, copy), lines)

    return pump_and_copy
