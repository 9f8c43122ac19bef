"""Queries of an index answer the same with the mend as without it, and fast."""

import json
import random
import time
import unittest
from typing import Any

from botocore.exceptions import ClientError

from tests.running import Emulator, key_schema, run_inside

KEYS = {"PK": "S", "SK": "S", "string": "S", "number": "N", "binary": "B", "group": "S"}
INDEXES = {"by-string": ("group", "string"), "by-number": ("group", "number"), "by-binary": ("group", "binary"),
           "by-group": ("group", None), "local": ("PK", "number")}
OPTIONAL = ("string", "number", "binary", "group")
GROUPS = ("a", "b")
OPERATORS = ("=", "<", "<=", ">", ">=", "BETWEEN", "begins_with", "reversed", "none")


class RandomTable:
    """Draws operations and queries from a small world, so that ties, overwrites and empty pages are common."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def value(self, attribute: str) -> dict:
        match KEYS[attribute]:
            case "N":
                return {"N": self.random.choice(["0", "-1", "-1.5", "2", "10", "9", "1e3", "0.0001", "12345678901234567890"])}
            case "B":
                return {"B": self.random.choice([b"\x00", b"a", b"a\xff", b"ab", b"\xff", b"\xff\xff", b"b"])}
        if attribute == "group":
            return {"S": self.random.choice(GROUPS)}
        strings = ["a", "aa", "ab", "b", "é", "\U0010ffff", "a\U0010ffff", "a\U0010ffffz", "Z", "z"]
        return {"S": self.random.choice(strings)}

    def key(self) -> dict:
        return {"PK": self.value("PK"), "SK": self.value("SK")}

    def item(self) -> dict:
        optional = {name: self.value(name) for name in OPTIONAL if self.random.random() < 0.85}
        size = self.random.choice([10, 10, 10, 10, 60_000])
        return {**self.key(), **optional, "payload": {"S": "x" * size}}

    def operation(self) -> tuple[str, dict]:
        match self.random.choice(["put", "put", "put", "update", "unset", "delete", "batch", "transaction", "insert"]):
            case "put":
                return "put_item", {"TableName": "random", "Item": self.item()}
            case "update":
                name = self.random.choice(OPTIONAL)
                return "update_item", {
                    "TableName": "random", "Key": self.key(), "UpdateExpression": "SET #name = :value",
                    "ExpressionAttributeNames": {"#name": name}, "ExpressionAttributeValues": {":value": self.value(name)}}
            case "unset":
                return "update_item", {
                    "TableName": "random", "Key": self.key(), "UpdateExpression": "REMOVE #name",
                    "ExpressionAttributeNames": {"#name": self.random.choice(OPTIONAL)}}
            case "delete":
                return "delete_item", {"TableName": "random", "Key": self.key()}
            case "batch":
                return "batch_write_item", {"RequestItems": {"random": [{"PutRequest": {"Item": self.item()}}]}}
            case "transaction":
                puts = [{"Put": {"TableName": "random", "Item": item}} for item in (self.item(), self.item())]
                return "transact_write_items", {"TransactItems": puts}
            case _:
                item = self.item()
                fields = ", ".join(f"'{name}': ?" for name in item)
                return "execute_statement", {"Statement": f'INSERT INTO "random" VALUE {{{fields}}}',
                                             "Parameters": list(item.values())}

    def query(self) -> dict:
        index = self.random.choice(list(INDEXES))
        partition, sort = INDEXES[index]
        values = {":partition": self.value(partition)}
        condition = "#partition = :partition"
        names = {"#partition": partition}
        operator = self.random.choice(OPERATORS) if sort else "none"
        if operator == "begins_with" and KEYS[sort] == "N":
            operator = "none"
        if operator != "none":
            names["#sort"] = sort
            values[":low"] = self.value(sort)
            if operator == "BETWEEN":
                values[":high"] = self.value(sort)
            condition += " AND " + {
                "BETWEEN": "#sort BETWEEN :low AND :high",
                "begins_with": "begins_with(#sort, :low)",
                "reversed": ":low = #sort",
            }.get(operator, f"(#sort {operator} :low)")
        query = {"TableName": "random", "IndexName": index, "KeyConditionExpression": condition,
                 "ExpressionAttributeNames": names, "ExpressionAttributeValues": values,
                 "ScanIndexForward": self.random.random() < 0.5}
        if limit := self.random.choice([None, 1, 2, 3, 7, 5000]):
            query["Limit"] = limit
        if self.random.random() < 0.2:
            query["FilterExpression"] = "attribute_exists(#filtered)"
            names["#filtered"] = self.random.choice(["string", "binary"])
        if self.random.random() < 0.2:
            query["Select"] = "COUNT"
        return query


def create_random_table(emulator: Emulator) -> None:
    definitions = [{"AttributeName": name, "AttributeType": kind} for name, kind in KEYS.items()]
    projection = {"by-string": {"ProjectionType": "KEYS_ONLY"},
                  "by-number": {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["string"]}}
    indexes = [{"IndexName": name, "KeySchema": key_schema(*keys),
                "Projection": projection.get(name, {"ProjectionType": "ALL"})} for name, keys in INDEXES.items()]
    emulator.client("dynamodb").create_table(
        TableName="random", AttributeDefinitions=definitions, KeySchema=key_schema("PK", "SK"),
        BillingMode="PAY_PER_REQUEST",
        GlobalSecondaryIndexes=[index for index in indexes if index["IndexName"] != "local"],
        LocalSecondaryIndexes=[index for index in indexes if index["IndexName"] == "local"])


def answer(dynamodb: Any, operation: str, request: dict) -> Any:
    """What the operation returns, or how it fails, less what differs from call to call."""
    try:
        response = getattr(dynamodb, operation)(**request)
    except ClientError as error:
        return error.response["Error"]
    response.pop("ResponseMetadata")
    return response


class SameAnswers(unittest.TestCase):
    def setUp(self) -> None:
        self.emulators = [self.enterContext(Emulator()), self.enterContext(Emulator(off="index_query"))]
        for emulator in self.emulators:
            create_random_table(emulator)
        self.clients = [emulator.client("dynamodb") for emulator in self.emulators]

    def both(self, operation: str, request: dict) -> Any:
        mended, original = (answer(client, operation, request) for client in self.clients)
        self.assertEqual(mended, original, (operation, request))
        return mended

    def walk(self, query: dict) -> int:
        """Follows the query from page to page, from a cursor of either emulator, until it ends."""
        pages = 0
        while True:
            page = self.both("query", query)
            pages += 1
            if "LastEvaluatedKey" not in page:
                return pages
            query = {**query, "ExclusiveStartKey": page["LastEvaluatedKey"]}

    def test_after_random_writes(self) -> None:
        for seed in range(3):
            world = RandomTable(seed)
            pages = 0
            for _ in range(120):
                self.both(*world.operation())
                pages += self.walk(world.query())
            self.assertGreater(pages, 200, "the queries were to have several pages")

    def test_after_a_restart_and_after_the_table_was_deleted_and_created_again(self) -> None:
        world = RandomTable(7)
        for _ in range(60):
            self.both(*world.operation())
        self.walk(world.query())
        for emulator in self.emulators:
            emulator.restart()
        for _ in range(40):
            self.both(*world.operation())
            self.walk(world.query())
        for emulator in self.emulators:
            emulator.client("dynamodb").delete_table(TableName="random")
            create_random_table(emulator)
        for _ in range(40):
            self.walk(world.query())
            self.both(*world.operation())

    def test_after_a_cancelled_partiql_transaction(self) -> None:
        world = RandomTable(9)
        for _ in range(60):
            self.both(*world.operation())
        self.walk(world.query())
        item = world.item()
        statement = {"Statement": "INSERT INTO \"random\" VALUE {'PK': ?, 'SK': ?, 'group': 'a', 'string': 'a'}",
                     "Parameters": [{"S": "new"}, item["SK"]]}
        self.both("execute_transaction", {"TransactStatements": [statement, statement]})
        for _ in range(40):
            self.walk(world.query())

    def test_after_an_index_was_added_and_removed(self) -> None:
        world = RandomTable(11)
        for _ in range(60):
            self.both(*world.operation())
        self.walk(world.query())
        added = {"TableName": "random", "IndexName": "added", "KeyConditionExpression": "SK = :sk",
                 "ExpressionAttributeValues": {":sk": {"S": "a"}}}
        self.both("query", added)
        for update in ({"Create": {"IndexName": "added", "KeySchema": key_schema("SK", "string"),
                                   "Projection": {"ProjectionType": "ALL"}}}, {"Delete": {"IndexName": "added"}}):
            for client in self.clients:
                client.update_table(
                    TableName="random", GlobalSecondaryIndexUpdates=[update],
                    AttributeDefinitions=[{"AttributeName": name, "AttributeType": kind} for name, kind in KEYS.items()])
            for _ in range(20):
                self.both(*world.operation())
                self.both("query", added)
                self.walk(world.query())


# Runs the time-to-live sweep, which normally wakes once a minute, at once.
TIME_TO_LIVE = """
import json, sys, time
sys.path.insert(0, sys.argv[1])
slow_sleep = time.sleep
time.sleep = lambda seconds: slow_sleep(min(seconds, 0.05))
from ministack.services import dynamodb
import mends
mends.apply(set(mends.NAMES) - {"index_query"})
def key(name, kind): return {"AttributeName": name, "KeyType": kind}
dynamodb._create_table({"TableName": "ttl-table", "BillingMode": "PAY_PER_REQUEST", "KeySchema": [key("PK", "HASH")],
    "AttributeDefinitions": [{"AttributeName": name, "AttributeType": "S"} for name in ("PK", "shelf", "place")],
    "GlobalSecondaryIndexes": [{"IndexName": "by-shelf", "KeySchema": [key("shelf", "HASH"), key("place", "RANGE")],
                                "Projection": {"ProjectionType": "ALL"}}]})
