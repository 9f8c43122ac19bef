"""A table's stream over a clean restart: every change reaches its function once, whenever it was made."""

import unittest

from tests.functions import deploy, received
from tests.running import Emulator, create_table, stream_records, wait_until


def put(emulator: Emulator, *keys: str) -> None:
    for key in keys:
        emulator.client("dynamodb").put_item(TableName="core", Item={"PK": {"S": key}, "SK": {"S": "C"}})


def map_stream(emulator: Emulator, enabled: bool = True, batch_size: int = 10) -> str:
    arn = emulator.client("dynamodb").describe_table(TableName="core")["Table"]["LatestStreamArn"]
    return emulator.client("lambda").create_event_source_mapping(
        FunctionName="audit", EventSourceArn=arn, StartingPosition="TRIM_HORIZON", BatchSize=batch_size,
        Enabled=enabled)["UUID"]


def delivered(emulator: Emulator) -> list[str]:
    return [record["dynamodb"]["Keys"]["PK"]["S"] for record in received(emulator, "audit")]


def wait_for(emulator: Emulator, *keys: str) -> None:
    wait_until(lambda: len(delivered(emulator)) >= len(keys), f"{len(keys)} changes are delivered")


class StreamState(unittest.TestCase):
    def setUp(self) -> None:
        self.emulator = self.enterContext(Emulator())
        create_table(self.emulator, "core", stream=True)
        deploy(self.emulator, "audit")

    def test_changes_after_a_restart_are_delivered_and_earlier_ones_are_not_again(self) -> None:
        map_stream(self.emulator)
        put(self.emulator, "one", "two", "three")
        wait_for(self.emulator, "one", "two", "three")
        for key in ("four", "five"):
            self.emulator.restart()
            put(self.emulator, key)
            wait_until(lambda: key in delivered(self.emulator), "the change is delivered")
        self.assertEqual(delivered(self.emulator), ["one", "two", "three", "four", "five"])

    def test_changes_not_yet_delivered_at_the_stop_are_delivered_after_it(self) -> None:
        mapping = map_stream(self.emulator)
        put(self.emulator, "one", "two")
        wait_for(self.emulator, "one", "two")
        functions = self.emulator.client("lambda")
        functions.update_event_source_mapping(UUID=mapping, Enabled=False)
        put(self.emulator, "three", "four")
        self.emulator.restart()
        self.emulator.restart()
        self.emulator.client("lambda").update_event_source_mapping(UUID=mapping, Enabled=True)
        put(self.emulator, "five")
        wait_until(lambda: "five" in delivered(self.emulator), "the changes are delivered")
        self.assertEqual(delivered(self.emulator), ["one", "two", "three", "four", "five"])

    def test_a_function_that_never_read_finds_everything_after_the_restart(self) -> None:
        put(self.emulator, "one", "two")
        self.emulator.restart()
        put(self.emulator, "three")
        self.assertEqual([record["new"]["PK"]["S"] for record in stream_records(self.emulator, "core")],
                         ["one", "two", "three"])
        map_stream(self.emulator)
        wait_for(self.emulator, "one", "two", "three")
        self.assertEqual(delivered(self.emulator), ["one", "two", "three"])

    def test_a_batch_cut_off_by_the_stop_is_delivered_again(self) -> None:
        map_stream(self.emulator)
        self.emulator.client("dynamodb").put_item(
            TableName="core", Item={"PK": {"S": "slow"}, "SK": {"S": "C"}})
        wait_for(self.emulator, "slow")
        put(self.emulator, *(f"{number}" for number in range(30)))
        self.emulator.restart()
        wait_until(lambda: len(set(delivered(self.emulator))) == 31, "all changes are delivered")


class WithoutTheMend(unittest.TestCase):
    def test_as_many_changes_as_were_read_before_the_restart_are_lost_after_it(self) -> None:
        with Emulator(off="stream_state") as emulator:
            create_table(emulator, "core", stream=True)
            deploy(emulator, "audit")
            map_stream(emulator)
            put(emulator, "one", "two")
            wait_for(emulator, "one", "two")
            emulator.restart()
            put(emulator, "three", "four", "five")
            wait_until(lambda: "five" in delivered(emulator), "a change is delivered")
            self.assertEqual(delivered(emulator), ["one", "two", "five"])
