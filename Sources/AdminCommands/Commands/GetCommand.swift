import ArgumentParser
import TaskModel
private import WireProtocol

/// The command `taskq get ID`.
struct GetCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "get", abstract: "Show one task with its attempts and its result.",
        discussion: "Exit code 4 where the broker knows no such task.")

    @OptionGroup var common: CommonOptions

    @Option(name: .customLong("wait"), help: "Wait this many seconds for the task's end, at most 30.")
    var waitSeconds: UInt32 = 0

    @Argument(help: "The task's id.")
    var id: String

    func validate() throws {
        guard TaskID(id) != nil else { throw ValidationError("'\(id)' is not a task's id, which is a UUID") }
        guard waitSeconds <= UInt32(Limits.waitSecondsMax) else {
            throw ValidationError("--wait takes at most \(Limits.waitSecondsMax) seconds")
        }
    }

    func run() throws {
        guard let task = TaskID(id) else { return }
        let client = try AdminClient(StateLocation.paths(option: common.state))
        switch try client.lookup(task, waitMilliseconds: waitSeconds * 1_000) {
        case .found(let view):
            print(try common.json ? TaskText.json(view) : TaskText.text(view), terminator: "")
        case .unknown: throw CommandFailure.notFound("there is no task \(task)")
        case .forgotten:
            throw CommandFailure.notFound("task \(task) has finished and is forgotten, or never was")
        case .tooManyWaiters: throw CommandFailure.failed("too many requests wait at the broker")
        }
    }
}
