"""SQS and IAM: a batch call takes the permission of the single call ("Amazon SQS API permissions" in its guide)."""

import unittest
from typing import Any

from botocore.exceptions import ClientError

from tests.running import REGION, Emulator, create_role, policy

ACCOUNT = "000000000000"
QUEUE = f"arn:aws:sqs:{REGION}:{ACCOUNT}:work"
ENTRIES = [{"Id": "one", "MessageBody": "first"}, {"Id": "two", "MessageBody": "second"}]


def allow(*actions: str) -> dict:
    return {"Effect": "Allow", "Action": list(actions), "Resource": QUEUE}


def create_queue(emulator: Emulator, **attributes: str) -> str:
    return emulator.client("sqs").create_queue(QueueName="work", Attributes=attributes)["QueueUrl"]


def session(emulator: Emulator, name: str, *statements: dict) -> Any:
    """An SQS client with the credentials of a new role that is granted just these statements."""
    role = create_role(emulator, name, list(statements), {"AWS": f"arn:aws:iam::{ACCOUNT}:root"})
    assumed = emulator.client("sts").assume_role(RoleArn=role, RoleSessionName="test")["Credentials"]
    return emulator.client("sqs", assumed["AccessKeyId"], assumed["SecretAccessKey"], assumed["SessionToken"])


class SqsBatchAuthorisation(unittest.TestCase):
    def setUp(self) -> None:
        self.emulator = self.enterContext(Emulator(AUTH="true"))
        self.queue = create_queue(self.emulator)

    def messages(self) -> list[dict]:
        """The queue's two messages, received by the administrator."""
        received = self.emulator.client("sqs").receive_message(QueueUrl=self.queue, MaxNumberOfMessages=10)["Messages"]
        self.assertEqual(len(received), len(ENTRIES))
        return received

    def assert_denied(self, action: str, call: Any, **options: Any) -> None:
        with self.assertRaises(ClientError) as refused:
            call(QueueUrl=self.queue, **options)
        self.assertEqual(refused.exception.response["Error"]["Code"], "AccessDenied")
        self.assertRegex(refused.exception.response["Error"]["Message"], f"{action}\\b")

    def test_a_role_granted_the_single_calls_may_batch_them(self) -> None:
        granted = session(self.emulator, "granted", allow(
            "sqs:SendMessage", "sqs:ChangeMessageVisibility", "sqs:DeleteMessage"))
        sent = granted.send_message_batch(QueueUrl=self.queue, Entries=ENTRIES)
        self.assertEqual(len(sent["Successful"]), len(ENTRIES))
        handles = [{"Id": message["MessageId"], "ReceiptHandle": message["ReceiptHandle"]} for message in self.messages()]
        delayed = granted.change_message_visibility_batch(
            QueueUrl=self.queue, Entries=[{**handle, "VisibilityTimeout": 60} for handle in handles])
        self.assertEqual(len(delayed["Successful"]), len(ENTRIES))
        deleted = granted.delete_message_batch(QueueUrl=self.queue, Entries=handles)
        self.assertEqual(len(deleted["Successful"]), len(ENTRIES))

    def test_a_role_without_the_single_call_may_not_batch_it(self) -> None:
        reader = session(self.emulator, "reader", allow("sqs:ReceiveMessage", "sqs:GetQueueAttributes"))
        entries = [{"Id": "one", "ReceiptHandle": "any"}]
        self.assert_denied("sqs:SendMessage", reader.send_message_batch, Entries=ENTRIES)
        self.assert_denied("sqs:DeleteMessage", reader.delete_message_batch, Entries=entries)
        self.assert_denied("sqs:ChangeMessageVisibility", reader.change_message_visibility_batch,
                           Entries=[{**entries[0], "VisibilityTimeout": 60}])

    def test_granting_the_name_of_the_batch_call_grants_nothing(self) -> None:
        mistaken = session(self.emulator, "mistaken", allow("sqs:SendMessageBatch"))
        self.assert_denied("sqs:SendMessage", mistaken.send_message_batch, Entries=ENTRIES)

    def test_a_queue_policy_is_asked_for_the_single_call(self) -> None:
        named = session(self.emulator, "named")
        principal = {"AWS": f"arn:aws:iam::{ACCOUNT}:role/named"}
        self.emulator.client("sqs").set_queue_attributes(QueueUrl=self.queue, Attributes={"Policy": policy(
            [{**allow("sqs:SendMessage"), "Principal": principal}])})
        named.send_message_batch(QueueUrl=self.queue, Entries=ENTRIES)
        granted = session(self.emulator, "granted", allow("sqs:SendMessage"))
        self.emulator.client("sqs").set_queue_attributes(QueueUrl=self.queue, Attributes={"Policy": policy(
            [{**allow("sqs:SendMessage"), "Effect": "Deny", "Principal": "*"}])})
        with self.assertRaisesRegex(ClientError, "explicit deny in a resource-based policy"):
            granted.send_message_batch(QueueUrl=self.queue, Entries=ENTRIES)


class WithoutTheMend(unittest.TestCase):
    def test_the_grant_that_aws_asks_for_is_not_enough(self) -> None:
        with Emulator(off="sqs_batch_authorisation", AUTH="true") as emulator:
            queue = create_queue(emulator)
            granted = session(emulator, "granted", allow("sqs:SendMessage"))
            granted.send_message(QueueUrl=queue, MessageBody="alone")
            with self.assertRaises(ClientError) as refused:
                granted.send_message_batch(QueueUrl=queue, Entries=ENTRIES)
            self.assertIn("sqs:SendMessageBatch", refused.exception.response["Error"]["Message"])
