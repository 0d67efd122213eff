#!/usr/bin/env python3
"""The way back: sends a queue's dead tasks to an SQS FIFO queue: dead_to_sqs.py QUEUE QUEUE_URL

They stay in the dead-letter queue; purge them when all is well. The task's id is the MessageDeduplicationId,
so that a second run within five minutes adds nothing. Needs boto3, and `taskq` in the PATH.
"""
import json
import subprocess
import sys

import boto3


def taskq(*words):
    return subprocess.run(["taskq", *words, "--json"], check=True, capture_output=True, text=True).stdout


def payload_of(shown):
    """The payload's own characters, which stand at the end: read and written anew, numbers change."""
    mark = ',"payload":'
    start = shown.index(mark) + len(mark)
    _, end = json.JSONDecoder().raw_decode(shown, start)
    return shown[start:end]


def main(queue, url):
    sqs = boto3.client("sqs")
    dead = json.loads(taskq("dlq", "ls", queue, "--limit", "1000000"))
    for task in dead:
        sqs.send_message(
            QueueUrl=url, MessageBody=payload_of(taskq("dlq", "show", task["task_id"])),
            MessageGroupId=task["group"], MessageDeduplicationId=task["task_id"])
    print(f"sent: {len(dead)}; when all is well: taskq dlq purge --queue {queue} --all")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(sys.argv[1], sys.argv[2])
