"""The folder of the emulator's files: one emulator at a time, a mark of the last clean stop, and no silent loss."""

import fcntl
import logging
import os
import shutil
import sys
import tempfile
from pathlib import Path


class StateInUse(Exception):
    """Another emulator is using the folder; each would overwrite what the other saves."""


class State:
    """The folder, claimed from the start of this emulator to its end."""

    def __init__(self, folder: Path) -> None:
        self._clean_stop = folder / "clean-stop"
        self._unpacked = folder / "unpacked"
        folder.mkdir(parents=True, exist_ok=True)
        self._claim = (folder / "claim").open("w")
        try:
            fcntl.flock(self._claim, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StateInUse(f"another emulator is using the state in {folder}") from None

    def begin(self) -> None:
        self._clean_stop.unlink(missing_ok=True)
        # MiniStack unpacks functions into the temporary folder and leaves them there; one of our own can be emptied.
        shutil.rmtree(self._unpacked, ignore_errors=True)
        self._unpacked.mkdir()
        tempfile.tempdir = str(self._unpacked)

    def end_cleanly(self) -> None:
        shutil.rmtree(self._unpacked)
        self._clean_stop.touch()


class StateFailures(logging.Handler):
    """MiniStack only logs that it could not read or save a service's state; this remembers it."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.messages: list[str] = []
        logging.getLogger("persistence").addHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        self.messages.append(record.getMessage())

    def stop_on_unreadable_state(self) -> None:
        """Going on would start the service empty and overwrite its saved state at the next stop."""
        from ministack import app

        restore = app._load_persisted_state

        def restore_all() -> None:
            logging.getLogger("ministack").addHandler(self)
            try:
                restore()
            except Exception as error:  # noqa: BLE001
                self.messages.append(repr(error))
            logging.getLogger("ministack").removeHandler(self)
            if self.messages:
                self.report("the saved state could not be read, nothing was changed")
                os._exit(1)

        app._load_persisted_state = restore_all

    def report(self, summary: str) -> None:
        print(f"emulator: {summary}: " + "; ".join(self.messages), file=sys.stderr, flush=True)
