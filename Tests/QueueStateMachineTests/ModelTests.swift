import Foundation
import TestSupport
import Testing

/// The state machine against the reference queue, command by command.
@Suite struct ModelTests {
    /// Runs one seed; what fails is returned with the commands so far.
    static func explore(
        seed: UInt64, commands count: Int,
        tamper: @escaping (inout ReferenceQueue, ModelCommand) -> Void = { _, _ in }
    ) -> (commands: [ModelCommand], failure: ModelDisagreement)? {
        var generator = ModelGenerator(seed: seed)
        var run = ModelRun()
        run.tamper = tamper
        var commands: [ModelCommand] = []
        do {
            while commands.count < count {
                commands.append(generator.next(for: run.model))
                try run.perform(commands[commands.count - 1])
            }
            try run.drain()
            return nil
        } catch let failure as ModelDisagreement {
            return (commands, failure)
        } catch {
            preconditionFailure("a model run throws nothing else: \(error)")
        }
    }

    static func failure(
        of commands: [ModelCommand],
        tamper: @escaping (inout ReferenceQueue, ModelCommand) -> Void = { _, _ in }
    ) -> ModelDisagreement? {
        var run = ModelRun()
        run.tamper = tamper
        do {
            for command in commands { try run.perform(command) }
            try run.drain()
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
        let count = Self.setting("TASKQ_MODEL_COUNT", 300)
        StandardError.write("model: TASKQ_MODEL_SEED=\(seed) TASKQ_MODEL_COUNT=\(count)\n")
        for seed in seed..<seed + count {
            guard let found = Self.explore(seed: seed, commands: 400) else { continue }
            let shrinker = ModelShrinker { Self.failure(of: $0) }
            let commands = shrinker.shrink(found.commands)
            let failure = Self.failure(of: commands) ?? found.failure
            Issue.record(Comment(rawValue: ModelReport.text(seed: seed, commands, failure)))
            return
        }
    }
}
