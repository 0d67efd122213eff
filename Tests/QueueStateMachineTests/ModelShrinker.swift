/// Makes a failing list of commands as short and as plain as it can.
struct ModelShrinker {
    /// Runs a list and says where it fails, if it does.
    let failure: ([ModelCommand]) -> ModelDisagreement?

    /// The list must fail.
    func shrink(_ commands: [ModelCommand]) -> [ModelCommand] {
        var best = cut(commands)
        while true {
            let smaller = simplified(withoutSingles(withoutChunks(best)))
            if smaller == best { return best }
            best = smaller
        }
    }

    /// What comes after the failure has no part in it.
    private func cut(_ commands: [ModelCommand]) -> [ModelCommand] {
        guard let step = failure(commands)?.step else { return commands }
        return Array(commands.prefix(step + 1))
    }

    private func withoutChunks(_ commands: [ModelCommand]) -> [ModelCommand] {
        var best = commands
        var size = best.count / 2
        while size > 1 {
            best = without(chunksOf: size, best)
            size /= 2
        }
        return best
    }

    private func withoutSingles(_ commands: [ModelCommand]) -> [ModelCommand] {
        without(chunksOf: 1, commands)
    }

    /// From the end on, because what is late depends on what is early.
    private func without(chunksOf size: Int, _ commands: [ModelCommand]) -> [ModelCommand] {
        var best = commands
        var end = best.count
        while end > 0 {
            let start = max(0, end - size)
            let fewer = Array(best[..<start] + best[min(end, best.count)...])
            if failure(fewer) != nil { best = cut(fewer) }
            end = min(start, best.count)
        }
        return best
    }

    private func simplified(_ commands: [ModelCommand]) -> [ModelCommand] {
        var best = commands
        for index in best.indices {
            var isTrying = true
            while isTrying {
                isTrying = false
                for plainer in best[index].plainer {
                    var candidate = best
                    candidate[index] = plainer
                    guard let step = failure(candidate)?.step, step == best.count - 1 || step == best.count
                    else { continue }
                    best = candidate
                    isTrying = true
                    break
                }
            }
        }
        return best
    }
}

extension ModelCommand {
    /// The same command with one value made plainer, in every way there is.
    var plainer: [ModelCommand] {
        switch self {
        case .declare(let queue, let rules): return rules.plainer.map { .declare(queue, $0) }
        case .post(let number, let queue, let group, let key, let body):
            return [
                queue == "tasks" ? nil : .post(number, "tasks", group: group, key: key, body: body),
                group.isEmpty ? nil : .post(number, queue, group: "", key: key, body: body),
                key == nil ? nil : .post(number, queue, group: group, key: nil, body: body),
                body == 0 ? nil : .post(number, queue, group: group, key: key, body: 0),
            ].compactMap(\.self)
        case .connect(let name, let queue, let session, let credit, let holding):
            return [
                session == 1 ? nil : .connect(name, queue, session: 1, credit: credit, holding: holding),
                credit == 1 ? nil : .connect(name, queue, session: session, credit: 1, holding: holding),
            ].compactMap(\.self)
                + holding.indices.map { index in
                    var fewer = holding
                    fewer.remove(at: index)
                    return .connect(name, queue, session: session, credit: credit, holding: fewer)
                }
        case .credit(let name, let credit): return credit > 1 ? [.credit(name, 1)] : []
        case .deliver(let count): return count > 1 ? [.deliver(1)] : []
        case .settle(let number, .nack(let after?), let earlier) where after != 0:
            return [
                .settle(number, .nack(after: 0), earlier: earlier),
                .settle(number, .nack(after: nil), earlier: earlier),
            ]
        case .settle(let number, .nack(nil), let earlier):
            return [.settle(number, .nack(after: 0), earlier: earlier)]
        case .advance(let time): return time > 250 ? [.advance(250), .advance(time / 500 * 250)] : []
        case .redrive(let number, .some): return [.redrive(number, body: nil)]
        case .restart(sameBoot: false): return [.restart(sameBoot: true)]
        case .settle, .disconnect, .workerDied, .renew, .upkeep, .cancel, .redrive, .purge, .retryParked,
            .giveUpParked, .pause, .resume, .deleteQueue, .checkpoint, .restart, .move:
            return []
        }
    }
}

extension ModelRules {
    fileprivate var plainer: [ModelRules] {
        let plain = ModelRules()
        func with(_ change: (inout ModelRules) -> Void) -> ModelRules? {
            var changed = self
            change(&changed)
            return changed == self ? nil : changed
        }
        return [
            with { $0.attempts = plain.attempts }, with { $0.exhausted = plain.exhausted },
            with { $0.lease = plain.lease }, with { $0.retry = plain.retry },
            with { $0.retention = plain.retention }, with { $0.window = plain.window },
            with { $0.history = plain.history }, with { $0.depth = plain.depth },
            with { $0.ownGroups = plain.ownGroups },
        ].compactMap(\.self)
    }
}