dynamodb._update_ttl({"TableName": "ttl-table", "TimeToLiveSpecification": {"Enabled": True, "AttributeName": "over"}})
def query():
    body = dynamodb._query({"TableName": "ttl-table", "IndexName": "by-shelf", "Limit": 3,
        "KeyConditionExpression": "shelf = :shelf", "ExpressionAttributeValues": {":shelf": {"S": "one"}}})[2]
    return [item["PK"]["S"] for item in json.loads(body)["Items"]]
for number in range(6):
    expiry = {"over": {"N": "1"}} if number % 2 == 0 else {}
    dynamodb._put_item({"TableName": "ttl-table", "Item": {"PK": {"S": str(number)}, "shelf": {"S": "one"},
                                                           "place": {"S": str(number)}, **expiry}})
    if number == 0: query()
deadline = time.monotonic() + 10
while query() != ["1", "3", "5"] and time.monotonic() < deadline: slow_sleep(0.05)
print(json.dumps(query()))
"""


class TimeToLive(unittest.TestCase):
    def test_items_whose_time_is_over_leave_the_index(self) -> None:
        self.assertEqual(json.loads(run_inside(TIME_TO_LIVE).stdout.splitlines()[-1]), ["1", "3", "5"])


# Counts calls of functions, which are the same on every machine: of a slow one only the time is longer.
WORK = """
import cProfile, json, pstats, sys
sys.path.insert(0, sys.argv[1])
from ministack.services import dynamodb
import mends
mends.apply(set(sys.argv[2:]))
def key(name, kind): return {"AttributeName": name, "KeyType": kind}
dynamodb._create_table({"TableName": "large", "BillingMode": "PAY_PER_REQUEST", "KeySchema": [key("PK", "HASH")],
    "AttributeDefinitions": [{"AttributeName": name, "AttributeType": "S"} for name in ("PK", "shelf", "place")],
    "GlobalSecondaryIndexes": [{"IndexName": "by-shelf", "KeySchema": [key("shelf", "HASH"), key("place", "RANGE")],
                                "Projection": {"ProjectionType": "ALL"}}]})
for number in range(5000):
    dynamodb._put_item({"TableName": "large", "Item": {"PK": {"S": str(number)}, "shelf": {"S": "one"}, "place": {"S": f"{number:08}"}}})
query = {"TableName": "large", "IndexName": "by-shelf", "Limit": 10, "KeyConditionExpression": "shelf = :shelf AND place > :after",
         "ExpressionAttributeValues": {":shelf": {"S": "one"}, ":after": {"S": "00002000"}}}
dynamodb._query(query)
profile = cProfile.Profile()
found = profile.runcall(dynamodb._query, query)
print(json.dumps([json.loads(found[2])["Count"], pstats.Stats(profile).total_calls]))
"""


class Work(unittest.TestCase):
    def test_ten_entries_of_a_large_partition_are_a_small_part_of_the_work_without_the_mend(self) -> None:
        calls = {}
        for off in ("", "index_query"):
            count, calls[off] = json.loads(run_inside(WORK, *filter(None, [off])).stdout.splitlines()[-1])
            self.assertEqual(count, 10)
        self.assertLess(calls[""] * 5, calls["index_query"], calls)
