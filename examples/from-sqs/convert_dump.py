#!/usr/bin/env python3
"""Makes what `taskq put --ndjson` posts of a dump of SQS messages: convert_dump.py DUMP FOLDER

DUMP holds SQS messages as JSON: one a line, as drain_sqs.py writes them, or answers of `aws sqs
receive-message`. FOLDER gets a file for each MessageGroupId, its bodies in the order of their SequenceNumber,
and groups.tsv with file, number of tasks and group. A message that stands in the dump twice is taken once.
A body that is no JSON becomes a JSON text, and is counted.
"""
import json
import os
import sys


def messages_of(path):
    """Every JSON value of the file, whatever stands between them."""
    with open(path, encoding="utf-8") as file:
        text = file.read()
    decoder, place = json.JSONDecoder(), 0
    while place < len(text):
        if text[place].isspace():
            place += 1
            continue
        value, place = decoder.raw_decode(text, place)
        yield from value.get("Messages", []) if "Body" not in value else [value]


def line_of(body):
    """The body on one line, otherwise as it is; and whether it was JSON."""
    try:
        json.loads(body)
    except ValueError:
        return json.dumps(body, ensure_ascii=False), False
    # Inside of JSON an end of line can only stand between tokens.
    return body.replace("\r", " ").replace("\n", " "), True


def main(dump, folder):
    groups, seen, texts = {}, set(), 0
    for message in messages_of(dump):
        if message["MessageId"] in seen:
            continue
        seen.add(message["MessageId"])
        attributes = message.get("Attributes", {})
        line, is_json = line_of(message["Body"])
        texts += not is_json
        order = int(attributes.get("SequenceNumber", 0)), int(attributes.get("SentTimestamp", 0))
        groups.setdefault(attributes.get("MessageGroupId", ""), []).append((order, line))
    os.makedirs(folder)
    with open(f"{folder}/groups.tsv", "w", encoding="utf-8") as index:
        for number, (group, tasks) in enumerate(sorted(groups.items()), start=1):
            tasks.sort(key=lambda task: task[0])
            name = f"{number:06}.ndjson"
            with open(f"{folder}/{name}", "w", encoding="utf-8") as file:
                file.writelines(line + "\n" for _, line in tasks)
            index.write(f"{name}\t{len(tasks)}\t{group}\n")
    print(f"{len(seen)} tasks in {len(groups)} groups; {texts} bodies were no JSON")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(sys.argv[1], sys.argv[2])
