package import TaskModel

/// How an attempt ended.
package enum AttemptVerdict: Hashable, Sendable {
    /// Done.
    ///
    /// A result over its limit is dropped, and `resultError` says so; both may be empty.
    case acked(result: ArraySlice<UInt8>, resultError: String)
    /// Counted; to be tried again after the queue's back-off, or the processor's own delay.
    case failed(AttemptOutcome, reason: String, retryAfterMilliseconds: UInt64?)
    /// Counted; no retry will help.
    case dead(reason: String)
    /// Not the task's fault: a stop, or a processor that cannot start.
    ///
    /// To be given back uncounted.
    case released
}

package struct FinishedAttempt: Hashable, Sendable {
    package var task: ProcessorTask.Label
    package var verdict: AttemptVerdict
    package var durationMilliseconds: UInt64
    /// How the process ended; nil where it lives on.
    package var exit: ExitStatus?
    /// The last bytes written to stderr during the attempt, at most ``AttemptRecord/stderrBytesMax``.
    package var stderrTail: ArraySlice<UInt8>

    package init(
        task: ProcessorTask.Label, verdict: AttemptVerdict, durationMilliseconds: UInt64,
        exit: ExitStatus? = nil, stderrTail: ArraySlice<UInt8>
    ) {
        self.task = task
        self.verdict = verdict
        self.durationMilliseconds = durationMilliseconds
        self.exit = exit
        self.stderrTail = stderrTail
    }
}
