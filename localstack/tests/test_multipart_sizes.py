"""Multipart uploads: parts have 5 MiB or more, all but the last ("Amazon S3 multipart upload limits" in its guide)."""

import unittest

from botocore.exceptions import ClientError

from tests.running import Emulator

MIB = 1024 * 1024


class Upload:
    """An upload of one file."""

    def __init__(self, emulator: Emulator) -> None:
        self.s3 = emulator.client("s3")
        self.s3.create_bucket(Bucket="results")
        self.begin()

    def begin(self) -> None:
        self.file = {"Bucket": "results", "Key": "exports/a.csv"}
        self.file["UploadId"] = self.s3.create_multipart_upload(**self.file)["UploadId"]

    def complete(self, *sizes: int) -> None:
        tags = [self.s3.upload_part(**self.file, PartNumber=number, Body=b"x" * size)["ETag"]
                for number, size in enumerate(sizes, 1)]
        self.complete_with(*tags)

    def complete_with(self, *tags: str) -> None:
        self.s3.complete_multipart_upload(**self.file, MultipartUpload={
            "Parts": [{"PartNumber": number, "ETag": tag} for number, tag in enumerate(tags, 1)]})

    def size(self) -> int:
        return self.s3.head_object(Bucket="results", Key="exports/a.csv")["ContentLength"]


class MultipartSizes(unittest.TestCase):
    def setUp(self) -> None:
        self.upload = Upload(self.enterContext(Emulator()))

    def test_only_the_last_part_may_be_small(self) -> None:
        self.upload.complete(5 * MIB, 5 * MIB, 3)
        self.assertEqual(self.upload.size(), 10 * MIB + 3)

    def test_a_single_part_may_be_small(self) -> None:
        self.upload.complete(1)
        self.assertEqual(self.upload.size(), 1)

    def test_a_small_part_before_the_last_is_refused_and_the_upload_goes_on(self) -> None:
        for sizes in ((5 * MIB - 1, 5 * MIB), (5 * MIB, 1, 1)):
            with self.assertRaises(ClientError) as refused:
                self.upload.complete(*sizes)
            self.assertEqual(refused.exception.response["Error"]["Code"], "EntityTooSmall")
        self.upload.complete(5 * MIB, 5 * MIB, 1)
        self.assertEqual(self.upload.size(), 10 * MIB + 1)

    def test_what_is_wrong_otherwise_is_left_to_the_emulator(self) -> None:
        self.upload.s3.abort_multipart_upload(**self.upload.file)
        with self.assertRaises(ClientError) as refused:
            self.upload.complete_with("no such tag")
        self.assertEqual(refused.exception.response["Error"]["Code"], "NoSuchUpload")
        self.upload.begin()
        with self.assertRaises(ClientError) as refused:
            self.upload.complete_with("no such tag", "nor this")
        self.assertEqual(refused.exception.response["Error"]["Code"], "InvalidPart")


class WithoutTheMend(unittest.TestCase):
    def test_an_upload_of_small_parts_is_completed(self) -> None:
        with Emulator(off="multipart_sizes") as emulator:
            upload = Upload(emulator)
            upload.complete(1, 1, 1)
            self.assertEqual(upload.size(), 3)
