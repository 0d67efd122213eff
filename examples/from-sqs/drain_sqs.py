#!/usr/bin/env python3
"""Moves what waits in an SQS queue into a file: drain_sqs.py QUEUE_URL FILE

A message is deleted from SQS only after the file with it was synced, so a run that is cut short loses
nothing: start it again, it goes on. A message may then stand in the file twice; convert_dump.py keeps one.
Stop the Lambda's event source mapping first. Needs boto3.
"""
import json
import os
import sys

import boto3

# Long polls in a row that bring nothing until the queue counts as empty.
EMPTY_POLLS = 3
VISIBILITY_SECONDS = 300


def main(url, path):
    sqs = boto3.client("sqs")
    total, empty = 0, 0
    with open(path, "a", encoding="utf-8") as dump:
        while empty < EMPTY_POLLS:
            answer = sqs.receive_message(
                QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=2, VisibilityTimeout=VISIBILITY_SECONDS,
                AttributeNames=["All"], MessageAttributeNames=["All"])
            messages = answer.get("Messages", [])
            empty = 0 if messages else empty + 1
            if not messages:
                continue
            for message in messages:
                dump.write(json.dumps(message, default=str) + "\n")
            dump.flush()
            os.fsync(dump.fileno())
            entries = [
                {"Id": str(number), "ReceiptHandle": message["ReceiptHandle"]}
                for number, message in enumerate(messages)
            ]
            failed = sqs.delete_message_batch(QueueUrl=url, Entries=entries).get("Failed", [])
            for failure in failed:
                print("not deleted, will come again:", failure.get("Message"), file=sys.stderr)
            total += len(messages)
    print(f"{total} messages in {path}")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(sys.argv[1], sys.argv[2])
