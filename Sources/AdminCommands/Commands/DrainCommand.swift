import ArgumentParser
private import LinuxSystem
private import TaskModel
import WireProtocol

/// The command `taskq drain`.
struct DrainCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "drain", abstract: "Refuse a queue's posts and wait until it is empty.",
        discussion: """
            Empty means that nothing waits, is leased or is parked; dead tasks stay. Posts stay refused \
            afterwards, and also after Ctrl-C or --timeout: the same command goes on waiting, 'taskq \
            resume' takes posts again. Exit codes: 0 empty, 1 not empty within --timeout, 130 Ctrl-C.
            """)

    /// How often the queue is looked at.
    private static let lookMilliseconds: UInt64 = 250

    @OptionGroup var common: CommonOptions

    @Option(help: "Why, for 'taskq status' and the log.")
    var reason = "draining"

    @Option(help: "Give up after so many seconds.")
    var timeout: Int?

    @Argument(help: "The queue.")
    var queue: String

    func validate() throws {
        if let timeout, timeout < 0 { throw ValidationError("--timeout takes 0 or more seconds") }
    }

    func run() throws {
        var interruption = try Interruption()
        let client = try AdminClient(StateLocation.paths(option: common.state))
        let before = try client.queueStatus(queue)
        if !before.pauses.contains(.ingest) {
            try client.pause(queue, set: .ingest, clear: [], reason: reason)
        }
        let start = Clocks.monotonicNanoseconds()
        let deadline = timeout.map { start + UInt64($0) * 1_000_000_000 }
        let total = before.pending + before.leased + before.parked
        var progress = ProgressLine()
        while true {
            let status = try client.queueStatus(queue)
            let left = status.pending + status.leased + status.parked
            if left == 0 {
                progress.end()
                return tell("drained \(queue): posts are refused until 'taskq resume \(queue)'", "empty", 0)
            }
            let why = status.waitingBecause.isEmpty ? "" : ": \(status.waitingBecause)"
            progress.show("draining \(queue): \(left) of \(max(total, left)) left\(why)")
            let isOver = deadline.map { Clocks.monotonicNanoseconds() >= $0 } ?? false
            guard try isOver || interruption.wait(milliseconds: Self.lookMilliseconds) else { continue }
            progress.end()
            if common.json { tell("", isOver ? "timeout" : "interrupted", left) }
            let sentence =
                "\(queue) still holds \(left) tasks\(why); posts stay refused: the same command goes on "
                + "waiting, 'taskq resume \(queue)' takes posts again"
            throw isOver
                ? CommandFailure.failed("not empty within \(timeout ?? 0) s: \(sentence)")
                : CommandFailure.interrupted("interrupted: \(sentence)")
        }
    }

    private func tell(_ text: String, _ outcome: String, _ left: UInt64) {
        print(common.json ? #"{"queue":"\#(queue)","outcome":"\#(outcome)","left":\#(left)}"# : text)
    }
}
