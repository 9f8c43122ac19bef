"""A query of a table reads the items it asks for, in order, instead of examining and sorting the whole partition.

MiniStack sorts all items of a partition and evaluates the key condition on each, for every query. Here a partition that
is queried once it is large keeps its sort keys in order from then on, through whatever changes it, and the original
query, which still validates, filters, projects and pages, is handed only the items between its cursor and its limit.
"""

import functools
import threading
from collections.abc import Callable, Iterable
from contextvars import ContextVar
from typing import Any

from ministack.services import dynamodb
from sortedcontainers import SortedList

from mends import sorted_keys
from mends.sorted_keys import Entry

# Smaller partitions are left to the original.
LARGE = 32


class Query:
    """A query of a table under way, and the partition it reads once that is known."""

    def __init__(self, request: dict) -> None:
        self.request = request
        self.partition: Partition | None = None


_query: ContextVar[Query | None] = ContextVar("table_query", default=None)
# The emulator serves requests on one thread, but its time-to-live sweep removes items on another.
_lock = threading.RLock()


def apply() -> None:
    dynamodb._query = _remembering_query(dynamodb._query)
    dynamodb._extract_pk_from_condition = _ordering_partition(dynamodb._extract_pk_from_condition)


class Partition(dict[str, dict]):
    """The items of one partition by the text of their sort key, which the emulator keeps in no order, with their order."""

    __slots__ = ("order", "table")

    def __init__(self, items: dict[str, dict], table: dict) -> None:
        super().__init__(items)
        self.table = table
        self.order: SortedList | None = None

    def values(self) -> Iterable[dict]:
        query = _query.get()
        if query is None or query.partition is not self:
            return super().values()
        with _lock:
            return self._wanted(query.request)

    def _wanted(self, request: dict) -> Iterable[dict]:
        if self.order is None:
            self.order = SortedList(map(self._entry, self))
        entries = sorted_keys.in_range(self.order, request, self.table, self.table["sk_name"], self._position)
        if entries is None:
            return super().values()
        page = sorted_keys.page(entries, request, self.table, lambda entry: self.get(entry[-1]))
        return [self[entry[-1]] for entry in page]

    def _entry(self, key: str) -> Entry:
        kind = dynamodb._get_attr_type(self.table, self.table["sk_name"])
        return dynamodb._sort_key_value({kind: key}, kind), key

    def _position(self, cursor: dict) -> Entry:
        kind = dynamodb._get_attr_type(self.table, self.table["sk_name"])
        return (dynamodb._sort_key_value(cursor[self.table["sk_name"]], kind),)

    def __setitem__(self, key: str, item: dict) -> None:
        with _lock:
            if self.order is not None and key not in self:
                self.order.add(self._entry(key))
            super().__setitem__(key, item)

    def __delitem__(self, key: str) -> None:
        with _lock:
            super().__delitem__(key)
            if self.order is not None:
                self.order.remove(self._entry(key))

    def pop(self, key: str, *default: Any) -> Any:
        with _lock:
            if self.order is not None and key in self:
                self.order.remove(self._entry(key))
            return super().pop(key, *default)

    def _changed_otherwise(name: str) -> Callable:
        """A method that the emulator does not use on partitions: should it, the order is made anew."""
        @functools.wraps(getattr(dict, name))
        def change(self, *arguments: Any, **options: Any) -> Any:
            with _lock:
                self.order = None
                return getattr(dict, name)(self, *arguments, **options)

        return change

    popitem, clear, update, setdefault, __ior__ = map(
        _changed_otherwise, ("popitem", "clear", "update", "setdefault", "__ior__"))
    del _changed_otherwise

    def __reduce__(self) -> tuple:
        """A copy, as for a backup or for what a cancelled transaction goes back to, is without order."""
        return dict, (dict(self),)


def _remembering_query(query: Callable) -> Callable:
    @functools.wraps(query)
    def run(request: dict) -> tuple:
        token = _query.set(None if request.get("IndexName") else Query(request))
        try:
            return query(request)
        finally:
            _query.reset(token)

    return run


def _ordering_partition(partition_of: Callable) -> Callable:
    """The original finds the partition's key here, after it has found that the table exists and the values are valid."""
    @functools.wraps(partition_of)
    def run(condition: str, values: dict, names: dict, key_name: str) -> str | None:
        key = partition_of(condition, values, names, key_name)
        if (query := _query.get()) and key is not None:
            query.partition = _partition(dynamodb._tables[dynamodb._normalize_table_name(query.request["TableName"])], key)
        return key

    return run


def _partition(table: dict, key: str) -> Partition | None:
    with dynamodb._lock:
        items = table["items"].get(key, {})
        if not isinstance(items, Partition) and table["sk_name"] and len(items) >= LARGE:
            items = table["items"][key] = Partition(items, table)
        return items if isinstance(items, Partition) else None
