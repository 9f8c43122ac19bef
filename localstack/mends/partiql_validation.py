"""A PartiQL INSERT refuses the items that every other write refuses.

MiniStack stores an item without its sort key, a key of the wrong type, and an empty string in the key of an index.
DynamoDB answers each with a ValidationException, so code that only ever ran here would fail on its first day on AWS.
"""

import functools
from collections.abc import Callable

from ministack.core.responses import error_response_json
from ministack.services import dynamodb


def apply() -> None:
    dynamodb._partiql_insert = _refusing_invalid_items(dynamodb._partiql_insert)


def _refusing_invalid_items(insert: Callable) -> Callable:
    @functools.wraps(insert)
    def run(table: dict, parsed: dict) -> tuple:
        item = parsed.get("item") or {}
        return _error(table, item["M"] if set(item) == {"M"} else item) or insert(table, parsed)

    return run


def _error(table: dict, item: dict) -> tuple | None:
    for key in (table["pk_name"], table["sk_name"]):
        if key and key not in item:
            return error_response_json(
                "ValidationException",
                f"One or more parameter values were invalid: Missing the key {key} in the item", 400)
    if mismatch := dynamodb._key_type_mismatch_reason(table, item):
        return error_response_json("ValidationException", mismatch, 400)
    return (dynamodb._validate_item(item, table["pk_name"], table["sk_name"])
            or dynamodb._validate_index_key_values(table, item))
