"""A token renewed with a refresh token says when its user signed in, not when it was renewed.

MiniStack writes the present time as `auth_time` into every token, so a session that was renewed looks as if its user had
just signed in. In an ID token it is "the authentication time, in Unix time format, that your user completed
authentication" (Amazon Cognito developer guide, "Understanding the identity (ID) token"); OpenID Connect Core 1.0, 12.2,
has it that a renewed token keeps the time of the original authentication. A refresh token is made at the sign-in, so
that is when it was issued. The tokens of one sign-in are made one after the other, maybe on either side of a second's
end: here they all say the same one.
"""

import functools
import time
from collections.abc import Callable
from contextvars import ContextVar

from ministack.services import cognito

_signed_in_at: ContextVar[int | None] = ContextVar("signed_in_at", default=None)


def apply() -> None:
    cognito._refresh_auth_result = _remembering(cognito._refresh_auth_result)
    cognito._build_auth_result = _at_one_time(cognito._build_auth_result)
    cognito._signed_jwt = _telling(cognito._signed_jwt)


def _remembering(refresh: Callable) -> Callable:
    @functools.wraps(refresh)
    def run(pool: dict, pool_id: str, client_id: str, refresh_token: str) -> tuple:
        issued = cognito._token_claims(refresh_token).get("iat") if isinstance(refresh_token, str) else None
        mark = _signed_in_at.set(issued if isinstance(issued, int) else None)
        try:
            return refresh(pool, pool_id, client_id, refresh_token)
        finally:
            _signed_in_at.reset(mark)

    return run


def _at_one_time(build: Callable) -> Callable:
    @functools.wraps(build)
    def run(*arguments: object, **options: object) -> dict:
        if _signed_in_at.get() is not None:
            return build(*arguments, **options)
        mark = _signed_in_at.set(int(time.time()))
        try:
            return build(*arguments, **options)
        finally:
            _signed_in_at.reset(mark)

    return run


def _telling(sign: Callable) -> Callable:
    @functools.wraps(sign)
    def run(claims: dict, *place: object) -> str:
        signed_in_at = _signed_in_at.get()
        if signed_in_at is not None:
            # A renewal asks its refresh token when that was.
            said = "iat" if claims.get("token_use") == "refresh" else "auth_time"
            claims = {**claims, said: signed_in_at}
        return sign(claims, *place)

    return run
