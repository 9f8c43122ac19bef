"""FIFO queues and functions: order within a group, and groups side by side ("Using Lambda with Amazon SQS" in its guide)."""

import json
import unittest

from tests.functions import deploy, received
from tests.running import REGION, Emulator, wait_until

ARN = f"arn:aws:sqs:{REGION}:000000000000"


class Queue:
    """A FIFO queue that feeds the function `worker`."""

    def __init__(self, emulator: Emulator, concurrency: int = 10, batch_size: int = 10, **attributes: str) -> None:
        self.emulator, self.sqs, self.sent = emulator, emulator.client("sqs"), 0
        self.url = self.sqs.create_queue(QueueName="work.fifo", Attributes={
            "FifoQueue": "true", "DeduplicationScope": "messageGroup", "FifoThroughputLimit": "perMessageGroupId",
            **attributes})["QueueUrl"]
        deploy(emulator, "worker")
        emulator.client("lambda").create_event_source_mapping(
            FunctionName="worker", EventSourceArn=f"{ARN}:work.fifo", BatchSize=batch_size,
            FunctionResponseTypes=["ReportBatchItemFailures"], ScalingConfig={"MaximumConcurrency": concurrency})

    def send(self, group: str, name: str, **asked: float) -> None:
        self.sent += 1
        self.sqs.send_message(QueueUrl=self.url, MessageGroupId=group, MessageDeduplicationId=str(self.sent),
                              MessageBody=json.dumps({"name": name, **asked}))

    def received(self) -> list[str]:
        return [json.loads(message["body"])["name"] for message in received(self.emulator, "worker")]

    def wait_for(self, *names: str) -> list[str]:
        wait_until(lambda: set(names) <= set(self.received()), f"{names} were received")
        return self.received()


class FifoGroups(unittest.TestCase):
    def setUp(self) -> None:
        self.emulator = self.enterContext(Emulator())

    def test_a_group_waits_for_its_own_message_and_for_no_other_groups(self) -> None:
        queue = Queue(self.emulator)
        queue.send("slow", "slow 1", sleep=3)
        queue.wait_for("slow 1")
        queue.send("slow", "slow 2")
        queue.send("quick", "quick 1")
        queue.send("quick", "quick 2")
        self.assertEqual(queue.wait_for("quick 2"), ["slow 1", "quick 1", "quick 2"])
        self.assertEqual(queue.wait_for("slow 2")[-1], "slow 2")

    def test_no_more_groups_are_handled_at_once_than_the_mapping_allows(self) -> None:
        queue = Queue(self.emulator, concurrency=2)
        for group in ("one", "two"):
            queue.send(group, group, sleep=2)
            queue.wait_for(group)
        queue.send("three", "three")
        queue.send("two", "two again")
        with self.assertRaises(AssertionError):
            wait_until(lambda: "three" in queue.received(), "a third group is handled", seconds=1)
        queue.wait_for("three", "two again")

    def test_messages_of_a_group_are_handled_in_the_order_they_were_sent_in(self) -> None:
        queue = Queue(self.emulator)
        names = [f"{number:02}" for number in range(40)]
        for name in names:
            for group in "abc":
                queue.send(group, group + name, sleep=0.01)
        everything = queue.wait_for(*(group + names[-1] for group in "abc"))
        for group in "abc":
            self.assertEqual([name[1:] for name in everything if name[0] == group], names)

    def test_a_failed_message_holds_up_its_group_until_it_is_given_up(self) -> None:
        dead_letters = self.emulator.client("sqs").create_queue(
            QueueName="dead.fifo", Attributes={"FifoQueue": "true"})["QueueUrl"]
        # In a batch of its own: in one with others of its group it is the function that must leave those alone.
        queue = Queue(self.emulator, batch_size=1, VisibilityTimeout="1", RedrivePolicy=json.dumps(
            {"deadLetterTargetArn": f"{ARN}:dead.fifo", "maxReceiveCount": 2}))
        queue.send("bad", "bad 1", fail=1)
        queue.wait_for("bad 1")
        queue.send("bad", "bad 2")
        queue.send("good", "good")
        queue.wait_for("good", "bad 2")
        self.assertEqual([name for name in queue.received() if name != "good"], ["bad 1", "bad 1", "bad 2"])
        given_up = self.emulator.client("sqs").receive_message(QueueUrl=dead_letters, AttributeNames=["All"])["Messages"]
        self.assertEqual([message["Attributes"]["MessageGroupId"] for message in given_up], ["bad"])


class WithoutTheMend(unittest.TestCase):
    def test_every_group_waits_for_the_slow_one(self) -> None:
        with Emulator(off="fifo_groups") as emulator:
            queue = Queue(emulator)
            queue.send("slow", "slow 1", sleep=3)
            queue.wait_for("slow 1")
            queue.send("quick", "quick 1")
            with self.assertRaises(AssertionError):
                wait_until(lambda: "quick 1" in queue.received(), "the other group is handled", seconds=1.5)
            queue.wait_for("quick 1")
