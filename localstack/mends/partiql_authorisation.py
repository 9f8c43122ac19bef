"""PartiQL is authorised by the verb and the table of each statement, as AWS does it.

MiniStack asks for `dynamodb:BatchExecuteStatement` on `*`, an action that IAM does not know. AWS asks for
`dynamodb:PartiQLInsert`, `PartiQLUpdate`, `PartiQLDelete` or `PartiQLSelect` on the table, or on the index a SELECT
reads. A role that may only insert is what makes the audit table append-only, so the emulator has to enforce it too.
"""

import functools
import json
from collections.abc import Callable, Iterator

from ministack.core import iam_actions
from ministack.services import dynamodb

_STATEMENTS_OF = {
    "dynamodb:ExecuteStatement": lambda request: [request],
    "dynamodb:BatchExecuteStatement": lambda request: request.get("Statements"),
    "dynamodb:ExecuteTransaction": lambda request: request.get("TransactStatements"),
}
_ACTION_OF = {
    "INSERT": "dynamodb:PartiQLInsert",
    "UPDATE": "dynamodb:PartiQLUpdate",
    "DELETE": "dynamodb:PartiQLDelete",
    "SELECT": "dynamodb:PartiQLSelect",
    "EXISTS": "dynamodb:PartiQLSelect",
}

TEXTS_REMEMBERED = 256
_targets: dict[str, tuple[str, str, str | None]] = {}


def apply() -> None:
    iam_actions.dynamodb_transaction_checks = _checking_statements(iam_actions.dynamodb_transaction_checks)


def _checking_statements(transaction_checks: Callable) -> Callable:
    @functools.wraps(transaction_checks)
    def checks(action: str, body: bytes, region: str, account: str) -> list[tuple[str, str]]:
        if action not in _STATEMENTS_OF:
            return transaction_checks(action, body, region, account)
        # One request often holds 25 statements of the same verb and table: one check answers for all of them.
        return list(dict.fromkeys(_checks_of(action, body, region, account)))

    return checks


def _checks_of(action: str, body: bytes, region: str, account: str) -> Iterator[tuple[str, str]]:
    try:
        statements = _STATEMENTS_OF[action](json.loads(body))
    except (ValueError, AttributeError):
        return
    for statement in statements if isinstance(statements, list) else []:
        try:
            verb, table, index = _target(statement["Statement"], statement.get("Parameters", []))
        except (ValueError, TypeError, KeyError, AttributeError):
            # The handler refuses a statement it cannot parse, so there is nothing to authorise.
            continue
        resource = iam_actions._dynamodb_table_arn(table, region, account)
        yield _ACTION_OF[verb], f"{resource}/index/{index}" if index else resource


def _target(text: str, parameters: list) -> tuple[str, str, str | None]:
    """What the statement does to which table or index; remembered, since the rows of an import share one text."""
    if text not in _targets:
        parsed = dynamodb._parse_partiql(text, parameters)
        if len(_targets) >= TEXTS_REMEMBERED:
            _targets.clear()
        _targets[text] = (parsed["op"], parsed["table"], parsed.get("index"))
    return _targets[text]
