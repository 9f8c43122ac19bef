"""The changes of a table that its readers have not taken yet survive a clean restart.

MiniStack saves how far each function has read a stream, counted in records since the table's creation, but neither the
records nor the count. After a restart the unread records are gone and, worse, the count begins at nothing again, so as
many new changes as the function had read before are never delivered to it.
"""

import functools
from collections.abc import Callable

from ministack.core.responses import AccountRegionScopedDict
from ministack.services import dynamodb, lambda_svc


def apply() -> None:
    dynamodb.get_state = _with_streams(dynamodb.get_state)
    dynamodb.load_persisted_state = _restoring_streams(dynamodb.load_persisted_state)


def _with_streams(get_state: Callable) -> Callable:
    @functools.wraps(get_state)
    def state() -> dict:
        records, trimmed = AccountRegionScopedDict(), AccountRegionScopedDict()
        for scope, kept in dynamodb._stream_records.all_items():
            start = dynamodb._stream_trimmed.get_scoped(*scope, 0)
            first_unread = max(start, _first_unread(*scope, start))
            records.set_scoped(*scope, kept[first_unread - start:])
            trimmed.set_scoped(*scope, min(first_unread, start + len(kept)))
        return {**get_state(), "stream_records": records, "stream_trimmed": trimmed}

    return state


def _first_unread(account: str, region: str, table_name: str, start: int) -> int:
    """The position of the slowest function that reads the stream; its very beginning when none does."""
    table = dynamodb._tables.get_scoped(account, region, table_name) or {}
    positions = [
        lambda_svc._dynamodb_stream_positions.get_scoped(mapping_account, mapping_region, mapping["UUID"], start)
        for mapping_account, mapping_region, mapping in lambda_svc._iter_all_esms()
        if mapping.get("EventSourceArn") == table.get("LatestStreamArn")
    ]
    return min(positions, default=start)


def _restoring_streams(load: Callable) -> Callable:
    @functools.wraps(load)
    def restore(data: dict) -> None:
        load(data)
        dynamodb._stream_records.update(data.get("stream_records", {}))
        dynamodb._stream_trimmed.update(data.get("stream_trimmed", {}))

    return restore
