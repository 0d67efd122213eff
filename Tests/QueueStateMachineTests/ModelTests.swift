import Foundation
import TestSupport
import Testing

/// The state machine against the reference queue, command by command.
///
/// `TASKQ_MODEL_SEED` is the first seed, `TASKQ_MODEL_COUNT` how many follow each other; a failure prints the
/// list that is left of it, to be pasted into ``ModelFindingsTests``.
@Suite struct ModelTests {
    /// Runs one seed; what fails is returned with the commands so far.
    static func explore(
        seed: UInt64, commands count: Int, tamper: @escaping ModelRun.Tampering = { _, _ in }
    ) -> (commands: [ModelCommand], failure: ModelDisagreement)? {
        var generator = ModelGenerator(seed: seed)
        var run = ModelRun(looksEvery: 16, tamper: tamper)
        var commands: [ModelCommand] = []
        let failure = disagreement {
            while commands.count < count {
                commands.append(generator.next(for: run.model))
                try run.perform(commands[commands.count - 1])
            }
            try run.drain()
        }
        return failure.map { (commands, $0) }
    }

    static func disagreement(_ body: () throws -> Void) -> ModelDisagreement? {
        do {
            try body()
            return nil
        } catch let failure as ModelDisagreement {
            return failure
        } catch {
            preconditionFailure("a model run throws nothing else: \(error)")
        }
    }

    private static func setting(_ name: String, _ otherwise: UInt64) -> UInt64 {
        ProcessInfo.processInfo.environment[name].flatMap { UInt64($0) } ?? otherwise
    }

    @Test func theMachineDoesWhatTheReferenceSays() {
        let seed = Self.setting("TASKQ_MODEL_SEED", 1)
        let count = Self.setting("TASKQ_MODEL_COUNT", 100)
        StandardError.write("model: TASKQ_MODEL_SEED=\(seed) TASKQ_MODEL_COUNT=\(count)\n")
        for seed in seed..<seed + count {
            guard let found = Self.explore(seed: seed, commands: 400) else { continue }
            let shrinker = ModelShrinker { commands in Self.disagreement { try ModelRun.run(commands) } }
            let commands = shrinker.shrink(found.commands)
            let failure = shrinker.failure(commands) ?? found.failure
            Issue.record(Comment(rawValue: ModelReport.text(seed: seed, commands, failure)))
            return
        }
    }

    struct WrongReference: Sendable, CustomTestStringConvertible {
        let testDescription: String
        /// The longest list that may be left of it.
        let commandsMax: Int
        let tamper: @Sendable (inout ReferenceQueue, ModelCommand) -> Void
    }

    /// One rule of the reference broken at a time.
    static let wrongReferences: [WrongReference] = [
        WrongReference(testDescription: "a nacked task goes to the tail", commandsMax: 6) { model, command in
            guard case .settle(let number, .nack, _) = command, let index = model.index(number) else {
                return
            }
            model.tasks.append(model.tasks.remove(at: index))
        },
        WrongReference(testDescription: "a release counts", commandsMax: 4) { model, command in
            guard case .settle(let number, .release, _) = command, let index = model.index(number) else {
                return
            }
            if model.tasks[index].releasesInARow == 1 { model.tasks[index].receives = 1 }
        },
        WrongReference(testDescription: "a second ack is stale", commandsMax: 5) { model, command in
            guard case .settle(_, .ack, _) = command else { return }
            for index in model.finished.indices { model.finished[index].task.receipt = 0 }
        },
        WrongReference(testDescription: "a restart forgets the keys", commandsMax: 3) { model, command in
            if case .restart = command { model.keys = [] }
        },
        WrongReference(testDescription: "a restart forgets a back-off", commandsMax: 6) { model, command in
            guard case .restart = command else { return }
            for index in model.tasks.indices { model.tasks[index].retryAt = nil }
        },
        WrongReference(testDescription: "a redriven task keeps its count", commandsMax: 5) { model, command in
            guard case .redrive(let number, _) = command, let index = model.index(number) else { return }
            model.tasks[index].receives = 1
        },
        WrongReference(testDescription: "a purge is not counted", commandsMax: 6) { model, command in
            if case .purge = command { model.counts["purged tasks"] = 0 }
        },
        WrongReference(testDescription: "a deletion forgets the counters", commandsMax: 6) { model, command in
            if case .deleteQueue(let queue, _) = command, !model.exists.contains(queue) { model.counts = [:] }
        },
        WrongReference(testDescription: "a queue that ends its halt keeps counts", commandsMax: 8) {
            model, command in
            guard case .resume = command else { return }
            for index in model.tasks.indices where model.tasks[index].state == .pending {
                model.tasks[index].receives = max(1, model.tasks[index].receives)
            }
        },
    ]

    /// The test of the test: what is wrong is found, and little is left of the way to it.
    @Test(arguments: wrongReferences) func aWrongReferenceIsFoundAndShrunk(wrong: WrongReference) throws {
        let found = (1...UInt64(100)).lazy.compactMap {
            Self.explore(seed: $0, commands: 400, tamper: wrong.tamper)
        }.first
        let shrinker = ModelShrinker { commands in
            Self.disagreement { try ModelRun.run(commands, tamper: wrong.tamper) }
        }
        let commands = shrinker.shrink(try #require(found).commands)
        #expect(commands.count <= wrong.commandsMax, Comment(rawValue: ModelReport.list(commands)))
        #expect(shrinker.failure(commands) != nil, "what is left fails still")
        #expect(
            Self.disagreement { try ModelRun.run(commands) } == nil, "and it is the reference that is wrong")
    }
}
