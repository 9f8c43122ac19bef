"""What this project changes in MiniStack so that it behaves as AWS documents: a module a mend, each with a switch."""

import importlib
from collections.abc import Collection

NAMES = (
    "partiql_stream",
    "partiql_validation",
    "partiql_authorisation",
    "partiql_parsing",
    "index_query",
    "table_query",
    "condition_parsing",
    "index_projection",
    "quick_saving",
    "stream_state",
    "queue_address",
    "sqs_batch_authorisation",
    "event_source_roles",
    "fifo_groups",
    "stream_readers",
    "multipart_sizes",
    "file_locks",
    "api_cors",
    "user_creation",
    "user_pool_case",
    "user_states",
    "sign_in_time",
    "function_logs",
    "function_proxies",
)


class UnknownMend(ValueError):
    """A name in the list of switched-off mends that no mend has."""


def apply(switched_off: Collection[str]) -> None:
    if unknown := set(switched_off) - set(NAMES):
        raise UnknownMend(f"no mend is called {', '.join(sorted(unknown))}; there are {', '.join(NAMES)}")
    for name in NAMES:
        if name not in switched_off:
            importlib.import_module(f"mends.{name}").apply()
