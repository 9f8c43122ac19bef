"""Files stay locked across a restart, as files under S3 Object Lock do until their retention or legal hold ends.

MiniStack saves that a bucket has Object Lock, but not until when each file is kept: after a restart every version of a
file can be removed. Here both are saved with the buckets' other settings.
"""

from ministack.services import s3


def apply() -> None:
    s3._PERSISTED_BUCKET_DICTS.update(object_retention=s3._object_retention, object_legal_hold=s3._object_legal_hold)
