"""Invocations of a function can be handed to another server, and taken back, while the emulator runs.

MiniStack does it by a variable of its environment, so only from its start. Here the file SWITCHBOARD_PROXY_FILE names,
JSON of {function name: URL}, is read before every invocation: to begin, move it into place; to end, remove it. An answer
that is an error's JSON counts as an error even with status 200, which is how `cargo lambda watch` reports a function that
fails while it starts; the message the function was given would otherwise be deleted from its queue.

GET /_switchboard/functions/<name>/environment answers with what the process behind that server needs: the function's
variables and the credentials of its role.
"""

import functools
import json
import os
import re
from collections.abc import Callable
from pathlib import Path

from ministack import app
from ministack.core import lambda_runtime
from ministack.core.responses import get_region
from ministack.services import lambda_svc

ENVIRONMENT_PATH = re.compile(r"/_switchboard/functions/([\w-]+)/environment")


def apply() -> None:
    if file := os.environ.get("SWITCHBOARD_PROXY_FILE"):
        lambda_svc._proxy_url_for = _asking(Path(file), lambda_svc._proxy_url_for)
        lambda_svc._execute_function_proxy = _noticing_errors(lambda_svc._execute_function_proxy)
        app._handle_health_request = _telling_environments(app._handle_health_request)


def _asking(file: Path, url_for: Callable) -> Callable:
    @functools.wraps(url_for)
    def url(config: dict) -> str | None:
        try:
            proxies = json.loads(file.read_text())
        except FileNotFoundError:
            proxies = {}
        return proxies.get(config.get("FunctionName")) or url_for(config)

    return url


def _noticing_errors(execute: Callable) -> Callable:
    @functools.wraps(execute)
    def run(function: dict, event: dict, url: str, request_id: str) -> dict:
        result = execute(function, event, url, request_id)
        body = result.get("body")
        if isinstance(body, dict) and {"errorType", "errorMessage"} <= body.keys():
            return {**result, "error": True}
        return result

    return run


def _telling_environments(handle_health: Callable) -> Callable:
    @functools.wraps(handle_health)
    def handle(path: str, request_id: str) -> tuple | None:
        asked = ENVIRONMENT_PATH.fullmatch(path)
        if not asked:
            return handle_health(path, request_id)
        function = lambda_svc._functions.get(asked[1])
        if function is None:
            return 404, {"Content-Type": "text/plain"}, b"no such function"
        return 200, {"Content-Type": "application/json"}, json.dumps(_environment(function["config"])).encode()

    return handle


def _environment(config: dict) -> dict[str, str]:
    return {
        **lambda_svc._runtime_env_vars(config),
        **lambda_runtime.execution_credentials(config),
        "AWS_REGION": get_region(),
        "AWS_ENDPOINT_URL": os.environ["AWS_ENDPOINT_URL"],
    }
