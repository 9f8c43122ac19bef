"""A batch of messages is authorised as the single call, as AWS does it.

MiniStack asks IAM and the queue's policy for `sqs:SendMessageBatch`, `sqs:DeleteMessageBatch` and
`sqs:ChangeMessageVisibilityBatch`, which are not IAM actions, so a role that is right on AWS may not send a batch here.
AWS asks for `sqs:SendMessage`, `sqs:DeleteMessage` and `sqs:ChangeMessageVisibility` (Amazon SQS developer guide,
"Amazon SQS API permissions: Actions and resource reference").
"""

import functools
from collections.abc import Callable

from ministack.core import iam_actions

_ACTION_OF = {f"{action}Batch": action for action in ("sqs:SendMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility")}


def apply() -> None:
    iam_actions.extract_iam_action = _naming_single_calls(iam_actions.extract_iam_action)


def _naming_single_calls(extract: Callable) -> Callable:
    @functools.wraps(extract)
    def action(*request: object) -> str | None:
        asked = extract(*request)
        return _ACTION_OF.get(asked, asked)

    return action
