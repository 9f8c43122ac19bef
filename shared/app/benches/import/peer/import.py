"""A plain importer: reads a list with csv, checks it with phonenumbers, and writes it with boto3's batch writer. It keeps no audit.

Usage: import.py FILE ENDPOINT TABLE. Prints what it took as one object of JSON.
"""

import csv
import hashlib
import hmac
import json
import re
import resource
import sys
import time
import unicodedata

import boto3
import phonenumbers
from botocore.config import Config

TENANT = "peer"
KEY = b"a key that is as long as it should be"
EMAIL = re.compile(r"[^@\s]+@[a-z0-9-]+(\.[a-z0-9-]+)+")
POSTAL_CODE = re.compile(r"([ABCEGHJ-NPRSTVXY]\d[A-Z]) ?(\d[A-Z]\d)")


def phone_of(text):
    """The number in E.164 and its country; none when it doesn't exist."""
    try:
        number = phonenumbers.parse(text, "CA")
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164), phonenumbers.region_code_for_number(number)


def item_of(row, counts):
    """The item of a row; none when its number doesn't exist."""
    phone = phone_of(row["phone"].strip())
    if phone is None:
        counts["failed"] += 1
        return None
    number, country = phone
    email = unicodedata.normalize("NFC", row["email"].strip()).lower()
    postal_code = POSTAL_CODE.fullmatch(row["postal code"].strip().upper())
    slot = hmac.new(KEY, number.encode(), hashlib.sha256).hexdigest()[:26]
    item = {
        "PK": f"T#{TENANT}#C#{slot}",
        "SK": "CONTACT",
        "GSI1PK": f"T#{TENANT}#CONTACTS#{slot[0]}",
        "GSI1SK": slot,
        "GSI2PK": f"T#{TENANT}#WORK#{slot[0]}",
        "GSI2SK": f"America/Toronto#{slot}",
        "type": "contact",
        "phone": number,
        "country": country,
        "version": 1,
        "created_at": counts["begun"],
        "status": "new",
    }
    if EMAIL.fullmatch(email):
        item["email"] = email
    else:
        counts["warned"] += 1
        item["attributes"] = {"email": row["email"].strip()}
    if postal_code:
        item["postal_code"] = " ".join(postal_code.groups())
    for column in ("name", "address", "city", "region", "source"):
        value = row[column].strip()
        if value:
            item[column] = value
    counts["slots"].add(slot)
    return item


def main(path, endpoint, table_name):
    config = Config(retries={"max_attempts": 3, "mode": "standard"})
    credentials = {"aws_access_key_id": "test", "aws_secret_access_key": "test", "region_name": "ca-central-1"}
    table = boto3.resource("dynamodb", endpoint_url=endpoint, config=config, **credentials).Table(table_name)
    counts = {"failed": 0, "warned": 0, "slots": set(), "begun": int(time.time() * 1000)}
    # The interpreter's start and the loading of its modules are left out, to its advantage.
    begun, used = time.monotonic(), time.process_time()
    with open(path, encoding="utf-8", newline="") as file, table.batch_writer(overwrite_by_pkeys=["PK", "SK"]) as batch:
        for row in csv.DictReader(file):
            item = item_of(row, counts)
            if item is not None:
                batch.put_item(Item=item)
    taken = {
        "seconds": time.monotonic() - begun,
        "processor_seconds": time.process_time() - used,
        "most_memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "contacts": len(counts["slots"]),
        "failed": counts["failed"],
        "warned": counts["warned"],
    }
    json.dump(taken, sys.stdout)


if __name__ == "__main__":
    main(*sys.argv[1:])
