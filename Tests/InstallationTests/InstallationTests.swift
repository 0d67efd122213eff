import Glibc
import TestSupport
import Testing

/// taskq as an admin installs it, on a real systemd as PID 1: `scripts/systemd-box` boots one for each story.
///
/// The stories are in boxes/, one script each; a script says what holds, sentence by sentence, and ends with
/// the unit's status and log where something does not.
@Suite(.serialized, .enabled(if: isRoot, "a systemd of one's own needs root"))
struct InstallationTests {
    @Test func anAdminEnablesPostsLooksStopsAndStarts() async throws {
        try await tell("target")
    }

    @Test func aUserOutsideARoleDoesNotReachItsSocket() async throws {
        try await tell("roles")
    }

    /// TASKQ_UNIT_KILLS kills, 12 unless it is set; `make units` sets 200.
    @Test func unitsRestartedAndKilledUnderLoadLoseNothingAndRefuseNobody() async throws {
        try await tell("restarts")
    }

    @Test func aBrokerThatHangsIsReplacedASlowOneIsNotAndADamagedJournalIsNotStartedAgain() async throws {
        try await tell("watchdog")
    }

    /// TASKQ_NOISY_LINES lines of one task, 20,000 unless it is set; `make units` sets 120,000.
    @Test func processorsThatShoutForgeAndClingDoNoHarm() async throws {
        try await tell("processors")
    }

    @Test func aPluginDroppedIntoAFolderHasAQueueAndAWorker() async throws {
        try await tell("plugins")
    }

    @Test func aTasksStoryIsToldFromJournaldAndTheRecord() async throws {
        try await tell("logs")
    }

    @Test func aPluginThatWouldFailAsAServiceIsFoundOutBefore() async throws {
        try await tell("as-service")
    }

    @Test(.enabled(if: hasMemoryController, "this machine keeps the memory controller in cgroup v1"))
    func aProcessorKilledForItsMemoryIsAnAttemptAndNotTheWorkersEnd() async throws {
        try await tell("memory")
    }

    @Test func theUnitsAreWellFormedAndAsClosedAsPromised() async throws {
        try await tell("exposure")
    }

    private func tell(_ story: String) async throws {
        let root = BuiltProducts.repositoryRoot()
        let build = BuiltProducts.folder
        let box = ProcessDescription(
            "\(root)/scripts/systemd-box",
            [
                "--keep", root, "--keep", build, "bash",
                "\(root)/Tests/InstallationTests/boxes/\(story).sh", build,
            ])
        try await ProcessFixture.with(box) { process in
            let status = try await process.end(within: .seconds(900))
            let said = process.lines.map(\.text).joined(separator: "\n")
            #expect(status == .exited(0), "\(said)")
        }
    }
}

private let isRoot = geteuid() == 0

/// Whether MemoryMax= does anything in a box: its cgroup v2 has the controllers that the host's has.
private let hasMemoryController = ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"].contains { folder in
    // ignoring: where the file is not, there is no cgroup v2.
    let lines = (try? TextFile.lines(of: "\(folder)/cgroup.controllers")) ?? []  // ignoring: as above
    return lines.joined(separator: " ").split(separator: " ").contains("memory")
}
