"""Each statement of a batch is parsed once with the mend, twice without it."""

import json
import unittest

from tests.running import run_inside

COUNT_PARSES = """
import json, sys
sys.path.insert(0, sys.argv[1])
from ministack.services import dynamodb
parse, parses = dynamodb.parse_partiql_statement, []
dynamodb.parse_partiql_statement = lambda *arguments: parses.append(1) or parse(*arguments)
import mends
mends.apply(set(mends.NAMES) - set(sys.argv[2:]))
dynamodb._create_table({"TableName": "core", "BillingMode": "PAY_PER_REQUEST",
                        "KeySchema": [{"AttributeName": "PK", "KeyType": "HASH"}],
                        "AttributeDefinitions": [{"AttributeName": "PK", "AttributeType": "S"}]})
text = "INSERT INTO core VALUE {'PK': ?, 'number': ?}"
statements = [{"Statement": text, "Parameters": [{"S": str(number % 20)}, {"N": str(number)}]} for number in range(25)]
answers = json.loads(dynamodb._batch_execute_statement({"Statements": statements})[2])["Responses"]
stored = {key: items["__no_sort__"]["number"]["N"] for key, items in dynamodb._tables["core"]["items"].items()}
errors = [answer.get("Error", {}).get("Code") for answer in answers]
print(json.dumps({"parses": len(parses), "errors": errors, "stored": stored}))
"""


def batch_of_25(*mends: str) -> dict:
    return json.loads(run_inside(COUNT_PARSES, *mends).stdout.splitlines()[-1])


class PartiqlParsing(unittest.TestCase):
    def test_half_the_parses_and_the_same_outcome(self) -> None:
        mended, original = batch_of_25("partiql_parsing"), batch_of_25()
        self.assertEqual((mended.pop("parses"), original.pop("parses")), (25, 50))
        self.assertEqual(mended, original)
        self.assertEqual(mended["errors"], [None] * 20 + ["DuplicateItem"] * 5)
        self.assertEqual(mended["stored"], {str(number): str(number) for number in range(20)})
