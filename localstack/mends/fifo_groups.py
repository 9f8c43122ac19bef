"""The groups of a FIFO queue are handled side by side, as many at once as the mapping allows.

MiniStack runs one batch of a FIFO queue at a time, so a slow message of one group holds up every other group, and a tenant
every other tenant. Lambda keeps the order within a group and works as many groups at once as there are, up to the mapping's
`MaximumConcurrency`. The queue itself sees to the order: it hands out no message of a group that has one in flight.
"""

import functools
from collections.abc import Callable

from ministack.services import lambda_svc


def apply() -> None:
    lambda_svc._sqs_esm_concurrency = _as_for_any_queue(lambda_svc._sqs_esm_concurrency)


def _as_for_any_queue(concurrency: Callable) -> Callable:
    @functools.wraps(concurrency)
    def limit(mapping: dict, function: dict, config: dict, queue: dict | None = None) -> int:
        return concurrency(mapping, function, config, None)

    return limit
