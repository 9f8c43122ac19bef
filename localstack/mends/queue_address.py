"""A saved queue is found again by an emulator on another port, and still feeds its function.

MiniStack files a queue under its URL, which holds the port, and looks for a mapping's queue under the URL of the present
port. After a restart on another port a queue's messages wait for ever, and creating the queue again makes a second one.
Here every queue is filed under the default port. Callers still get a URL with the address they called; stacks and the
variables of their functions get the filed one, which works as well, since an SDK calls the endpoint it was given and the
emulator goes by the account and the name in the URL.
"""

from ministack.services import sqs

PORT = "4566"


def apply() -> None:
    sqs.DEFAULT_PORT = PORT
    # By this MiniStack knows a URL of its own, in which it puts the caller's address.
    sqs._CANONICAL_NETLOC = f"{sqs.DEFAULT_HOST}:{PORT}"
