import ArgumentParser
private import WireProtocol

/// The command `taskq status`.
struct StatusCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "Show the broker and its queues.",
        discussion: "What holds a queue up stands at the end of its line.")

    @OptionGroup var common: CommonOptions

    func run() throws {
        let client = try AdminClient(StateLocation.paths(option: common.state))
        let status = try client.status()
        print(common.json ? StatusText.json(status) : StatusText.table(status), terminator: "")
    }
}
