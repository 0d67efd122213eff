import ServiceLog
package import TaskModel
package import WireProtocol

/// What is to be done about the plugin folders: which queues to declare, which workers to start, replace and
/// stop, and what to tell people.
///
/// Pure: observations, the broker's words and the time come in, actions go out.
///
/// A worker is started only when its queue is declared: it would be refused before. A change is acted upon
/// when nothing has touched the plugin for a moment, so that one which is still being copied is left alone.
package struct KeeperMachine: Sendable {
    package enum Action: Hashable, Sendable {
        /// Look at the folders and ``observe(_:at:)``.
        case look
        case declare(PluginDeclaration)
        case publish([PluginPresence])
        case start(FolderObservation.Plugin)
        /// Another plugin serves the queue from now on: the worker ends its task in hand and makes room.
        case replace(FolderObservation.Plugin)
        case stop(queue: String)
        case tell(KeeperNotice)
    }

    /// All in milliseconds.
    package enum Delays {
        /// A plugin is acted upon when it has been quiet for so long.
        package static let quiet: UInt64 = 500
        /// One that something writes to without end is acted upon all the same.
        package static let patience: UInt64 = 5_000
        /// A queue that the broker refused is declared again after this.
        package static let refused: UInt64 = 10_000
    }

    enum Standing: Hashable, Sendable {
        case served(FolderObservation.Plugin)
        /// Something is there, and nothing can serve the queue; one sentence says why.
        case held(String)
        /// Whatever is there is hidden by a mask in this folder; a mask alone makes no queue.
        case masked(String)
    }

    enum Declaration: Hashable, Sendable {
        /// To be said when there is a broker.
        case due
        case asked
        case done
        case refused(until: MonotonicTime)
    }

    struct Kept: Sendable {
        var standing: Standing
        var declaration = Declaration.due
        /// The last refusal that was told.
        var toldRefusal = ""
        var hasWorker = false
    }

    private struct Unrest: Sendable {
        let since: MonotonicTime
        var until: MonotonicTime
    }

    var kept: [String: Kept] = [:]
    var toldProblems: Set<String> = []
    var published: [PluginPresence]?
    var isConnected = false
    /// Queues that something touched a moment ago.
    private var unrest: [String: Unrest] = [:]
    /// When the folders are to be looked at whatever was touched.
    private var lookAt: MonotonicTime?

    package init() {}

    /// Something in a plugin changed.
    package mutating func touched(_ queue: String, at now: MonotonicTime) {
        let since = unrest[queue]?.since ?? now
        let until = min(
            now.advanced(byMilliseconds: Delays.quiet), since.advanced(byMilliseconds: Delays.patience))
        unrest[queue] = Unrest(since: since, until: until)
    }

    /// The folders are to be looked at as a whole: events were lost, or they cannot be watched.
    package mutating func suspected(lookingAt time: MonotonicTime) {
        lookAt = min(lookAt ?? time, time)
    }

    /// When ``tick(at:)`` has something to do; nil if only events can.
    package var nextDeadline: MonotonicTime? {
        let refusals = kept.values.compactMap { kept -> MonotonicTime? in
            if case .refused(let until) = kept.declaration, isConnected { until } else { nil }
        }
        return (unrest.values.map(\.until) + refusals + [lookAt].compactMap { $0 }).min()
    }

    package mutating func tick(at now: MonotonicTime) -> [Action] {
        var actions: [Action] = []
        if let lookAt, lookAt <= now {
            self.lookAt = nil
            actions.append(.look)
        } else if unrest.values.contains(where: { $0.until <= now }) {
            actions.append(.look)
        }
        guard isConnected else { return actions }
        for queue in kept.keys.sorted() {
            guard case .refused(let until)? = kept[queue]?.declaration, until <= now else { continue }
            actions += declare(queue)
        }
        return actions
    }

    /// Whether something touched the queue a moment ago, so that it is to be left alone.
    mutating func isUnquiet(_ queue: String, at now: MonotonicTime) -> Bool {
        guard let until = unrest[queue]?.until else { return false }
        return until > now
    }

    mutating func settle(at now: MonotonicTime) {
        unrest = unrest.filter { $0.value.until > now }
    }

    // The broker.

    /// A broker has welcomed the keeper: it is told everything.
    package mutating func connected() -> [Action] {
        isConnected = true
        published = nil
        return kept.keys.sorted().flatMap { declare($0) } + publish()
    }

    package mutating func disconnected() {
        isConnected = false
        for queue in kept.keys where kept[queue]?.declaration == .asked { kept[queue]?.declaration = .due }
    }

    /// The broker's answer to a declaration.
    package mutating func declared(_ queue: String, problem: String?, at now: MonotonicTime) -> [Action] {
        guard kept[queue] != nil else { return [] }
        if let problem {
            kept[queue]?.declaration = .refused(until: now.advanced(byMilliseconds: Delays.refused))
            guard kept[queue]?.toldRefusal != problem else { return [] }
            kept[queue]?.toldRefusal = problem
            return [
                .tell(
                    KeeperNotice(
                        .error, "queue refused", ["queue": queue, "reason": problem],
                        catalog: CatalogMessage.queueRefused))
            ]
        }
        kept[queue]?.declaration = .done
        kept[queue]?.toldRefusal = ""
        return startWorker(of: queue)
    }

    mutating func declare(_ queue: String) -> [Action] {
        guard let standing = kept[queue]?.standing else { return [] }
        var defaults: QueueDefaults?
        switch standing {
        case .masked: return []
        case .held: break
        case .served(let plugin): defaults = plugin.defaults
        }
        kept[queue]?.declaration = isConnected ? .asked : .due
        return isConnected ? [.declare(PluginDeclaration(queue: queue, defaults: defaults))] : []
    }

    mutating func startWorker(of queue: String) -> [Action] {
        guard let entry = kept[queue], !entry.hasWorker, entry.declaration == .done,
            case .served(let plugin) = entry.standing
        else { return [] }
        kept[queue]?.hasWorker = true
        return [.start(plugin)]
    }

    /// Tells the broker which queues have a plugin, if that is another list than before.
    mutating func publish() -> [Action] {
        guard isConnected else { return [] }
        let presences = kept.keys.sorted().prefix(Limits.queuesMax).map { queue in
            switch kept[queue]?.standing {
            case .served, nil: PluginPresence(queue: queue)
            case .held(let sentence): PluginPresence(queue: queue, problem: Self.cut(sentence))
            case .masked(let folder):
                PluginPresence(queue: queue, problem: Self.cut("no plugin: masked in \(folder)"))
            }
        }
        guard presences != published else { return [] }
        published = presences
        return [.publish(presences)]
    }

    /// To what a message takes, at a character's end.
    private static func cut(_ sentence: String) -> String {
        var text = sentence
        while text.utf8.count > PluginPresence.problemBytesMax { text.removeLast() }
        return text
    }
}
