"""Queries of a table answer the same with the mend as without it, with less work."""

import json
import random
import time
import unittest
from typing import Any

from tests.running import Emulator, key_schema, run_inside
from tests.test_index_query import answer

KINDS = ("S", "N", "B")
OPERATORS = ("=", "<", "<=", ">", ">=", "BETWEEN", "begins_with", "reversed", "either", "none")
PARTITIONS = ("a", "b")


class RandomTables:
    """Draws operations and queries from two partitions of a table for each type of sort key, large enough to be mended."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def sort_key(self, kind: str) -> dict:
        match kind:
            case "N":
                return {"N": f"{self.random.randrange(-60, 60) / 4:g}"}
            case "B":
                return {"B": bytes(self.random.choices([0, 97, 98, 255], k=self.random.randrange(1, 5)))}
        return {"S": "".join(self.random.choices("aZé\uffff\U0001f600\U0010ffff", k=self.random.randrange(1, 4)))}

    def key(self, kind: str) -> dict:
        return {"PK": {"S": self.random.choice(PARTITIONS)}, "SK": self.sort_key(kind)}

    def item(self, kind: str) -> dict:
        size = self.random.choice([10, 10, 10, 90_000])
        return {**self.key(kind), "colour": {"S": self.random.choice(["red", "blue"])}, "payload": {"S": "x" * size}}

    def operation(self, kind: str) -> tuple[str, dict]:
        table, item = f"random-{kind}", self.item(kind)
        fields = ", ".join(f"'{name}': ?" for name in item)
        insert = {"Statement": f'INSERT INTO "{table}" VALUE {{{fields}}}', "Parameters": list(item.values())}
        match self.random.choice(["put", "put", "update", "delete", "batch", "transaction", "insert", "remove", "cancelled"]):
            case "put":
                return "put_item", {"TableName": table, "Item": item}
            case "update":
                return "update_item", {"TableName": table, "Key": self.key(kind), "UpdateExpression": "SET colour = :colour",
                                       "ExpressionAttributeValues": {":colour": item["colour"]}}
            case "delete":
                return "delete_item", {"TableName": table, "Key": self.key(kind)}
            case "batch":
                keys = {str(key): key for key in (self.key(kind) for _ in range(10)) if key != self.key_of(item)}
                return "batch_write_item", {"RequestItems": {table: [
                    {"PutRequest": {"Item": item}}, *({"DeleteRequest": {"Key": key}} for key in keys.values())]}}
            case "transaction":
                other = next(key for key in iter(lambda: self.key(kind), None) if key != self.key_of(item))
                return "transact_write_items", {"TransactItems": [
                    {"Put": {"TableName": table, "Item": item}}, {"Delete": {"TableName": table, "Key": other}}]}
            case "insert":
                return "execute_statement", insert
            case "remove":
                key = self.key(kind)
                return "execute_statement", {"Statement": f'DELETE FROM "{table}" WHERE PK = ? AND SK = ?',
                                             "Parameters": [key["PK"], key["SK"]]}
            case _:
                return "execute_transaction", {"TransactStatements": [insert, insert]}

    @staticmethod
    def key_of(item: dict) -> dict:
        return {"PK": item["PK"], "SK": item["SK"]}

    def query(self, kind: str) -> dict:
        operator = self.random.choice([name for name in OPERATORS if name != "begins_with" or kind != "N"])
        values = {":pk": {"S": self.random.choice(PARTITIONS)}}
        condition = "PK = :pk"
        if operator != "none":
            values[":low"] = self.sort_key(kind)
            if operator in ("BETWEEN", "either"):
                values[":high"] = self.sort_key(kind)
            condition += " AND " + {
                "BETWEEN": "#sort BETWEEN :low AND :high",
                "begins_with": "begins_with(SK, :low)",
                "reversed": ":low = SK",
                "either": "(SK = :low OR SK = :high)",
            }.get(operator, f"(SK {operator} :low)")
        query = {"TableName": f"random-{kind}", "KeyConditionExpression": condition, "ExpressionAttributeValues": values,
                 "ScanIndexForward": self.random.random() < 0.5, "ConsistentRead": self.random.random() < 0.5}
        if operator == "BETWEEN":
            query["ExpressionAttributeNames"] = {"#sort": "SK"}
        if limit := self.random.choice([None, 3, 20, 5000]):
            query["Limit"] = limit
        if self.random.random() < 0.3:
            query["FilterExpression"] = "colour = :colour"
            values[":colour"] = {"S": "red"}
        if self.random.random() < 0.3:
            query["Select"] = "COUNT"
        elif self.random.random() < 0.5:
            query["ProjectionExpression"] = "SK, colour"
        return query


def create_tables(emulator: Emulator) -> None:
    for kind in KINDS:
        emulator.client("dynamodb").create_table(
            TableName=f"random-{kind}", KeySchema=key_schema("PK", "SK"), BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": "PK", "AttributeType": "S"}, {"AttributeName": "SK", "AttributeType": kind}])


class SameAnswers(unittest.TestCase):
    def setUp(self) -> None:
        self.emulators = [self.enterContext(Emulator()), self.enterContext(Emulator(off="table_query"))]
        for emulator in self.emulators:
            create_tables(emulator)
        self.clients = [emulator.client("dynamodb") for emulator in self.emulators]

    def both(self, operation: str, request: dict) -> Any:
        mended, original = (answer(client, operation, request) for client in self.clients)
        self.assertEqual(mended, original, (operation, request))
        return mended

    def walk(self, query: dict) -> int:
        """Follows the query from page to page until it ends."""
        pages = 0
        while True:
            page = self.both("query", query)
            pages += 1
            if "LastEvaluatedKey" not in page:
                return pages
            query = {**query, "ExclusiveStartKey": page["LastEvaluatedKey"]}

    def fill(self, world: RandomTables) -> None:
        for kind in KINDS:
            for _ in range(12):
                keys = {str(key): key for key in (world.key(kind) for _ in range(20))}
                self.both("batch_write_item", {"RequestItems": {
                    f"random-{kind}": [{"PutRequest": {"Item": {**world.item(kind), **key}}} for key in keys.values()]}})

    def test_after_random_writes(self) -> None:
        world = RandomTables(1)
        self.fill(world)
        pages = 0
        for _ in range(50):
            for kind in KINDS:
                self.both(*world.operation(kind))
                pages += self.walk(world.query(kind))
        self.assertGreater(pages, 400, "the queries were to have several pages")

    def test_after_a_restart_and_after_the_tables_were_deleted_and_created_again(self) -> None:
        world = RandomTables(2)
        self.fill(world)
        for kind in KINDS:
            self.walk(world.query(kind))
        for emulator in self.emulators:
            emulator.restart()
        for _ in range(15):
            for kind in KINDS:
                self.walk(world.query(kind))
                self.both(*world.operation(kind))
        for emulator in self.emulators:
            for kind in KINDS:
                emulator.client("dynamodb").delete_table(TableName=f"random-{kind}")
            create_tables(emulator)
        for kind in KINDS:
            self.assertEqual(self.walk(world.query(kind)), 1)
        self.fill(world)
        for kind in KINDS:
            self.walk(world.query(kind))

    def test_of_a_table_restored_from_a_backup_of_an_ordered_one(self) -> None:
        world = RandomTables(3)
        self.fill(world)
        query = {"TableName": "random-S", "KeyConditionExpression": "PK = :pk", "ExpressionAttributeValues": {":pk": {"S": "a"}}}
        self.walk(query)
        for client in self.clients:
            backup = client.create_backup(TableName="random-S", BackupName="ordered")["BackupDetails"]["BackupArn"]
            client.restore_table_from_backup(TargetTableName="restored", BackupArn=backup)
        self.both("put_item", {"TableName": "restored", "Item": {"PK": {"S": "a"}, "SK": {"S": "m"}}})
        self.walk({**query, "TableName": "restored"})
        self.walk(query)

    def test_faulty_queries_are_refused_alike(self) -> None:
        self.fill(RandomTables(4))
        query = {"TableName": "random-S", "KeyConditionExpression": "PK = :pk AND SK > :sk",
                 "ExpressionAttributeValues": {":pk": {"S": "a"}, ":sk": {"S": "a"}}}
        number = {":pk": {"S": "a"}, ":sk": {"N": "1"}}
        for fault in ({"TableName": "none"}, {"ExpressionAttributeValues": number}, {"KeyConditionExpression": "SK > :sk"},
                      {"ExclusiveStartKey": {"PK": {"S": "a"}}}, {"KeyConditionExpression": "PK = :pk AND colour > :sk"},
                      {"ExclusiveStartKey": {"PK": {"S": "a"}, "SK": {"S": "Z"}}}):
            self.assertIn("Code", self.both("query", {**query, **fault}), fault)


class Order(unittest.TestCase):
    def test_pages_are_ranges_in_the_order_of_bytes(self) -> None:
        keys = [f"{letter}{number:02}" for letter in ("Z", "a", "é", "\uffff", "\U0001f600") for number in range(20)]
        self.assertEqual(keys, sorted(keys, key=str.encode))
        dynamodb = self.enterContext(Emulator()).client("dynamodb")
        dynamodb.create_table(
            TableName="letters", KeySchema=key_schema("PK", "SK"), BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("PK", "SK")])
        for key in random.Random(5).sample(keys, len(keys)):
            dynamodb.put_item(TableName="letters", Item={
                "PK": {"S": "one"}, "SK": {"S": key}, "even": {"BOOL": int(key[1:]) % 2 == 0}})

        def query(condition: str, *operands: str, **options: Any) -> dict:
            values = {":pk": {"S": "one"}, **{f":{place}": {"S": operand} for place, operand in enumerate(operands)}}
            values |= options.pop("values", {})
            return dynamodb.query(TableName="letters", KeyConditionExpression=f"PK = :pk AND {condition}",
                                  ExpressionAttributeValues=values, **options)

        def found(page: dict) -> list[str]:
            return [item["SK"]["S"] for item in page["Items"]]

        self.assertEqual(found(query("begins_with(SK, :0)", "\uffff")), keys[60:80])
        self.assertEqual(found(query("SK > :0", "é18")), keys[59:])
        self.assertEqual(found(query("SK BETWEEN :0 AND :1", "a18", "é01", ScanIndexForward=False)), keys[41:37:-1])
        page = query("SK >= :0", "a00", Limit=7, FilterExpression="even = :even", values={":even": {"BOOL": True}})
        self.assertEqual((found(page), page["ScannedCount"]), (keys[20:27:2], 7))
        page = query("SK >= :0", "a00", ScanIndexForward=False, Limit=5, ExclusiveStartKey=page["LastEvaluatedKey"])
        self.assertEqual(found(page), keys[25:20:-1])
        page = query("SK <= :0", "é00", Select="COUNT")
        self.assertEqual((page["Count"], page["ScannedCount"], page.get("Items")), (41, 41, None))


# Runs the time-to-live sweep, which normally wakes once a minute, at once.
TIME_TO_LIVE = """
import json, sys, time
sys.path.insert(0, sys.argv[1])
slow_sleep = time.sleep
time.sleep = lambda seconds: slow_sleep(min(seconds, 0.05))
from ministack.services import dynamodb
import mends
mends.apply(set(mends.NAMES) - {"table_query"})
dynamodb._create_table({"TableName": "ttl-table", "BillingMode": "PAY_PER_REQUEST",
    "KeySchema": [{"AttributeName": "PK", "KeyType": "HASH"}, {"AttributeName": "SK", "KeyType": "RANGE"}],
    "AttributeDefinitions": [{"AttributeName": name, "AttributeType": "S"} for name in ("PK", "SK")]})
