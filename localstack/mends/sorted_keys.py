"""What a query wants of sorted entries, each a tuple that begins with the value of the sort key: for the mends of queries."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from ministack.services import dynamodb
from sortedcontainers import SortedList

COMPARISONS = ("=", "<", "<=", ">", ">=")

Entry = tuple[Any, ...]

# A query for no more than this gets as many; for others the sizes are added up, to stop where the original's page ends.
SMALL_LIMIT = 1000


class _Last:
    """Sorts after every value of a key."""

    def __lt__(self, _other: object) -> bool:
        return False

    def __gt__(self, _other: object) -> bool:
        return True


LAST = _Last()


def in_range(entries: SortedList, query: dict, table: dict, sort_key: str | None,
             position: Callable[[dict], Entry]) -> Iterator[Entry] | None:
    """The entries from the cursor to the end of the range, in the query's order; None for a condition this does not read.

    `position` tells where a cursor is among the entries.
    """
    condition = _sort_key_condition(query, table, sort_key)
    if condition is None:
        return None
    start, stop = _range(entries, *condition)
    forwards = query.get("ScanIndexForward", True)
    cursor = query.get("ExclusiveStartKey")
    if cursor and forwards:
        start = max(start, entries.bisect_left((*position(cursor), LAST)))
    elif cursor:
        stop = min(stop, entries.bisect_left(position(cursor)))
    return entries.islice(start, stop, reverse=not forwards)


def page(entries: Iterable[Entry], query: dict, table: dict, item_of: Callable[[Entry], dict | None]) -> Iterator[Entry]:
    """At least as many entries as the original's page has, and not many more; without those whose item is gone."""
    limit = query.get("Limit")
    handed_over = size = 0
    for entry in entries:
        item = item_of(entry)
        if item is None:
            continue
        yield entry
        handed_over += 1
        if limit is not None and handed_over >= int(limit):
            return
        if limit is None or int(limit) > SMALL_LIMIT:
            size += dynamodb._item_size_bytes(dynamodb._apply_index_projection(item, table, query.get("IndexName")))
            if size > dynamodb._DDB_PAGE_SIZE_BYTES:
                return


def _sort_key_condition(query: dict, table: dict, sort_key: str | None) -> tuple[str, list] | None:
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
        if not sort_key or sort_key not in named:
            continue
        kind = dynamodb._get_attr_type(table, sort_key)
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
