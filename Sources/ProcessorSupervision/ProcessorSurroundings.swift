package import TaskModel

/// The environment that every processor of a worker gets; nothing else is passed on.
package struct ProcessorSurroundings: Hashable, Sendable {
    package static let usualSearchPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

    package var searchPath = usualSearchPath
    /// Nil leaves TZ unset: the machine's own zone.
    package var timeZone: String?
    package var home = "/"
    package var temporaryDirectory = "/tmp"
    package var credentialsDirectory: String?
    /// Where `taskq put` posts to; empty leaves it unset.
    package var url = ""

    package init() {}

    /// `NAME=value` for a processor.
    ///
    /// The manifest may set anything but the names that taskq gives a meaning to.
    ///
    /// - Parameter marker: tells leftover processes of one processor from another's.
    package func environment(adding manifest: [String: String], queue: String, marker: String) -> [String] {
        var values = [
            "PATH": searchPath,
            "LANG": "C.UTF-8",
            "HOME": home,
            "TASKQ_STATE_DIR": home,
            "TMPDIR": temporaryDirectory,
            "PYTHONUNBUFFERED": "1",
        ]
        values["TZ"] = timeZone
        values["CREDENTIALS_DIRECTORY"] = credentialsDirectory
        if !url.isEmpty { values["TASKQ_URL"] = url }
        for (name, value) in manifest { values[name] = value }
        values["TASKQ_QUEUE"] = queue
        values["TASKQ_FD"] = "3"
        values["TASKQ_PROCESSOR"] = marker
        return values.keys.sorted().compactMap { name in values[name].map { "\(name)=\($0)" } }
    }

    /// What a oneshot processor learns of its task beside the payload.
    package static func variables(of task: ProcessorTask, deadline: WallTime) -> [String] {
        var variables = [
            "TASKQ_TASK_ID=\(task.id)",
            "TASKQ_GROUP=\(task.label.group)",
            "TASKQ_SEQUENCE=\(task.sequence.rawValue)",
            "TASKQ_ATTEMPT=\(task.label.attempt)",
            "TASKQ_MAX_ATTEMPTS=\(task.maxAttempts)",
            "TASKQ_DEADLINE=\(deadline.rawValue)",
        ]
        if let traceContext = task.traceContext { variables.append("TRACEPARENT=\(traceContext)") }
        return variables
    }
}
