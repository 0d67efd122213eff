private import ProcessorSupervision
import ServiceLog
package import TaskModel

extension KeeperMachine {
    /// What a look at the folders means.
    ///
    /// What was touched a moment ago is left as it was; its own quiet time brings the next look.
    package mutating func observe(_ observation: FolderObservation, at now: MonotonicTime) -> [Action] {
        var actions = tellUnnamed(observation)
        let problems = Dictionary(
            observation.problems.compactMap { problem in problem.queue.map { ($0, problem.sentence) } },
            uniquingKeysWith: { first, _ in first })
        for queue in observation.queues.union(kept.keys).sorted() where !isUnquiet(queue, at: now) {
            if let sentence = problems[queue] {
                actions += hold(queue, sentence)
            } else if let plugin = observation.plugins[queue] {
                actions += serve(queue, plugin)
            } else if let folder = observation.masks[queue] {
                actions += mask(queue, in: folder)
            } else {
                actions += drop(queue)
            }
        }
        settle(at: now)
        return actions + publish()
    }

    /// Names that no queue can have: told once, again when they come back.
    private mutating func tellUnnamed(_ observation: FolderObservation) -> [Action] {
        let sentences = Set(observation.problems.filter { $0.queue == nil }.map(\.sentence))
        defer { toldProblems = sentences }
        return sentences.subtracting(toldProblems).sorted().map {
            .tell(KeeperNotice(.error, "plugin refused", ["cure": $0], catalog: CatalogMessage.pluginRefused))
        }
    }

    private mutating func serve(_ queue: String, _ plugin: FolderObservation.Plugin) -> [Action] {
        guard let old = kept[queue] else {
            kept[queue] = Kept(standing: .served(plugin))
            return [Self.found(plugin)] + declare(queue)
        }
        guard old.standing != .served(plugin) else { return [] }
        kept[queue]?.standing = .served(plugin)
        guard case .served(let before) = old.standing else {
            return [Self.found(plugin)] + declare(queue)
        }
        var actions: [Action] = []
        let isAnother = before.plugin != plugin.plugin || before.identity != plugin.identity
        if isAnother, before.rank == plugin.rank {
            actions.append(.tell(KeeperNotice(.notice, "plugin replaced", Self.facts(plugin))))
        } else if isAnother {
            let message = before.rank < plugin.rank ? "plugin is back" : "plugin hides another"
            actions.append(.tell(KeeperNotice(.notice, message, Self.facts(plugin))))
        }
        let saysMore = plugin.defaults != nil && plugin.defaults != before.defaults
        if saysMore || old.declaration == .due { actions += declare(queue) }
        let isOtherwise = isAnother || before.resources != plugin.resources
        if isOtherwise, old.hasWorker { actions.append(.replace(plugin)) }
        return actions
    }

    private static func found(_ plugin: FolderObservation.Plugin) -> Action {
        .tell(
            KeeperNotice(
                .notice, plugin.hides.isEmpty ? "plugin found" : "plugin found, hides another", facts(plugin))
        )
    }

    private static func facts(_ plugin: FolderObservation.Plugin) -> [String: String] {
        // Not "plugin": that is what marks a processor's own words.
        var fields = ["queue": plugin.queue, "path": plugin.path]
        if !plugin.hides.isEmpty { fields["hides"] = plugin.hides.joined(separator: ", ") }
        return fields
    }

    /// The queue exists, and nothing can serve it.
    private mutating func hold(_ queue: String, _ sentence: String) -> [Action] {
        guard kept[queue]?.standing != .held(sentence) else { return [] }
        let notice = KeeperNotice(
            .error, "plugin refused", ["queue": queue, "cure": sentence],
            catalog: CatalogMessage.pluginRefused)
        let isNew = kept[queue].map { $0.declaration == .due } ?? true
        let actions = stopWorker(of: queue)
        kept[queue, default: Kept(standing: .held(sentence))].standing = .held(sentence)
        return actions + [.tell(notice)] + (isNew ? declare(queue) : [])
    }

    /// A mask makes no queue: it keeps what is there from being served.
    private mutating func mask(_ queue: String, in folder: String) -> [Action] {
        guard kept[queue]?.standing != .masked(folder) else { return [] }
        let notice = KeeperNotice(.notice, "plugin masked", ["queue": queue, "folder": folder])
        let actions = stopWorker(of: queue)
        kept[queue, default: Kept(standing: .masked(folder))].standing = .masked(folder)
        return actions + [.tell(notice)]
    }

    private mutating func drop(_ queue: String) -> [Action] {
        guard let old = kept[queue] else { return [] }
        let actions = stopWorker(of: queue)
        kept[queue] = nil
        guard case .served = old.standing else { return actions }
        let notice = KeeperNotice(.notice, "plugin removed, its queue keeps its tasks", ["queue": queue])
        return actions + [.tell(notice)]
    }

    private mutating func stopWorker(of queue: String) -> [Action] {
        guard kept[queue]?.hasWorker == true else { return [] }
        kept[queue]?.hasWorker = false
        return [.stop(queue: queue)]
    }
}
