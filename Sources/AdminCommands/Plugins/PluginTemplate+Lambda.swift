extension PluginTemplate {
    static let lambdaHandler = #"""
        """A handler as AWS Lambda calls it for an SQS queue; put your own in its place."""
        import json


        def handle(event, context):
            for record in event["Records"]:
                payload = json.loads(record["body"])
                print("message", record["messageId"], "payload", payload)

        """#

    /// Speaks the stream protocol on one side and Lambda's calling convention on the other.
    static let lambdaRunner = #"""
        #!/usr/bin/env python3
        """Calls an AWS Lambda handler for SQS, unchanged: each task is an event with one record.

        LAMBDA_HANDLER in plugin.toml names it. Returning is an ack; raising, or a batchItemFailures
        that is not empty, is a nack; the traceback goes to stderr, whose tail the dead-letter queue keeps.
        """
        import hashlib
        import importlib
        import json
        import logging
        import os
        import sys
        import time
        import traceback
        import types
        import uuid

        QUEUE = os.environ["TASKQ_QUEUE"]
        HANDLER = os.environ.get("LAMBDA_HANDLER", "handler.handle")
        RESULT_BYTES_MAX = 16384
        LEVELS = {"CRITICAL": 3, "ERROR": 3, "WARNING": 4, "INFO": 6, "DEBUG": 7}

        # What Lambda sets and handlers look for.
        os.environ.setdefault("AWS_LAMBDA_FUNCTION_NAME", QUEUE)
        os.environ.setdefault("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
        os.environ.setdefault("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128")
        os.environ.setdefault("AWS_REGION", "us-east-1")
        os.environ.setdefault("AWS_DEFAULT_REGION", os.environ["AWS_REGION"])
        os.environ.setdefault("LAMBDA_TASK_ROOT", os.getcwd())
        FUNCTION = os.environ["AWS_LAMBDA_FUNCTION_NAME"]
        REGION = os.environ["AWS_REGION"]
        USUAL_ARN = f"arn:aws:sqs:{REGION}:000000000000:{QUEUE}.fifo"
        SOURCE_ARN = os.environ.get("LAMBDA_EVENT_SOURCE_ARN", USUAL_ARN)


        class Formatter(logging.Formatter):
            """The level as journald reads it, in front of the line."""

            def format(self, record):
                return f"<{LEVELS.get(record.levelname, 6)}>{super().format(record)}"


        class Context:
            """The object that Lambda gives to a handler beside the event."""

            def __init__(self, task):
                self.aws_request_id = task["id"]
                self.function_name = FUNCTION
                self.function_version = os.environ["AWS_LAMBDA_FUNCTION_VERSION"]
                self.invoked_function_arn = f"arn:aws:lambda:{REGION}:000000000000:function:{FUNCTION}"
                self.memory_limit_in_mb = os.environ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]
                self.log_group_name = f"/aws/lambda/{FUNCTION}"
                self.log_stream_name = f"{QUEUE}/{os.getpid()}"
                self.identity = types.SimpleNamespace(cognito_identity_id=None, cognito_identity_pool_id=None)
                self.client_context = None
                self.tenant_id = None
                self._deadline = task["deadline"]

            def get_remaining_time_in_millis(self):
                return max(0, self._deadline - int(time.time() * 1000))

            def log(self, message):
                sys.stdout.write(str(message))


        def body_of(line):
            """The payload's own characters: reading and writing it anew would change numbers."""
            mark = ',"payload":'
            start = line.index(mark) + len(mark)
            _, end = json.JSONDecoder().raw_decode(line, start)
            return line[start:end]


        def event_of(task, line):
            body = body_of(line)
            attributes = {}
            if "traceparent" in task:
                attributes["traceparent"] = {
                    "stringValue": task["traceparent"],
                    "stringListValues": [],
                    "binaryListValues": [],
                    "dataType": "String",
                }
            record = {
                "messageId": task["id"],
                "receiptHandle": f"{task['id']}/{task['attempt']}",
                "body": body,
                "attributes": {
                    "ApproximateReceiveCount": str(task["attempt"]),
                    # A UUID of version 7 begins with the milliseconds of its making.
                    "SentTimestamp": str(uuid.UUID(task["id"]).int >> 80),
                    # The order of acceptance, as many digits as SQS has: it sorts as a text, too.
                    "SequenceNumber": f"{task['sequence']:020}",
                    "MessageGroupId": task["group"],
                    "SenderId": "taskq",
                    "MessageDeduplicationId": task["id"],
                    # Of this delivery: when the first one was is not told.
                    "ApproximateFirstReceiveTimestamp": str(int(time.time() * 1000)),
                },
                "messageAttributes": attributes,
                "md5OfBody": hashlib.new("md5", body.encode(), usedforsecurity=False).hexdigest(),
                "eventSource": "aws:sqs",
                "eventSourceARN": SOURCE_ARN,
                "awsRegion": REGION,
            }
            return {"Records": [record]}


        def say(**answer):
            data = (json.dumps(answer) + "\n").encode()
            while data:
                data = data[os.write(3, data):]


        def kept(value):
            """What the handler returned, unless it is more than a task may keep."""
            text = json.dumps(value)
            if len(text) <= RESULT_BYTES_MAX:
                return value
            print(f"<4>the handler's result is dropped: {len(text)} bytes", file=sys.stderr)
            return None


        def run(handle, line):
            task = json.loads(line)
            try:
                returned = handle(event_of(task, line), Context(task))
                failures = returned.get("batchItemFailures") if isinstance(returned, dict) else None
                answer = {"nack": f"batchItemFailures: {json.dumps(failures)[:500]}"} if failures else None
                if answer is None:
                    # As in Lambda, what is returned must be JSON; NaN, which Python would write, is not.
                    json.dumps(returned, allow_nan=False)
                    answer = {"ack": True, "result": kept(returned)}
            except (Exception, SystemExit) as error:
                traceback.print_exc()
                answer = {"nack": f"{type(error).__name__}: {error}"[:500]}
            sys.stdout.flush()
            sys.stderr.flush()
            say(id=task["id"], **answer)


        def find(name):
            module, _, function = name.rpartition(".")
            if not module:
                raise SystemExit(f"LAMBDA_HANDLER is '{name}': expected module.function")
            return getattr(importlib.import_module(module.replace("/", ".")), function)


        def main():
            # The descriptors are the protocol's; whatever locale there is, the protocol is UTF-8.
            sys.stdin.reconfigure(encoding="utf-8", newline="\n")
            out = logging.StreamHandler()
            out.setFormatter(Formatter("[%(levelname)s]\t%(name)s\t%(message)s"))
            logging.getLogger().addHandler(out)
            sys.path.insert(0, os.getcwd())
            handle = find(HANDLER)
            say(ready=True, protocol=1)
            for line in sys.stdin:
                run(handle, line)


        main()

        """#
}
