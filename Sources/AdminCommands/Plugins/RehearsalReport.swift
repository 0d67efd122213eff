package import Configuration
private import LinuxSystem
package import ProcessorSupervision

/// What came of running one payload through a plugin.
package struct RehearsalReport: Sendable {
    /// Lines of output that are kept, the last ones.
    package static let linesMax = 200

    /// The verdict, the exit status and the time; or why it does not start.
    package var ending: PluginRehearsal.Ending
    /// Of stdout and stderr, in the order in which they were read; at most ``linesMax``.
    package var lines: [OutputLine]
    /// Lines in all, those included that are not kept.
    package var lineCount: UInt64
    /// What a worker would log beside the output.
    package var notices: [String]

    package var isAcked: Bool { ending.isAcked }

    /// Lines of one stream, as the log would show them.
    package func text(of source: OutputLine.Source) -> [String] {
        lines.filter { $0.source == source }.map { String(decoding: $0.text, as: UTF8.self) }
    }
}

extension RehearsalReport {
    /// Runs one payload through a plugin as a worker would: the same checks, limits and environment, a real
    /// process, and its end.
    ///
    /// Neither a queue nor the plugin's own state is touched: its `TASKQ_STATE_DIR` is empty and goes away.
    /// Whatever else the plugin does, it does.
    ///
    /// - Parameters:
    ///   - payload: JSON.
    ///   - origin: the task whose payload it is; nil is a new one.
    ///   - heard: gets each line of output as it comes.
    package static func running(
        _ payload: [UInt8], through plugin: PluginFolder.Plugin, _ configuration: ServiceConfiguration,
        as origin: PluginUnderTest.Origin? = nil,
        hearing heard: @escaping (OutputLine) -> Void = { _ in }
    ) throws(CommandFailure) -> RehearsalReport {
        do {
            return try ScratchFolder.with { state in
                let subject = PluginUnderTest(
                    plugin, configuration, variables: ProcessEnvironment.variables(), stateDirectory: state)
                return try subject.rehearse(try subject.task(payload, as: origin), hearing: heard)
            }
        } catch let failure as CommandFailure {
            throw failure
        } catch {
            throw .failed("the plugin cannot be run: \(error)")
        }
    }
}
