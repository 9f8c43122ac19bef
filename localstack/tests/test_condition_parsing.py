"""Conditions give the same result, or are refused in the same words, with their text remembered as without, and sooner."""

import json
import unittest

from tests.running import run_inside

# Evaluates every condition on every item with every set of values, twice, so that the second finds its text remembered.
EVERY = """
import itertools, json, sys
sys.path.insert(0, sys.argv[1])
from ministack.services import dynamodb
import mends
evaluate = {"original": dynamodb._evaluate_condition}
mends.apply(set(mends.NAMES) - {"condition_parsing"})
evaluate["mended"] = dynamodb._evaluate_condition
texts = ["", "  ", "a = :x", "#n = :x", "a < :x AND b > :y", "a BETWEEN :x AND :y", "NOT (a = :x OR b = :y)", "a IN (:x, :y)",
         "attribute_exists(a.b)", "attribute_not_exists(b[1])", "attribute_type(a, :x)", "begins_with(a, :x)",
         "contains(a, :x)", "contains(a, a)", "contains(#n, #n)", "size(a) > :y", "((a = :x))", "a = ", "a = :x AND", "name = :x",
         "a BETWEEN :y AND :x", "a between :x and :y or b = :x", "a.b[0].c = :x", "a = :missing", "a = b", "a <> :x", "a ? :x",
         "begins_with(b, :y)", "a[x] = :x", None, 5]
items = [{}, {"a": {"S": "x"}, "b": {"N": "2"}}, {"a": {"M": {"b": {"L": [{"M": {"c": {"S": "x"}}}]}}}, "b": {"L": []}},
         {"a": {"N": "1"}, "b": {"S": "y"}}, {"a": {"SS": ["x", "y"]}, "b": {"B": "YQ=="}}]
values = [{":x": {"S": "x"}, ":y": {"S": "y"}}, {":x": {"N": "1"}, ":y": {"N": "2"}}, {":x": {"S": "S"}, ":y": {"N": "0"}},
          {":x": {"S": "y"}, ":y": {"S": "x"}}, {}, None]
names = [{"#n": "a"}, {"#n": "b"}, {}]
def outcome(which, *arguments):
    try:
        return repr(evaluate[which](*arguments))
    except Exception as error:
        return repr(error)
slots = [(), ("FilterExpression",), ("KeyConditionExpression",)]
different, outcomes = [], set()
for text, item, value, name, slot in itertools.product(texts, items, values, names, slots):
    original = outcome("original", text, item, value, name, *slot)
    outcomes.add(original)
    for _ in range(2):
        mended = outcome("mended", text, item, value, name, *slot)
        if mended != original:
            different.append([text, item, value, name, slot, original, mended])
print(json.dumps([different, len(outcomes)]))
"""

# Counts how often the text of a filter is checked while a query examines a hundred items.
CHECKS = """
import json, sys
sys.path.insert(0, sys.argv[1])
from ministack.services import dynamodb
import mends
mends.apply(set(mends.NAMES) - set(sys.argv[2:]))
dynamodb._create_table({"TableName": "counted", "BillingMode": "PAY_PER_REQUEST",
    "KeySchema": [{"AttributeName": "PK", "KeyType": "HASH"}, {"AttributeName": "SK", "KeyType": "RANGE"}],
    "AttributeDefinitions": [{"AttributeName": name, "AttributeType": "S"} for name in ("PK", "SK")]})
for number in range(100):
    dynamodb._put_item({"TableName": "counted", "Item": {"PK": {"S": "one"}, "SK": {"S": f"{number:03}"}}})
checks = 0
check = dynamodb._condition_syntax_error
def counted(text, slot):
    global checks
    checks += slot == "FilterExpression"
    return check(text, slot)
dynamodb._condition_syntax_error = counted
answers = [json.loads(dynamodb._query({"TableName": "counted", "KeyConditionExpression": "PK = :pk", "FilterExpression": "SK <> :sk",
    "ExpressionAttributeValues": {":pk": {"S": "one"}, ":sk": {"S": sk}}})[2])["Count"] for sk in ("005", "none")]
print(json.dumps([checks, answers]))
"""


class SameResults(unittest.TestCase):
    def test_of_every_condition(self) -> None:
        different, outcomes = json.loads(run_inside(EVERY).stdout.splitlines()[-1])
        self.assertEqual(different, [])
        self.assertGreater(outcomes, 15, "the conditions were to have many results")


class Checks(unittest.TestCase):
    def checks(self, applied: str) -> list:
        return json.loads(run_inside(CHECKS, applied).stdout.splitlines()[-1])

    def test_a_filter_is_checked_once_for_all_items(self) -> None:
        self.assertEqual(self.checks("condition_parsing"), [1, [99, 100]])

    def test_without_the_mend_it_is_checked_for_every_item(self) -> None:
        self.assertEqual(self.checks("table_query"), [200, [99, 100]])
