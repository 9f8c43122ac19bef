"""A query of an index may filter by and ask for what the index carries, and nothing else.

MiniStack filters an index by any attribute of the item and leaves out, without a word, what it was asked for and the
index lacks. DynamoDB refuses both with a ValidationException, so a list that is filtered by an attribute missing from
the template's `NonKeyAttributes` would work here and fail on AWS. An index that shares the table's partition key may
still ask for more: DynamoDB then reads the item.
"""

import functools
from collections.abc import Callable

from ministack.core.responses import error_response_json
from ministack.services import dynamodb

WORDS = {"AND", "OR", "NOT", "IN", "BETWEEN"}


def apply() -> None:
    dynamodb._query = _refusing(dynamodb._query)


def _refusing(query: Callable) -> Callable:
    @functools.wraps(query)
    def run(request: dict) -> tuple:
        response = query(request)
        # Whatever else is wrong with the request is said first, and a query changes nothing.
        if response[0] == 200 and request.get("IndexName") and (message := _refusal(request)):
            return error_response_json("ValidationException", f"One or more parameter values were invalid: {message}", 400)
        return response

    return run


def _refusal(request: dict) -> str | None:
    table, index = dynamodb._tables[dynamodb._normalize_table_name(request["TableName"])], request["IndexName"]
    if missing := _missing(request, "FilterExpression", table, index):
        return f"Secondary index {index} does not project one or more filter attributes: [{', '.join(missing)}]"
    is_global = any(known["IndexName"] == index for known in table.get("GlobalSecondaryIndexes") or [])
    if is_global and (missing := _missing(request, "ProjectionExpression", table, index)):
        return f"Global secondary index {index} does not project [{', '.join(missing)}]"
    return None


def _missing(request: dict, expression: str, table: dict, index: str) -> list[str]:
    named = dict.fromkeys(_attributes(request.get(expression) or "", request.get("ExpressionAttributeNames") or {}))
    carried = dynamodb._apply_index_projection(named, table, index)
    return [name for name in named if name not in carried]


def _attributes(expression: str, names: dict[str, str]) -> list[str]:
    """The attributes an expression reads: of a path such as `a.b[1]` the first name."""
    tokens = dynamodb._tokenize(expression)
    return [
        names.get(text, text)
        for before, (kind, text), after in zip([("", ""), *tokens], tokens, [*tokens[1:], ("", "")])
        if kind == "NAME_REF" and before[0] != "DOT"
        or kind == "IDENT" and before[0] != "DOT" and (after[0] != "LPAREN" or text not in dynamodb._DDB_EXPR_FUNCTIONS)
        and text.upper() not in WORDS
    ]
