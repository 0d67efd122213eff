/// Where the daemons meet: the installed places, or everything under one folder.
package struct StatePaths: Hashable, Sendable {
    /// Nil: the installed places.
    package var state: String?

    /// The folder is taken as it is written, so that a relative one keeps socket paths short.
    package init(state: String? = nil) {
        self.state = state
    }

    package var runDirectory: String { state.map { "\($0)/run" } ?? "/run/taskq" }
    package var journalDirectory: String { state.map { "\($0)/journal" } ?? "/var/lib/taskq/journal" }

    /// One socket a role; the folder's group decides who may connect.
    package var ingestSocket: String { "\(runDirectory)/ingest/ingest.sock" }
    package var workerSocket: String { "\(runDirectory)/worker/worker.sock" }
    package var adminSocket: String { "\(runDirectory)/admin/admin.sock" }

    /// A processor's HOME and TASKQ_STATE_DIR.
    package func processorDirectory(queue: String) -> String {
        state.map { "\($0)/worker/\(queue)" } ?? "/var/lib/taskq-worker/\(queue)"
    }
}
