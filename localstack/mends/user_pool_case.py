"""In a pool whose names aren't case-sensitive an address is one user's, however it is written.

MiniStack keeps `UsernameConfiguration` and takes no notice of it: `Ada@example.com` is another user than
`ada@example.com`, and neither signs in as the other. In a pool with `CaseSensitive` false Cognito takes any combination
of capital and small letters for the same user, and prevents a variation in case from being assigned to a second one
(Amazon Cognito developer guide, "User pool case sensitivity"; `UsernameConfigurationType` in its API reference). The
address stays as it was first written.
"""

import functools
from collections.abc import Callable

from ministack.services import cognito

ALIASES = ("email", "preferred_username")


def apply() -> None:
    cognito._resolve_user = _folding_case(cognito._resolve_user)


def _folding_case(resolve: Callable) -> Callable:
    @functools.wraps(resolve)
    def run(pool: dict, username: str | None) -> tuple:
        user, error = resolve(pool, username)
        if error and isinstance(username, str) and _folds_case(pool):
            written = _as_written(pool, username)
            if written is not None:
                # Whether an alias leads to its user is decided where an exact one is.
                return resolve(pool, written)
        return user, error

    return run


def _folds_case(pool: dict) -> bool:
    # A template may write the boolean as text.
    return str((pool.get("UsernameConfiguration") or {}).get("CaseSensitive", True)).lower() == "false"


def _as_written(pool: dict, username: str) -> str | None:
    """The name or alias that differs from this one in case only."""
    folded = username.casefold()
    for user in pool["_users"].values():
        attributes = cognito._attr_list_to_dict(user.get("Attributes", []))
        for name in (user["Username"], *(attributes.get(alias) for alias in ALIASES)):
            if name is not None and name != username and name.casefold() == folded:
                return name
    return None
