"""Every part of an upload but the last is at least 5 MiB, as S3 wants it.

MiniStack completes an upload whatever the sizes of its parts. S3 refuses to, with `EntityTooSmall`, when all the parts
are there already, so an export that sends a part per batch of rows would work here and fail on AWS.
"""

import functools
from collections.abc import Callable

from defusedxml.ElementTree import ParseError, fromstring
from ministack.services import s3

SMALLEST = 5 * 1024 * 1024


def apply() -> None:
    s3._complete_multipart_upload = _refusing_small_parts(s3._complete_multipart_upload)


def _refusing_small_parts(complete: Callable) -> Callable:
    @functools.wraps(complete)
    def run(bucket: str, key: str, body: bytes, query: dict, headers: dict | None = None) -> tuple:
        upload = s3._multipart_uploads.get(s3._qp(query, "uploadId"))
        if upload and (upload["bucket"], upload["key"]) == (bucket, key) and _has_small_part(upload["parts"], body):
            return s3._error("EntityTooSmall", "Your proposed upload is smaller than the minimum allowed size", 400,
                             f"/{bucket}/{key}")
        return complete(bucket, key, body, query, headers)

    return run


def _has_small_part(parts: dict, body: bytes) -> bool:
    """Whether a part that the request names is too small; parts it names wrongly are left to the emulator."""
    try:
        named = sorted(int(element.text or "") for element in fromstring(body).iter()
                       if element.tag.rsplit("}", 1)[-1] == "PartNumber")
    except (ParseError, ValueError):
        return False
    return all(number in parts for number in named) and any(len(parts[number]["body"]) < SMALLEST for number in named[:-1])
