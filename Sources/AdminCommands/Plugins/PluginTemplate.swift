/// A folder that a new plugin starts as; it works at once.
package enum PluginTemplate {
    package enum Language: String, Hashable, Sendable, CaseIterable {
        case sh
        case python
        case swift
        case lambda
    }

    package struct File: Hashable, Sendable {
        /// Relative to the plugin's folder.
        package var name: String
        package var text: String
        package var isExecutable = false
    }

    /// The handler that a lambda plugin calls unless it is told of another.
    package static let usualHandler = "handler.handle"

    /// - Parameters:
    ///   - queue: a queue's valid name.
    ///   - handler: `package.module.function`, for `lambda` alone; with the usual one an example of it is
    ///     written too.
    package static func files(
        _ language: Language, queue: String, handler: String = usualHandler
    ) -> [File] {
        var files = [File(name: "processor", text: program(language), isExecutable: true)]
        files.append(File(name: "plugin.toml", text: manifest(language, handler)))
        files.append(File(name: "example.json", text: #"{"name":"Ada"}"# + "\n"))
        files.append(File(name: "README.md", text: readme(language, queue, handler)))
        switch language {
        case .sh, .python: break
        case .swift: files.append(File(name: "main.swift", text: swiftSource))
        case .lambda where handler == usualHandler:
            files.append(File(name: "handler.py", text: lambdaHandler))
        case .lambda: break
        }
        return files
    }

    private static func program(_ language: Language) -> String {
        switch language {
        case .sh: shell
        case .python: python
        case .swift: swiftProgram
        case .lambda: lambdaRunner
        }
    }

    private static func manifest(_ language: Language, _ handler: String) -> String {
        switch language {
        case .sh:
            "mode = \"oneshot\"  # one process a task\n# timeout = \"30s\"\n"
        case .python:
            "mode = \"stream\"   # one warm process\n# concurrency = 1\n# timeout = \"30s\"\n"
        case .swift:
            "mode = \"stream\"   # one warm process\nstart_timeout = \"10m\"  # the first start compiles\n"
        case .lambda:
            """
            mode = "stream"   # one warm process, as a warm Lambda
            # timeout = "30s"   # what get_remaining_time_in_millis() counts down

            [environment]
            LAMBDA_HANDLER = "\(handler)"
            # AWS_REGION = "eu-central-1"

            """
        }
    }

    private static func readme(_ language: Language, _ queue: String, _ handler: String) -> String {
        let start = """
            # \(queue)

            The processor of the queue `\(queue)`. `taskq plugin test` gives it `example.json` as a task:

                taskq plugin test .
                taskq plugin test . --task my.json
                taskq plugin test . --torture


            """
        switch language {
        case .sh, .python:
            return start + "`processor` is all there is to it. Settings are in `plugin.toml`.\n"
        case .swift:
            return start + """
                `processor` compiles `main.swift` when it is newer than what was compiled last, and runs it.
                Where there is no Swift compiler, put a program in its place:

                    swiftc -O main.swift -o processor

                So do before `--torture`, whose trials each begin with an empty state folder and compile anew.

                This needs a compiler and nothing else, neither a network nor taskq's source. With taskq's
                checkout at hand, `examples/swift-processor` in it is the same on the library
                `TaskProcessor`: about ten lines, decoded payloads, asynchronous handlers, no Foundation.

                """
        case .lambda:
            return start + """
                `processor` calls `\(handler)(event, context)` with one SQS record a task, as a Lambda with
                batch size 1. Put the handler's package beside it, and what it needs as for a Lambda's zip
                (`pip install -r requirements.txt -t .`), or in a `.venv`; then the first line of `processor`
                is `#!.venv/bin/python`.

                Returning is an ack. Raising is a nack, and so is a `batchItemFailures` that is not empty.
                The traceback's tail stands in the attempt's record: `taskq get ID` shows it.

                """
        }
    }
}

extension PluginTemplate {
    private static let shell = #"""
        #!/bin/sh
        # One process a task: the payload is on stdin, the exit status is the answer.
        # 0 done; 75 try again later; 65 never again; anything else failed, try again.
        set -eu
        payload=$(cat)
        echo "task $TASKQ_TASK_ID, attempt $TASKQ_ATTEMPT of $TASKQ_MAX_ATTEMPTS: $payload"

        """#

    private static let python = #"""
        #!/usr/bin/env python3
        """One warm process: a task a line on stdin, an answer a line on descriptor 3."""
        import json
        import os
        import sys
        import traceback


        def work(task):
            """Does one task; it may come again, so make its effect depend on task["id"]."""
            print("task", task["id"], "attempt", task["attempt"], "payload", task["payload"])
            return {"done": True}


        def say(**answer):
            """os.write has no buffer: the answer leaves at once."""
            os.write(3, (json.dumps(answer) + "\n").encode())


        say(ready=True, protocol=1)
        for line in sys.stdin:
            task = json.loads(line)
            try:
                say(id=task["id"], ack=True, result=work(task))
            except Exception as error:
                traceback.print_exc()
                say(id=task["id"], nack=repr(error)[:500])

        """#

    private static let swiftProgram = #"""
        #!/bin/sh
        # Compiles main.swift where that is newer than the program it became, and becomes that program.
        set -eu
        program=$TASKQ_STATE_DIR/processor
        if [ ! -x "$program" ] || [ main.swift -nt "$program" ]; then
            swiftc -O main.swift -o "$program.new"
            mv "$program.new" "$program"
        fi
        exec "$program"

        """#

    /// The same text stands in docs/processor-protocol.md; a test compares them.
    private static let swiftSource = #"""
        import Foundation

        /// What stands in a line beside the payload; members that are not named here are passed over.
        struct Delivery: Decodable {
            let id: String
            let attempt: Int
        }

        /// The payload as this processor wants it.
        struct Work: Decodable {
            struct Payload: Decodable {
                let name: String
            }
            let payload: Payload
        }

        /// Descriptor 3 without a buffer: the answer leaves at once.
        func say(_ answer: [String: Any]) throws {
            let line = try JSONSerialization.data(withJSONObject: answer) + Data("\n".utf8)
            try FileHandle(fileDescriptor: 3).write(contentsOf: line)
        }

        let decoder = JSONDecoder()
        try say(["ready": true, "protocol": 1])
        while let text = readLine() {
            let line = Data(text.utf8)
            let delivery = try decoder.decode(Delivery.self, from: line)
            do {
                let name = try decoder.decode(Work.self, from: line).payload.name
                FileHandle.standardError.write(Data("<6>hello \(name), attempt \(delivery.attempt)\n".utf8))
                try say(["id": delivery.id, "ack": true, "result": "greeted \(name)"])
            } catch let error as DecodingError {
                try say(["id": delivery.id, "dead": "\(error)"])
            }
        }

        """#
}
