"""Eight requests at once make one user of an address."""

import json
import unittest

from tests.running import run_inside

# The time between looking for the user and making one, in which the others look too, is stretched.
CREATE_AT_ONCE = """
import json, sys, threading, time
sys.path.insert(0, sys.argv[1])
from ministack.services import cognito
import mends
mends.apply(set(mends.NAMES) - set(sys.argv[2:]))
invent = cognito._generate_temp_password
cognito._generate_temp_password = lambda: time.sleep(0.1) or invent()
_, _, body = cognito._create_user_pool({"PoolName": "users", "UsernameAttributes": ["email"]})
pool = json.loads(body)["UserPool"]["Id"]
statuses = []

def create():
    statuses.append(cognito._admin_create_user({"UserPoolId": pool, "Username": "ada@example.com"})[0])

threads = [threading.Thread(target=create) for _ in range(8)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(json.dumps({"made": statuses.count(200), "refused": statuses.count(400), "users": len(cognito._user_pools[pool]["_users"])}))
"""


def eight_at_once(*mends: str) -> dict:
    return json.loads(run_inside(CREATE_AT_ONCE, *mends).stdout.splitlines()[-1])


class UserCreation(unittest.TestCase):
    def test_one_is_made_and_seven_are_told(self) -> None:
        self.assertEqual(eight_at_once("user_creation"), {"made": 1, "refused": 7, "users": 1})


class WithoutTheMend(unittest.TestCase):
    def test_there_are_several_users_of_one_address(self) -> None:
        self.assertEqual(eight_at_once(), {"made": 8, "refused": 0, "users": 8})
