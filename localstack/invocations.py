"""A gate before every invocation of a function: closed until the emulator serves, closed again before its state is saved.

The emulator saves one service after another. An invocation running meanwhile could be acknowledged in a queue's saved
state and missing from a table's. So the gate closes first, running invocations get a moment to end, the rest are cut off,
and the messages those held go back to their queues.
"""

import functools
import time
from collections.abc import Callable
from typing import Any

from ministack.core import lambda_runtime
from ministack.services import lambda_svc

SECONDS_TO_FINISH = 5.0
SECONDS_TO_SETTLE = 3.0
REFUSED = {
    "error": True,
    "body": {"errorType": "Emulator.Stopping", "errorMessage": "The emulator is starting or stopping."},
    "log": "",
}


class Invocations:
    """Guards the emulator's one way of running a function, and the pollers that feed functions."""

    def __init__(self) -> None:
        self._open = False
        lambda_svc._execute_function = self._guarded(lambda_svc._execute_function, REFUSED)
        for poll in ("_poll_sqs", "_poll_kinesis", "_poll_dynamodb_streams"):
            setattr(lambda_svc, poll, self._guarded(getattr(lambda_svc, poll), False))
        lambda_svc._run_sqs_batch = self._returning_cut_off(lambda_svc._run_sqs_batch)

    def open(self) -> None:
        self._open = True
        lambda_svc._esm_wake.set()

    def close(self) -> None:
        """Refuses new invocations and returns when none is running and no function process is left."""
        self._open = False
        _wait_until(_nothing_runs, SECONDS_TO_FINISH)
        lambda_runtime.reset()
        _wait_until(_nothing_runs, SECONDS_TO_SETTLE)

    def _guarded(self, call: Callable, refusal: Any) -> Callable:
        @functools.wraps(call)
        def guarded(*arguments, **options):
            return call(*arguments, **options) if self._open else refusal

        return guarded

    def _returning_cut_off(self, run_batch: Callable) -> Callable:
        """Otherwise a message held by a batch that was cut off would stay hidden for its visibility timeout."""

        @functools.wraps(run_batch)
        def run(mapping, function, event, batch, queue_url, queue_name) -> None:
            run_batch(mapping, function, event, batch, queue_url, queue_name)
            if not self._open:
                for message in batch:
                    message["visible_at"] = time.time()

        return run


def _nothing_runs() -> bool:
    return lambda_svc.executions_in_flight()[0] == 0 and not lambda_svc._esm_inflight


def _wait_until(condition: Callable[[], bool], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.05)
