"""The saved state is the same with the mend as without it, and written with much less work."""

import json
import unittest

from tests.running import run_inside

SAVE = """
import cProfile, json, pstats, sys
sys.path.insert(0, sys.argv[1])
from ministack.core import persistence
from ministack.services import dynamodb
import mends
mends.apply(set(mends.NAMES) - set(sys.argv[2:]))
dynamodb._create_table({"TableName": "core", "BillingMode": "PAY_PER_REQUEST",
                        "KeySchema": [{"AttributeName": "PK", "KeyType": "HASH"}],
                        "AttributeDefinitions": [{"AttributeName": "PK", "AttributeType": "S"}]})
for number in range(2000):
    item = {f"attribute-{position}": {"M": {"inner": {"S": f"é {number}"}}} for position in range(20)}
    dynamodb._put_item({"TableName": "core", "Item": {"PK": {"S": str(number)}, **item}})
table = dynamodb._tables["core"]
for name in ("CreationDateTime", "TableId"):
    table[name] = 1
profile = cProfile.Profile()
profile.runcall(persistence.save_all, {"dynamodb": dynamodb.get_state})
print(pstats.Stats(profile).total_calls)
print(open(persistence.STATE_DIR + "/dynamodb.json").read())
"""


def save(*mends: str) -> tuple[int, dict]:
    calls, state = run_inside(SAVE, *mends).stdout.splitlines()[-2:]
    return int(calls), json.loads(state)


class QuickSaving(unittest.TestCase):
    def test_the_same_state_with_less_than_half_the_work(self) -> None:
        (quick, state), (slow, original) = save("quick_saving"), save()
        self.assertEqual(state, original)
        self.assertLess(quick * 2, slow)