dynamodb._update_ttl({"TableName": "ttl-table", "TimeToLiveSpecification": {"Enabled": True, "AttributeName": "over"}})
def query():
    body = dynamodb._query({"TableName": "ttl-table", "Limit": 3, "KeyConditionExpression": "PK = :pk",
                            "ExpressionAttributeValues": {":pk": {"S": "one"}}})[2]
    return [item["SK"]["S"] for item in json.loads(body)["Items"]]
def put(number, **more):
    dynamodb._put_item({"TableName": "ttl-table", "Item": {"PK": {"S": "one"}, "SK": {"S": f"{number:03}"}, **more}})
for number in range(60): put(number)
before = query()
for number in range(0, 60, 2): put(number, over={"N": "1"})
deadline = time.monotonic() + 10
while query() != ["001", "003", "005"] and time.monotonic() < deadline: slow_sleep(0.05)
ordered = [len(items.order) for items in dynamodb._tables["ttl-table"]["items"].values()]
print(json.dumps([before, query(), ordered]))
"""


class TimeToLive(unittest.TestCase):
    def test_items_whose_time_is_over_leave_the_partition(self) -> None:
        self.assertEqual(json.loads(run_inside(TIME_TO_LIVE).stdout.splitlines()[-1]),
                         [["000", "001", "002"], ["001", "003", "005"], [30]])


# Counts calls of functions, which are the same on every machine: of a slow one only the time is longer.
WORK = """
import cProfile, json, pstats, sys
sys.path.insert(0, sys.argv[1])
from ministack.services import dynamodb
import mends
mends.apply(set(sys.argv[2:]))
def key(name, kind): return {"AttributeName": name, "KeyType": kind}
dynamodb._create_table({"TableName": "large", "BillingMode": "PAY_PER_REQUEST", "KeySchema": [key("PK", "HASH"), key("SK", "RANGE")],
    "AttributeDefinitions": [{"AttributeName": name, "AttributeType": "S"} for name in ("PK", "SK")]})
for number in range(5000):
    dynamodb._put_item({"TableName": "large", "Item": {"PK": {"S": "one"}, "SK": {"S": f"{number:08}"}}})
query = {"TableName": "large", "Limit": 10, "KeyConditionExpression": "PK = :pk AND SK BETWEEN :low AND :high",
         "ExpressionAttributeValues": {":pk": {"S": "one"}, ":low": {"S": "00002000"}, ":high": {"S": "00002020"}}}
dynamodb._query(query)
profile = cProfile.Profile()
found = profile.runcall(dynamodb._query, query)
print(json.dumps([json.loads(found[2])["Count"], pstats.Stats(profile).total_calls]))
"""


class Work(unittest.TestCase):
    def test_ten_items_of_a_large_partition_are_a_small_part_of_the_work_without_the_mend(self) -> None:
        calls = {}
        for off in ("", "table_query"):
            count, calls[off] = json.loads(run_inside(WORK, *filter(None, [off])).stdout.splitlines()[-1])
            self.assertEqual(count, 10)
        self.assertLess(calls[""] * 5, calls["table_query"], calls)
