"""A query of an index reads the entries it asks for, in order, instead of sorting the whole index partition.

MiniStack keeps the members of each index partition unordered and sorts all of them for every query: 10 of 50,000 entries
took more than a second. Here each partition is a sorted list, and the original query, which still validates, filters,
projects and pages, is handed only the entries between its cursor and its limit.
"""

import functools
import threading
from collections.abc import Callable, Iterable
from contextvars import ContextVar
from decimal import Decimal
from typing import Any

from ministack.services import dynamodb
from sortedcontainers import SortedList

from mends import sorted_keys
from mends.sorted_keys import Entry

ItemKey = tuple[str, str]

_query: ContextVar[dict | None] = ContextVar("index_query", default=None)
# The emulator serves requests on one thread, but its time-to-live sweep removes items on another.
_lock = threading.RLock()


def apply() -> None:
    dynamodb._query = _remembering_query(dynamodb._query)
    dynamodb._index_members = _index_members
    dynamodb._index_item = _index_item


class Index:
    """The entries of one index: sorted by its sort key, then by the table's keys, as DynamoDB orders ties."""

    def __init__(self, table: dict, hash_names: list[str], range_names: list[str]) -> None:
        self.table, self.hash_names, self.range_names = table, hash_names, range_names
        self.order = dynamodb._index_order_keys(table, range_names)
        self.partitions: dict[Any, SortedList] = {}
        # An entry is removed by what was stored of it, so that it goes even if its item was changed in place.
        self.placed: dict[ItemKey, tuple[Any, Entry]] = {}

    def add(self, key: ItemKey, item: dict) -> None:
        partition = dynamodb._index_partition(item, self.hash_names, self.range_names)
        values = self.values(item)
        if partition is None or not all(isinstance(value, (str, bytes, Decimal)) for value in values):
            return
        entry = (*values, key)
        self.placed[key] = (partition, entry)
        self.partitions.setdefault(partition, SortedList()).add(entry)

    def remove(self, key: ItemKey) -> None:
        if key not in self.placed:
            return
        partition, entry = self.placed.pop(key)
        self.partitions[partition].remove(entry)
        if not self.partitions[partition]:
            del self.partitions[partition]

    def values(self, item: dict) -> tuple:
        return tuple(dynamodb._index_order_value(item, name, kind) for name, kind in self.order)


class Indexes(dict[str, Index]):
    """All indexes of a table by name: what the emulator keeps at the table instead of its unordered members."""

    def __init__(self, table: dict) -> None:
        super().__init__((name, Index(table, hash_names, range_names))
                         for name, hash_names, range_names in dynamodb._index_key_schemas(table))
        for partition_key, items in table["items"].items():
            for sort_key, item in items.items():
                for index in self.values():
                    index.add((partition_key, sort_key), item)


class Wanted:
    """What the original query sees of an index: of any partition, the keys of the items the query wants."""

    def __init__(self, index: Index, query: dict) -> None:
        self.index, self.query = index, query

    def get(self, partition: Any, nothing: Any) -> Any:
        with _lock:
            entries = self.index.partitions.get(partition)
            return nothing if entries is None else [entry[-1] for entry in self._wanted(entries)]

    def _wanted(self, entries: SortedList) -> Iterable[Entry]:
        if len(self.index.range_names) > 1 or len(self.index.hash_names) > 1:
            return entries
        sort_key = next(iter(self.index.range_names), None)
        found = sorted_keys.in_range(entries, self.query, self.index.table, sort_key, self.index.values)
        return entries if found is None else sorted_keys.page(found, self.query, self.index.table, self._item)

    def _item(self, entry: Entry) -> dict | None:
        partition_key, sort_key = entry[-1]
        return self.index.table["items"].get(partition_key, {}).get(sort_key)


def _remembering_query(query: Callable) -> Callable:
    @functools.wraps(query)
    def run(request: dict) -> tuple:
        token = _query.set(request)
        try:
            return query(request)
        finally:
            _query.reset(token)

    return run


def _index_members(table: dict) -> dict[str, Wanted]:
    query = _query.get() or {}
    return {name: Wanted(index, query) for name, index in _indexes(table).items()}


def _indexes(table: dict) -> Indexes:
    with _lock:
        indexes = table.get(dynamodb._INDEX_MEMBERS)
        if indexes is None:
            indexes = table[dynamodb._INDEX_MEMBERS] = Indexes(table)
        return indexes


def _index_item(table: dict, partition_key: str, sort_key: str, item: dict, add: bool) -> None:
    with _lock:
        indexes = table.get(dynamodb._INDEX_MEMBERS)
        if indexes is None:
            return
        if indexes.keys() != {name for name, _, _ in dynamodb._index_key_schemas(table)}:
            del table[dynamodb._INDEX_MEMBERS]
            return
        for index in indexes.values():
            if add:
                index.add((partition_key, sort_key), item)
            else:
                index.remove((partition_key, sort_key))
