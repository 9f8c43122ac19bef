"""PartiQL writes leave stream records, as every write to a DynamoDB table with a stream does.

MiniStack emits a record from each of its item operations but from none of its PartiQL statements. Both store items
through `_set_item` and `_remove_item`, so the stores made under a statement are noted there and emitted once the
statement, or the whole transaction, has succeeded.
"""

import functools
from collections.abc import Callable
from contextvars import ContextVar

from ministack.services import dynamodb

Change = tuple[str, dict | None, dict | None]
_changes: ContextVar[list[Change] | None] = ContextVar("partiql_changes", default=None)


def apply() -> None:
    dynamodb._set_item = _noting_stores(dynamodb._set_item)
    dynamodb._remove_item = _noting_removals(dynamodb._remove_item)
    dynamodb._execute_statement = _emitting(dynamodb._execute_statement)
    dynamodb._execute_transaction = _emitting(dynamodb._execute_transaction)


def _noting_stores(set_item: Callable) -> Callable:
    @functools.wraps(set_item)
    def store(table: dict, partition_key: str, sort_key: str, item: dict) -> dict | None:
        old = set_item(table, partition_key, sort_key, item)
        _note(table, old, item)
        return old

    return store


def _noting_removals(remove_item: Callable) -> Callable:
    @functools.wraps(remove_item)
    def remove(table: dict, partition_key: str, sort_key: str) -> dict | None:
        old = remove_item(table, partition_key, sort_key)
        if old is not None:
            _note(table, old, None)
        return old

    return remove


def _note(table: dict, old: dict | None, new: dict | None) -> None:
    changes = _changes.get()
    if changes is not None:
        changes.append((table["TableName"], old, new))


def _emitting(execute: Callable) -> Callable:
    @functools.wraps(execute)
    def run(request: dict) -> tuple:
        changes: list[Change] = []
        token = _changes.set(changes)
        try:
            response = execute(request)
        finally:
            _changes.reset(token)
        if response[0] == 200:
            for table_name, old, new in changes:
                event = "REMOVE" if new is None else "MODIFY" if old is not None else "INSERT"
                dynamodb._emit_stream_event(table_name, event, old, new)
        return response

    return run
