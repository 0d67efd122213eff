import ArgumentParser
import Configuration
private import LinuxSystem
private import ProcessorSupervision
private import TaskModel
import WireProtocol

/// The command `taskq dlq retry ID --here`.
struct RetryHereCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "retry", abstract: "Run a dead task's payload through its plugin, in this terminal.",
        discussion: """
            The processor is real and does what it does; the queue is not touched: the task stays dead. On a \
            terminal you are asked afterwards whether to redrive it. Exit codes: 0 acked, 1 not, 4 no such \
            dead task or no plugin.
            """)

    @OptionGroup var common: CommonOptions
    @OptionGroup var places: PluginPlaces

    @Flag(help: "Yes, here: without it, see 'taskq dlq redrive'.")
    var here = false

    @Option(name: .customLong("config"), help: "The configuration (config/dev.toml where that exists).")
    var config: String?

    @Argument(help: "The task's id.")
    var id: TaskIDArgument

    func validate() throws {
        guard here else {
            throw ValidationError(
                "--here runs the task in this terminal; 'taskq dlq redrive ID' puts it back on its queue")
        }
    }

    func run() throws {
        let client = try AdminClient(StateLocation.paths(option: common.state))
        guard case .found(let view) = try client.lookup(id.id), view.state == .deadLettered,
            let payload = try client.payload(of: id.id)
        else { throw CommandFailure.notFound("task \(id.id) is in no dead-letter queue") }
        let plugin = try places.plugin(of: view.queue)
        let isText = !common.json
        let report = try RehearsalReport.running(
            payload, through: plugin, try PluginTestCommand.loadConfiguration(config),
            as: PluginUnderTest.Origin(
                id: view.id, group: view.group, attempt: view.receives + 1, sequence: view.sequence)
        ) { line in
            if isText { print(PluginVerdictText.text(line), terminator: "") }
        }
        if common.json {
            print(
                PluginVerdictText.json(report, [("task_id", view.id.description), ("queue", view.queue)]),
                terminator: "")
        } else {
            print(PluginVerdictText.text(report), terminator: "")
            try offerRedrive(client, after: report)
        }
        if !report.isAcked { throw ExitStatusRequest(code: 1) }
    }

    private func offerRedrive(
        _ client: AdminClient, after report: RehearsalReport
    ) throws(CommandFailure) {
        guard Question.canBeAsked else { return }
        let words = report.isAcked ? "" : " all the same"
        guard Question.isYes("It is still dead. Redrive it\(words)?") else { return }
        let outcome = try client.act(.redrive, on: [id.id]).first ?? .unknown
        guard outcome == .done else {
            throw .failed("task \(id.id) was not redriven: \(outcome.sentence)")
        }
        print("redriven: 1")
    }
}
