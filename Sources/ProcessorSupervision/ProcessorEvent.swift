package import TaskModel

/// What the supervisor tells its worker.
package enum ProcessorEvent: Hashable, Sendable {
    /// The attempt that was assigned to the slot is over, and the slot may be free again.
    case finished(slot: Int, FinishedAttempt)
    /// From 0 to 1, as the processor says.
    case progress(TaskID, share: Double)
    /// The processor cannot start; the sentence names the cure.
    ///
    /// Told again when the sentence changes.
    case stalled(StartProblem)
    /// Nothing can be seen to stand against a start any more, but only a task can tell: one is wanted.
    case probing
    /// It starts again.
    case unstalled
    /// `plugin.toml` is another than at the start.
    case manifestChanged
    /// Nothing to act on; for the log.
    case notice(ProcessorNotice)
}

package struct ProcessorNotice: Hashable, Sendable {
    package var sentence: String
    package var pid: Int32?
    package var task: ProcessorTask.Label?

    package init(sentence: String, pid: Int32? = nil, task: ProcessorTask.Label? = nil) {
        self.sentence = sentence
        self.pid = pid
        self.task = task
    }
}
