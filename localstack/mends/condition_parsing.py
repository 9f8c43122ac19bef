"""The text of a condition is read and checked once, not once for each item it is evaluated on.

MiniStack splits a condition or filter into tokens, twice, and checks its grammar for every item a query or a scan
examines; that was most of the time of a query. Whatever is wrong with a condition is still said by the original.
"""

import functools
from collections.abc import Callable
from typing import NamedTuple

from ministack.services import dynamodb

TEXTS_REMEMBERED = 256

Token = tuple[str, str]


class Condition(NamedTuple):
    """A condition without a fault in its text, and the names of the values its BETWEENs lie between."""

    tokens: tuple[Token, ...]
    bounds: tuple[tuple[str, str], ...]


def apply() -> None:
    dynamodb._evaluate_condition = _remembering_texts(dynamodb._evaluate_condition)


def _remembering_texts(evaluate: Callable) -> Callable:
    @functools.wraps(evaluate)
    def run(text: str, item: dict, values: dict, names: dict, slot: str = "ConditionExpression") -> bool:
        try:
            if condition := _condition(text, slot):
                if not any(dynamodb._between_bounds_error(values.get(low), values.get(high))
                           for low, high in condition.bounds):
                    return dynamodb._ExprEval(condition.tokens, item, values, names).evaluate()
        except Exception:
            # Evaluating changes nothing, so the original meets the same fault and words it.
            pass
        return evaluate(text, item, values, names, slot=slot)

    return run


@functools.lru_cache(TEXTS_REMEMBERED)
def _condition(text: str, slot: str) -> Condition | None:
    if not text or not text.strip():
        return None
    tokens = dynamodb._tokenize(text)
    if (dynamodb._check_redundant_parens(tokens, slot) or dynamodb._check_reserved_keyword_usage(tokens)
            or dynamodb._condition_syntax_error(text, slot)):
        return None
    return Condition(tuple(tokens), tuple(
        (low, high) for between, (low_kind, low), conjunction, (high_kind, high)
        in zip(tokens, tokens[1:], tokens[2:], tokens[3:])
        if _is(between, "BETWEEN") and low_kind == "VALUE_REF" and _is(conjunction, "AND") and high_kind == "VALUE_REF"))


def _is(token: Token, word: str) -> bool:
    return token[0] == "IDENT" and token[1].upper() == word
