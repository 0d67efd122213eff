import AdminCommands
import Configuration
import Glibc
import ProcessorSupervision
import TestSupport

/// Plugins written by a test and run as `taskq plugin test` runs them.
enum RehearsedPlugin {
    /// Writes a plugin's folder.
    @discardableResult
    static func write(
        _ script: String, manifest: String? = nil, to directory: TemporaryDirectory, queue: String = "mail"
    ) throws -> PluginFolder.Plugin {
        try directory.write(script, to: "plugins/\(queue)/processor", mode: 0o755)
        if let manifest { try directory.write(manifest, to: "plugins/\(queue)/plugin.toml") }
        return PluginFolder.Plugin(queue: queue, at: directory.path("plugins/\(queue)"))
    }

    static func run(
        _ script: String, manifest: String? = nil, payload: String = "{\"n\":1}",
        as origin: PluginUnderTest.Origin? = nil
    ) async throws -> RehearsalReport {
        let report = SharedList<RehearsalReport>()
        try await RealProcesses.run {
            try TemporaryDirectory.with { directory in
                let plugin = try write(script, manifest: manifest, to: directory)
                report.append(
                    try RehearsalReport.running(
                        Array(payload.utf8), through: plugin, ServiceConfiguration(), as: origin))
            }
        }
        guard let only = report.values.first else { throw TestSupportError.noAddress(line: "no report") }
        return only
    }

    /// Runs `taskq`, on a thread that may have children.
    static func taskq(_ arguments: [String]) async throws -> Int32 {
        let codes = SharedList<Int32>()
        try await RealProcesses.run { codes.append(AdminProgram.run(arguments)) }
        return codes.values.first ?? -1
    }
}

extension RehearsalReport {
    var verdict: AttemptVerdict? {
        if case .attempted(let attempt) = ending { attempt.verdict } else { nil }
    }
    var exit: ProcessorSupervision.ExitStatus? {
        if case .attempted(let attempt) = ending { attempt.exit } else { nil }
    }
}
