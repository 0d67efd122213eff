import LinuxSystem
import ProcessorSupervision
import TaskModel
import TestSupport
import Testing

/// The plugins of this very checkout, run as a worker runs them.
@Suite struct ShippedPluginTests {
    private static let plugins = BuiltProducts.repositoryRoot() + "/plugins"

    private func with(
        _ executable: String, mode: ProcessorSettings.Mode,
        _ body: @escaping @Sendable (SupervisedPlugin) throws -> Void
    ) async throws {
        try await RealProcesses.run {
            try TemporaryDirectory.with { directory in
                var settings = ProcessorSettings()
                settings.mode = mode
                settings.command = [executable]
                try body(try SupervisedPlugin(directory, "unused", settings))
            }
        }
    }

    @Test func theShellEchoPrintsItsTask() async throws {
        try await with("\(Self.plugins)/echo-sh/processor", mode: .oneshot) { plugin in
            let task = SupervisedPlugin.task("{\"a b\":1}")
            let verdict = try plugin.run(task).verdict
            #expect(verdict == .acked(result: [], resultError: ""))
            #expect(plugin.outputText == ["echo of \(task.id), attempt 1: {\"a b\":1}"])
        }
    }

    @Test func thePythonEchoAnswersWithThePayload() async throws {
        try await with("\(Self.plugins)/echo-python/processor", mode: .stream) { plugin in
            let verdict = try plugin.run(SupervisedPlugin.task("[1,\"x\"]")).verdict
            #expect(verdict == .acked(result: Array("[1, \"x\"]".utf8)[...], resultError: ""))
        }
    }

    private static let good =
        #"{"title":"t","description":"d","priority":"low","due_date":"2001-02-03T04:05:06+00:00"}"#

    @Test func theReferenceProcessorDoesATaskOnceHoweverOftenItComes() async throws {
        let executable = try BuiltProducts.path(of: "tasks-processor")
        try await with(executable, mode: .stream) { plugin in
            for attempt in 1...2 as ClosedRange<UInt32> {
                let verdict = try plugin.run(SupervisedPlugin.task(Self.good, attempt: attempt)).verdict
                #expect(verdict == .acked(result: [], resultError: ""))
            }
            #expect(plugin.outputText.count { $0.contains("done, priority low") } == 1)
            #expect(plugin.outputText.count { $0.contains("was done before") } == 1)
            // A new process knows it too.
            let next = try SupervisedPlugin(plugin.directory, "unused", plugin.supervisor.settings)
            let verdict = try next.run(SupervisedPlugin.task(Self.good)).verdict
            #expect(verdict == .acked(result: [], resultError: ""))
            #expect(next.outputText.allSatisfy { $0.contains("was done before") })
        }
    }

    @Test(arguments: [
        (#"[1]"#, "no object"), (#"{"title":""}"#, "title"), (#"{"title":"t"}"#, "description"),
        (#"{"title":"t","description":"d","priority":"urgent"}"#, "priority"),
        (#"{"title":"t","description":"d","priority":"low","due_date":7}"#, "due_date"),
        (#"{"title":"t","description":"d","priority":"low","due_date":"tomorrow"}"#, "due_date"),
    ])
    func theReferenceProcessorRejectsAnotherShape(payload: String, word: String) async throws {
        try await with(BuiltProducts.path(of: "tasks-processor"), mode: .stream) { plugin in
            guard case .dead(let reason) = try plugin.run(SupervisedPlugin.task(payload)).verdict else {
                throw TestFailure(sentence: "not rejected")
            }
            #expect(reason.contains(word))
        }
    }

    @Test func theFolderHoldsThreePlugins() throws {
        let folder = PluginFolder.scan(Self.plugins, try PluginFolder.list(Self.plugins))
        #expect(folder.plugins.map(\.queue) == ["echo-python", "echo-sh", "tasks"])
        #expect(folder.problems.isEmpty)
        #expect(folder.plugins.allSatisfy { $0.executable.hasSuffix("/processor") })
    }
}
