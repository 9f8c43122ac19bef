"""A query of an index reads the entries it asks for, in order, instead of sorting the whole index partition.

MiniStack keeps the members of each index partition unordered and sorts all of them for every query: 10 of 50,000 entries
took more than a second. Here each partition is a sorted list, and the original query, which still validates, filters,
projects and pages, is handed only the entries between its cursor and its limit.
"""

import functools
import threading
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from decimal import Decimal
from typing import Any

from ministack.services import dynamodb
from sortedcontainers import SortedList

COMPARISONS = ("=", "<", "<=", ">", ">=")

ItemKey = tuple[str, str]
Entry = tuple[Any, ...]

# A query for no more than this gets as many; for others the sizes are added up, to stop where the original's page ends.
SMALL_LIMIT = 1000

_query: ContextVar[dict | None] = ContextVar("index_query", default=None)
# The emulator serves requests on one thread, but its time-to-live sweep removes items on another.
_lock = threading.RLock()


def apply() -> None:
    dynamodb._query = _remembering_query(dynamodb._query)
    dynamodb._index_members = _index_members
    dynamodb._index_item = _index_item


class _Last:
    """Sorts after every value of a key."""

    def __lt__(self, _other: object) -> bool:
        return False

    def __gt__(self, _other: object) -> bool:
        return True


LAST = _Last()


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

    def _wanted(self, entries: SortedList) -> Iterator[Entry] | SortedList:
        if len(self.index.range_names) > 1 or len(self.index.hash_names) > 1:
            return entries
        condition = _sort_key_condition(self.query, self.index)
        if condition is None:
            return entries
        start, stop = _after_cursor(entries, self.query, self.index, *_range(entries, *condition))
        backwards = not self.query.get("ScanIndexForward", True)
        return self._page(entries.islice(start, stop, reverse=backwards))

    def _page(self, entries: Iterator[Entry]) -> Iterator[Entry]:
        limit = self.query.get("Limit")
        handed_over = size = 0
        for entry in entries:
            partition_key, sort_key = entry[-1]
            item = self.index.table["items"].get(partition_key, {}).get(sort_key)
            if item is None:
                continue
            yield entry
            handed_over += 1
            if limit is not None and handed_over >= int(limit):
                return
            if limit is None or int(limit) > SMALL_LIMIT:
                size += dynamodb._item_size_bytes(
                    dynamodb._apply_index_projection(item, self.index.table, self.query["IndexName"]))
                if size > dynamodb._DDB_PAGE_SIZE_BYTES:
                    return


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


def _sort_key_condition(query: dict, index: Index) -> tuple[str, list] | None:
    """The operator on the sort key and its operands, ("", []) without one, None for a form this does not read."""
    expression = query.get("KeyConditionExpression")
    if not expression or query.get("KeyConditions"):
        return None
    names = query.get("ExpressionAttributeNames") or {}
    values = query.get("ExpressionAttributeValues") or {}
    for clause in dynamodb._key_condition_clauses(dynamodb._tokenize(expression)):
        tokens = [(kind, text) for kind, text in clause if kind not in ("LPAREN", "RPAREN", "COMMA")]
        shape = [text.lower() if kind == "IDENT" and text.lower() in ("between", "and", "begins_with") else kind
                 for kind, text in tokens]
        shape = ["NAME" if kind in ("IDENT", "NAME_REF") else kind for kind in shape]
        named = {names.get(text) if kind == "NAME_REF" else text
                 for kind, text in tokens if kind in ("IDENT", "NAME_REF")}
        if not index.range_names or index.range_names[0] not in named:
            continue
        kind = dynamodb._get_attr_type(index.table, index.range_names[0])
        operands = [dynamodb._sort_key_value(values[text], kind) for token, text in tokens if token == "VALUE_REF"]
        if shape == ["begins_with", "NAME", "VALUE_REF"]:
            return "begins_with", operands
        if shape == ["NAME", "between", "VALUE_REF", "and", "VALUE_REF"]:
            return "between", operands
        if len(shape) == 3 and shape[0] == "NAME" and shape[2] == "VALUE_REF" and tokens[1][1] in COMPARISONS:
            return tokens[1][1], operands
        return None
    return "", []


def _range(entries: SortedList, operator: str, operands: list) -> tuple[int, int]:
    def before(value: Any) -> int:
        return entries.bisect_left((value,))

    def after(value: Any) -> int:
        return entries.bisect_left((value, LAST))

    match operator:
        case "=":
            return before(operands[0]), after(operands[0])
        case "<":
            return 0, before(operands[0])
        case "<=":
            return 0, after(operands[0])
        case ">":
            return after(operands[0]), len(entries)
        case ">=":
            return before(operands[0]), len(entries)
        case "between":
            return before(operands[0]), after(operands[1])
        case "begins_with":
            end = _after_all_with_prefix(operands[0])
            return before(operands[0]), len(entries) if end is None else before(end)
        case _:
            return 0, len(entries)


def _after_all_with_prefix(prefix: str | bytes) -> str | bytes | None:
    """The smallest value above everything that begins with the prefix; None when there is none."""
    highest = 0xFF if isinstance(prefix, bytes) else 0x10FFFF
    for length in range(len(prefix), 0, -1):
        last = prefix[length - 1] if isinstance(prefix, bytes) else ord(prefix[length - 1])
        if last < highest:
            return prefix[:length - 1] + (bytes([last + 1]) if isinstance(prefix, bytes) else chr(last + 1))
    return None


def _after_cursor(entries: SortedList, query: dict, index: Index, start: int, stop: int) -> tuple[int, int]:
    cursor = query.get("ExclusiveStartKey")
    if not cursor:
        return start, stop
    position = index.values(cursor)
    if query.get("ScanIndexForward", True):
        return max(start, entries.bisect_left((*position, LAST))), stop
    return start, min(stop, entries.bisect_left(position))
