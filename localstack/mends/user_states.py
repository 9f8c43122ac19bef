"""An invitation is only sent again to who hasn't followed it, and a password is only reset for who has one.

MiniStack sends an invitation again whatever became of the first, with the same temporary password, and resets the
password of anybody: who was invited then can't sign in with the invitation. Cognito answers `RESEND` for a user who isn't
in `FORCE_CHANGE_PASSWORD` with `UnsupportedUserStateException`, and otherwise makes a new temporary password
(`AdminCreateUser` in its API reference, `MessageAction`). It answers AdminResetUserPassword with `NotAuthorizedException`
for a user in that state ("User password cannot be reset in the current state.") and for a disabled one ("User is
disabled.").
"""

import functools
from collections.abc import Callable

from ministack.core.responses import error_response_json
from ministack.services import cognito

INVITED = "FORCE_CHANGE_PASSWORD"


def apply() -> None:
    cognito._admin_create_user = _resending(cognito._admin_create_user)
    cognito._admin_reset_user_password = _refusing_to_reset(cognito._admin_reset_user_password)


def _resending(create: Callable) -> Callable:
    @functools.wraps(create)
    def run(data: dict) -> tuple:
        user = _user(data) if (data.get("MessageAction") or "").upper() == "RESEND" else None
        if user is None:
            return create(data)
        if user.get("UserStatus") != INVITED:
            return error_response_json(
                "UnsupportedUserStateException",
                f"Resend not possible. {user['Username']} status is not {INVITED}", 400)
        password = data.get("TemporaryPassword") or cognito._generate_temp_password()
        refusal = cognito._validate_password(cognito._user_pools[data["UserPoolId"]], password)
        if refusal:
            return refusal
        user["_password"] = password
        return create(data)

    return run


def _refusing_to_reset(reset: Callable) -> Callable:
    @functools.wraps(reset)
    def run(data: dict) -> tuple:
        user = _user(data)
        if user and not user.get("Enabled", True):
            return error_response_json("NotAuthorizedException", "User is disabled.", 400)
        if user and user.get("UserStatus") == INVITED:
            return error_response_json(
                "NotAuthorizedException", "User password cannot be reset in the current state.", 400)
        return reset(data)

    return run


def _user(data: dict) -> dict | None:
    """The user a request names; nothing where the emulator itself finds the mistake."""
    pool = cognito._user_pools.get(data.get("UserPoolId"))
    return cognito._resolve_user(pool, data.get("Username"))[0] if pool else None
