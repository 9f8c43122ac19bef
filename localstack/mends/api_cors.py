"""A browser may call an HTTP API that CloudFormation made, from the origins its template allows.

MiniStack stores `CorsConfiguration` as the template spells it, with `AllowOrigins`, and looks for `allowOrigins` when a
request comes. So it refuses every preflight with 403, leaves the CORS headers off every answer, and GetApi shows an
empty configuration.
"""

import functools
from collections.abc import Callable

from ministack.services.cloudformation import provisioners


def apply() -> None:
    api = provisioners._RESOURCE_HANDLERS["AWS::ApiGatewayV2::Api"]
    api["create"] = _respelling_creates(api["create"])
    api["update"] = _respelling_updates(api["update"])


def _respelling_creates(create: Callable) -> Callable:
    @functools.wraps(create)
    def run(logical_id: str, properties: dict, stack_name: str) -> tuple:
        return create(logical_id, _respelled(properties), stack_name)

    return run


def _respelling_updates(update: Callable) -> Callable:
    @functools.wraps(update)
    def run(physical_id: str, old: dict, new: dict, stack_name: str, logical_id: str | None = None) -> tuple:
        return update(physical_id, old, _respelled(new), stack_name, logical_id)

    return run


def _respelled(properties: dict) -> dict:
    if "CorsConfiguration" not in properties:
        return properties
    return {**properties, "CorsConfiguration": provisioners._pascal_to_camel(properties["CorsConfiguration"])}
