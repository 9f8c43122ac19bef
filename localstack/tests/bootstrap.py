"""A function of the tests: asks the Runtime API for events until it is ended, and does what each event asks."""

import json
import os
import sys
import time
import urllib.request

API = f"http://{os.environ['AWS_LAMBDA_RUNTIME_API']}/2018-06-01/runtime/invocation"


def main() -> None:
    print("the function starts", flush=True)
    while True:
        with urllib.request.urlopen(f"{API}/next") as response:
            request = response.headers["Lambda-Runtime-Aws-Request-Id"]
            event = json.load(response)
        answer(request, handle(event))


def handle(event: dict) -> object:
    if "Records" in event:
        return {"batchItemFailures": [{"itemIdentifier": record["messageId"]} for record in event["Records"]
                                      if not accepted(record)]}
    if "print" in event:
        print(event["print"], flush=True)
    if "exit" in event:
        sys.exit(event["exit"])
    time.sleep(event.get("sleep", 0))
    if "environment" in event:
        return dict(os.environ)
    return event


def accepted(record: dict) -> bool:
    with open(os.environ["RECEIVED"], "a") as received:
        received.write(json.dumps(record) + "\n")
    asked = json.loads(record["body"]) if "body" in record else numbers(record["dynamodb"].get("NewImage", {}))
    time.sleep(asked.get("sleep", 0))
    if "exit" in asked:
        sys.exit(int(asked["exit"]))
    return not asked.get("fail")


def numbers(image: dict) -> dict[str, float]:
    return {name: float(value["N"]) for name, value in image.items() if "N" in value}


def answer(request: str, result: object) -> None:
    urllib.request.urlopen(urllib.request.Request(f"{API}/{request}/response", json.dumps(result).encode())).close()


if __name__ == "__main__":
    main()
