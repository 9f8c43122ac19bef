"""Each function that reads a stream does so at its own pace, and holds up nobody else.

MiniStack reads all streams on the one thread that also feeds queues: while a function works on a batch of changes, no other
gets one, and each queue hands over a single batch before the next. An import, whose changes come for minutes, left the
second reader of the stream and every queue standing. On AWS each mapping has pollers of its own; here each has a thread
while there is something for it to read.
"""

import functools
import threading
import time
from collections.abc import Callable, Iterator
from contextvars import ContextVar

from ministack.core.arn import ArnParseError, parse_arn
from ministack.services import dynamodb, lambda_svc

# After a batch that failed, and where the emulator finds that it may not read after all.
SECONDS_OF_REST = 1.0

Mapping = tuple[str, str, dict]
_reader: ContextVar[str | None] = ContextVar("stream_reader", default=None)


def apply() -> None:
    lambda_svc._iter_all_esms = _only_the_readers_own(lambda_svc._iter_all_esms)
    lambda_svc._poll_dynamodb_streams = Readers(lambda_svc._poll_dynamodb_streams).start
    # Several threads forget what is too old now, and each counts what it forgot.
    dynamodb._trim_stream_records = _one_at_a_time(dynamodb._trim_stream_records)


class Readers:
    """The readers of all streams; the emulator's own poll, restricted to one mapping, is what each of them runs."""

    def __init__(self, poll: Callable[[], bool]) -> None:
        self._poll = poll
        self._rests_until: dict[str, float] = {}

    def start(self) -> bool:
        """Starts those that have something to read and do not read already; whether there were any."""
        waiting = [mapping["UUID"] for account, region, mapping in lambda_svc._iter_all_esms()
                   if self._may_read(mapping) and _has_unread(account, region, mapping)]
        for mapping in waiting:
            # Counted with the batches of queues, so that a stop waits for it; and the emulator looks for more when it ends.
            lambda_svc._dispatch_esm_batch(mapping, self._read, mapping)
        return bool(waiting)

    def _may_read(self, mapping: dict) -> bool:
        identity = mapping["UUID"]
        return (mapping.get("Enabled", True) and identity not in lambda_svc._esm_inflight
                and self._rests_until.get(identity, 0) <= time.monotonic())

    def _read(self, mapping: str) -> None:
        _reader.set(mapping)
        while any(_has_unread(*known) for known in lambda_svc._iter_all_esms()):
            if not self._poll():
                self._rests_until[mapping] = time.monotonic() + SECONDS_OF_REST
                return


def _only_the_readers_own(mappings: Callable[[], Iterator[Mapping]]) -> Callable[[], Iterator[Mapping]]:
    @functools.wraps(mappings)
    def chosen() -> Iterator[Mapping]:
        reader = _reader.get()
        return (known for known in mappings() if reader in (None, known[2]["UUID"]))

    return chosen


def _has_unread(account: str, region: str, mapping: dict) -> bool:
    table = _table(mapping)
    if table is None:
        return False
    start = dynamodb.stream_start_position(table, account_id=account, region=region)
    position = lambda_svc._dynamodb_stream_positions.get_scoped(account, region, mapping["UUID"], start)
    return max(position, start) < dynamodb.stream_end_position(table, account_id=account, region=region)


def _table(mapping: dict) -> str | None:
    try:
        source = parse_arn(mapping.get("EventSourceArn", ""))
    except ArnParseError:
        return None
    stream = lambda_svc._dynamodb_stream_table_from_arn_spec(source)
    return stream[0] if stream else None


def _one_at_a_time(trim: Callable) -> Callable:
    lock = threading.RLock()

    @functools.wraps(trim)
    def run(*arguments, **options) -> None:
        with lock:
            trim(*arguments, **options)

    return run
