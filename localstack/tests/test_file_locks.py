"""Object Lock: a locked version of a file can't be removed ("Locking objects with Object Lock" in the S3 user guide)."""

import unittest
from datetime import datetime, timedelta, timezone
from typing import Any

from botocore.exceptions import ClientError

from tests.running import Emulator

LOCK = {"ObjectLockEnabled": "Enabled", "Rule": {"DefaultRetention": {"Mode": "COMPLIANCE", "Days": 30}}}


class Bucket:
    """A bucket that locks every file for 30 days, with one file in it; locked as ./dev up does it, after it was made."""

    def __init__(self, emulator: Emulator) -> None:
        self.s3 = emulator.client("s3")
        self.s3.create_bucket(Bucket="archive")
        self.s3.put_bucket_versioning(Bucket="archive", VersioningConfiguration={"Status": "Enabled"})
        self.s3.put_object_lock_configuration(Bucket="archive", ObjectLockConfiguration=LOCK)
        self.version = self.put("first")

    def put(self, body: str) -> str:
        return self.s3.put_object(Bucket="archive", Key="events/a", Body=body.encode())["VersionId"]

    def read(self, version: str) -> str:
        return self.s3.get_object(Bucket="archive", Key="events/a", VersionId=version)["Body"].read().decode()

    def remove(self) -> Any:
        return self.s3.delete_object(Bucket="archive", Key="events/a", VersionId=self.version, BypassGovernanceRetention=True)

    def remove_among_others(self) -> list[str]:
        """The errors of a request that removes several."""
        asked = [{"Key": "events/a", "VersionId": self.version}, {"Key": "events/b"}]
        return [error["Code"] for error in self.s3.delete_objects(Bucket="archive", Delete={"Objects": asked}).get("Errors", [])]

    def retain(self, days: int, mode: str = "COMPLIANCE") -> None:
        until = datetime.now(timezone.utc) + timedelta(days=days)
        self.s3.put_object_retention(Bucket="archive", Key="events/a", VersionId=self.version,
                                     Retention={"Mode": mode, "RetainUntilDate": until})


class FileLocks(unittest.TestCase):
    def setUp(self) -> None:
        self.emulator = self.enterContext(Emulator(AUTH="true"))
        self.bucket = Bucket(self.emulator)

    def assert_locked(self) -> None:
        with self.assertRaises(ClientError) as refused:
            self.bucket.remove()
        self.assertEqual(refused.exception.response["Error"]["Code"], "AccessDenied")
        self.assertEqual(self.bucket.remove_among_others(), ["AccessDenied"])
        for days, mode in ((1, "COMPLIANCE"), (60, "GOVERNANCE")):
            with self.assertRaises(ClientError) as refused:
                self.bucket.retain(days, mode)
            self.assertEqual(refused.exception.response["Error"]["Code"], "AccessDenied")
        self.assertEqual(self.bucket.read(self.bucket.version), "first")

    def test_a_locked_version_can_neither_be_removed_nor_kept_for_less(self) -> None:
        self.assert_locked()
        self.bucket.retain(60)
        self.assert_locked()

    def test_what_is_written_or_removed_later_leaves_the_version_as_it_is(self) -> None:
        self.bucket.put("second")
        self.bucket.s3.delete_object(Bucket="archive", Key="events/a")
        self.assert_locked()

    def test_a_restart_unlocks_nothing(self) -> None:
        self.emulator.restart()
        self.assert_locked()
        later = self.bucket.put("second")
        kept = self.bucket.s3.get_object_retention(Bucket="archive", Key="events/a", VersionId=later)["Retention"]
        self.assertEqual(kept["Mode"], "COMPLIANCE")


class WithoutTheMend(unittest.TestCase):
    def test_after_a_restart_a_locked_version_can_be_removed(self) -> None:
        with Emulator(off="file_locks", AUTH="true") as emulator:
            bucket = Bucket(emulator)
            emulator.restart()
            bucket.remove()
            with self.assertRaises(ClientError):
                bucket.read(bucket.version)
