"""Of several requests that create the same user at once one does, and the others find the user there.

MiniStack handles each request to a user pool in a thread of its own and looks for the user before it makes one, so two
requests at once can make two users of one address, of whom only one can ever sign in. In Cognito an address that users
sign in with is unique in its pool (`UsernameExistsException` of AdminCreateUser, "Username attributes" in its guide).
"""

import functools
import threading
from collections.abc import Callable

from ministack.services import cognito

_one_at_a_time = threading.Lock()


def apply() -> None:
    cognito._admin_create_user = _alone(cognito._admin_create_user)


def _alone(create: Callable) -> Callable:
    @functools.wraps(create)
    def run(data: dict) -> tuple:
        with _one_at_a_time:
            return create(data)

    return run
