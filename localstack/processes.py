"""Ties the life of every process the emulator starts to the emulator's own."""

import functools
import subprocess
import sys
from pathlib import Path

REAPER = Path(__file__).with_name("reaper.py")


class Reaper:
    """The leader of the process group that all function processes join, and their end."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-S", "-E", str(REAPER)], stdin=subprocess.PIPE, process_group=0)

    def adopt_new_processes(self) -> None:
        """From now on every process started by this one joins the reaper's group, unless its caller chose another."""
        start, group = subprocess.Popen.__init__, self._process.pid

        @functools.wraps(start)
        def start_in_group(popen: subprocess.Popen, *arguments, **options) -> None:
            if options.get("process_group") is None and not options.get("start_new_session"):
                options["process_group"] = group
            start(popen, *arguments, **options)

        subprocess.Popen.__init__ = start_in_group

    def end_all(self) -> None:
        """Ends what is left of the group, and the reaper with it."""
        self._process.stdin.close()
        self._process.wait()
