import TaskModel

/// What may hold of a queue's settings, and its pauses.
final class QueueTermsKnown {
    struct Pause {
        /// The broker has said so.
        var isCertain: Bool
        /// The turn whose replies said it.
        let at: Int
    }

    private let configured: QueueSettings
    private(set) var leaseMost: UInt64
    private(set) var attemptsLeast: UInt32
    private(set) var attemptsMost: UInt32
    private(set) var windowLeast: UInt64
    private(set) var windowMost: UInt64
    private(set) var retention: UInt64
    private(set) var history: UInt64
    private(set) var depthLeast: UInt64
    private(set) var depthMost: UInt64
    private(set) var mayPark: Bool
    private(set) var mayDeadLetter: Bool
    let ownGroups: Bool
    var presence = Presence()
    /// The shortest lease that may be in force now, milliseconds.
    private(set) var leaseNow: UInt64
    /// Declarations of this life without an answer.
    private var declarations = 0
    var pausedAt: [QueuePauses: Pause] = [:]
    /// The turn in which a pause was last asked to end.
    var resumedInTurn = 0

    init(_ settings: QueueSettings) {
        configured = settings
        (leaseMost, leaseNow) = (settings.leaseMilliseconds, settings.leaseMilliseconds)
        (attemptsLeast, attemptsMost) = (settings.maxAttempts, settings.maxAttempts)
        (windowLeast, windowMost) = (settings.dedupWindowMilliseconds, settings.dedupWindowMilliseconds)
        (depthLeast, depthMost) = (settings.maxDepth, settings.maxDepth)
        retention = settings.retentionMilliseconds
        history = settings.historyMilliseconds
        mayPark = settings.onExhausted != .deadLetter
        mayDeadLetter = settings.onExhausted == .deadLetter
        ownGroups = settings.defaultGroup == .task
    }

    /// The broker was asked for these settings: they may hold from now on.
    func asked(for settings: QueueSettings) {
        declarations += 1
        leaseNow = min(leaseNow, settings.leaseMilliseconds)
        leaseMost = max(leaseMost, settings.leaseMilliseconds)
        attemptsLeast = min(attemptsLeast, settings.maxAttempts)
        attemptsMost = max(attemptsMost, settings.maxAttempts)
        windowLeast = min(windowLeast, settings.dedupWindowMilliseconds)
        windowMost = max(windowMost, settings.dedupWindowMilliseconds)
        retention = min(retention, settings.retentionMilliseconds)
        history = min(history, settings.historyMilliseconds)
        depthLeast = min(depthLeast, settings.maxDepth)
        depthMost = max(depthMost, settings.maxDepth)
        if settings.onExhausted == .deadLetter { mayDeadLetter = true } else { mayPark = true }
    }

    /// These settings are in force, unless others were asked for meanwhile.
    func declared(_ settings: QueueSettings) {
        declarations = max(0, declarations - 1)
        if declarations == 0 { leaseNow = settings.leaseMilliseconds }
    }

    /// A start declares what is configured.
    ///
    /// - Parameter isCertain: false where a full disk may have kept it from that.
    func began(isCertain: Bool) {
        declarations = 0
        leaseNow = isCertain ? configured.leaseMilliseconds : min(leaseNow, configured.leaseMilliseconds)
    }
}
