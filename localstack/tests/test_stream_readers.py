"""The readers of a stream: each gets every change in order, and none waits for another ("How Lambda processes records")."""

import json
import unittest

from tests.functions import deploy, received
from tests.running import REGION, Emulator, create_table, wait_until


def read_stream(emulator: Emulator, *functions: str, batch_size: int = 10, **options: object) -> None:
    stream = emulator.client("dynamodb").describe_table(TableName="core")["Table"]["LatestStreamArn"]
    for function in functions:
        deploy(emulator, function)
        emulator.client("lambda").create_event_source_mapping(
            FunctionName=function, EventSourceArn=stream, StartingPosition="TRIM_HORIZON", BatchSize=batch_size, **options)


def read_queue(emulator: Emulator, function: str) -> str:
    url = emulator.client("sqs").create_queue(QueueName="work")["QueueUrl"]
    deploy(emulator, function)
    emulator.client("lambda").create_event_source_mapping(
        FunctionName=function, EventSourceArn=f"arn:aws:sqs:{REGION}:000000000000:work", BatchSize=1)
    return url


def matching(*patterns: dict) -> dict:
    """The changes that match one of the patterns."""
    return {"Filters": [{"Pattern": json.dumps({"dynamodb": pattern})} for pattern in patterns]}


def write(emulator: Emulator, key: str, **asked: float) -> None:
    numbers = {name: {"N": str(value)} for name, value in asked.items()}
    emulator.client("dynamodb").put_item(TableName="core", Item={"PK": {"S": key}, "SK": {"S": "C"}, **numbers})


def keys(emulator: Emulator, function: str) -> list[str]:
    return [record["dynamodb"]["Keys"]["PK"]["S"] for record in received(emulator, function)]


class StreamReaders(unittest.TestCase):
    def setUp(self) -> None:
        self.emulator = self.enterContext(Emulator())
        create_table(self.emulator, "core", stream=True)

    def test_each_reader_gets_every_change_once_and_in_order(self) -> None:
        read_stream(self.emulator, "first", "second", batch_size=7)
        written = [f"{number:03}" for number in range(100)]
        for key in written:
            write(self.emulator, key)
        for reader in ("first", "second"):
            wait_until(lambda: len(keys(self.emulator, reader)) >= len(written), f"the {reader} has read")
            self.assertEqual(keys(self.emulator, reader), written)

    def test_a_slow_reader_holds_up_neither_another_nor_a_queue(self) -> None:
        queue = read_queue(self.emulator, "worker")
        read_stream(self.emulator, "slow")
        write(self.emulator, "slow", sleep=4)
        wait_until(lambda: keys(self.emulator, "slow"), "the slow one has begun")
        # It reads from the beginning too, but passes over the change that takes so long.
        read_stream(self.emulator, "quick", FilterCriteria=matching({"NewImage": {"sleep": [{"exists": False}]}}))
        write(self.emulator, "other")
        for _ in range(20):
            self.emulator.client("sqs").send_message(QueueUrl=queue, MessageBody="{}")
        wait_until(lambda: len(received(self.emulator, "worker")) == 20, "the queue is empty")
        wait_until(lambda: keys(self.emulator, "quick") == ["other"], "the other has read")
        self.assertEqual(keys(self.emulator, "slow"), ["slow"])
        wait_until(lambda: keys(self.emulator, "slow") == ["slow", "other"], "the slow one has gone on")

    def test_a_reader_that_fails_tries_again_and_holds_up_nobody(self) -> None:
        read_stream(self.emulator, "failing", batch_size=1)
        for key in ("good", "bad", "after"):
            write(self.emulator, key, **{"exit": 1} if key == "bad" else {})
        wait_until(lambda: keys(self.emulator, "failing").count("bad") >= 2, "the bad change was tried again")
        self.assertEqual(set(keys(self.emulator, "failing")), {"good", "bad"})
        read_stream(self.emulator, "second", FilterCriteria=matching({"Keys": {"PK": {"S": ["good", "after"]}}}))
        wait_until(lambda: keys(self.emulator, "second") == ["good", "after"], "the other reads past it")

    def test_a_change_is_read_when_it_matches_one_of_the_filters(self) -> None:
        read_stream(self.emulator, "contacts", FilterCriteria=matching(
            *({image: {"type": {"S": ["contact", "suppression"]}}} for image in ("NewImage", "OldImage"))))
        dynamodb = self.emulator.client("dynamodb")
        for key, kind in (("a", "contact"), ("b", "import"), ("c", "suppression")):
            dynamodb.put_item(TableName="core", Item={"PK": {"S": key}, "SK": {"S": "C"}, "type": {"S": kind}})
        for key in "abc":
            dynamodb.delete_item(TableName="core", Key={"PK": {"S": key}, "SK": {"S": "C"}})
        write(self.emulator, "untyped")
        dynamodb.put_item(TableName="core", Item={"PK": {"S": "last"}, "SK": {"S": "C"}, "type": {"S": "contact"}})
        wait_until(lambda: "last" in keys(self.emulator, "contacts"), "the last was read")
        self.assertEqual(keys(self.emulator, "contacts"), ["a", "c", "a", "c", "last"])

    def test_what_was_read_before_a_stop_is_not_read_again_and_the_rest_is(self) -> None:
        read_stream(self.emulator, "reader", batch_size=1)
        write(self.emulator, "before")
        wait_until(lambda: keys(self.emulator, "reader") == ["before"], "the first was read")
        write(self.emulator, "during", sleep=1)
        write(self.emulator, "after")
        wait_until(lambda: "during" in keys(self.emulator, "reader"), "the second has begun")
        self.emulator.restart()
        wait_until(lambda: "after" in keys(self.emulator, "reader"), "the rest was read")
        self.assertEqual(keys(self.emulator, "reader"), ["before", "during", "after"])


class WithoutTheMend(unittest.TestCase):
    def test_a_slow_reader_holds_up_the_other_and_the_queue(self) -> None:
        with Emulator(off="stream_readers") as emulator:
            create_table(emulator, "core", stream=True)
            queue = read_queue(emulator, "worker")
            read_stream(emulator, "slow")
            write(emulator, "slow", sleep=3)
            wait_until(lambda: keys(emulator, "slow"), "the slow one has begun")
            emulator.client("sqs").send_message(QueueUrl=queue, MessageBody="{}")
            with self.assertRaises(AssertionError):
                wait_until(lambda: received(emulator, "worker"), "the message was handled", seconds=1.5)
            wait_until(lambda: received(emulator, "worker"), "the message was handled")
