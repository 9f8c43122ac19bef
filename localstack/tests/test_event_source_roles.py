"""Mapping a queue or a stream to a function takes a role that may do what AWS documents for its source."""

import json
import unittest
from typing import Any

from botocore.exceptions import ClientError

from tests.functions import deploy
from tests.running import Emulator, create_table, wait_until


def allow(resource: str, *actions: str) -> dict:
    return {"Effect": "Allow", "Action": list(actions), "Resource": resource}


def create_queue(emulator: Emulator) -> str:
    sqs = emulator.client("sqs")
    queue = sqs.create_queue(QueueName="work")["QueueUrl"]
    return sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]


def connect(emulator: Emulator, function: str, source: str, **options: Any) -> None:
    emulator.client("lambda").create_event_source_mapping(FunctionName=function, EventSourceArn=source, **options)


class EventSourceRoles(unittest.TestCase):
    def setUp(self) -> None:
        self.emulator = self.enterContext(Emulator(AUTH="true"))
        self.queue = create_queue(self.emulator)

    def test_a_queue_needs_all_three_permissions(self) -> None:
        actions = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"]
        deploy(self.emulator, "complete", [allow(self.queue, *actions)])
        connect(self.emulator, "complete", self.queue)
        for number, missing in enumerate(actions):
            with self.subTest(missing), self.assertRaisesRegex(ClientError, missing):
                deploy(self.emulator, f"lacking-{number}", [allow(self.queue, *(set(actions) - {missing}))])
                connect(self.emulator, f"lacking-{number}", self.queue)

    def test_a_stream_needs_its_four_permissions(self) -> None:
        create_table(self.emulator, "core", stream=True)
        stream = self.emulator.client("dynamodb").describe_table(TableName="core")["Table"]["LatestStreamArn"]
        deploy(self.emulator, "complete", [allow(
            stream, "dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator", "dynamodb:ListStreams")])
        connect(self.emulator, "complete", stream, StartingPosition="LATEST")
        deploy(self.emulator, "lacking", [allow(self.queue, "dynamodb:*")])
        with self.assertRaisesRegex(ClientError, "dynamodb:GetRecords"):
            connect(self.emulator, "lacking", stream, StartingPosition="LATEST")

    def test_a_stack_with_such_a_mapping_fails(self) -> None:
        deploy(self.emulator, "lacking")
        stacks = self.emulator.client("cloudformation")
        stacks.create_stack(StackName="mapped", TemplateBody=json.dumps({"Resources": {"Mapping": {
            "Type": "AWS::Lambda::EventSourceMapping",
            "Properties": {"FunctionName": "lacking", "EventSourceArn": self.queue}}}}))

        def status() -> str:
            return stacks.describe_stacks(StackName="mapped")["Stacks"][0]["StackStatus"]

        wait_until(lambda: status().endswith(("COMPLETE", "FAILED")), "the stack has settled")
        self.assertEqual(status(), "ROLLBACK_COMPLETE")
        reasons = [event.get("ResourceStatusReason", "") for event in
                   stacks.describe_stack_events(StackName="mapped")["StackEvents"]]
        self.assertTrue(any("sqs:ReceiveMessage" in reason for reason in reasons), reasons)


class WithoutEnforcement(unittest.TestCase):
    def test_roles_are_not_asked_when_iam_is_not_enforced(self) -> None:
        with Emulator() as emulator:
            deploy(emulator, "lacking")
            connect(emulator, "lacking", create_queue(emulator))


class WithoutTheMend(unittest.TestCase):
    def test_a_role_that_may_nothing_is_enough(self) -> None:
        with Emulator(off="event_source_roles", AUTH="true") as emulator:
            deploy(emulator, "lacking")
            connect(emulator, "lacking", create_queue(emulator))
