import PluginKeeper
import ProcessorSupervision
import TaskModel
import Testing
import WireProtocol

@Suite struct KeeperMachineTests {
    private static func at(_ milliseconds: UInt64) -> MonotonicTime {
        MonotonicTime(rawValue: milliseconds * 1_000_000)
    }

    private static func plugin(
        _ queue: String, inode: UInt64 = 1, rank: Int = 0, defaults: QueueDefaults? = QueueDefaults()
    ) -> FolderObservation.Plugin {
        let folder = "/plugins\(rank)/\(queue)"
        return FolderObservation.Plugin(
            PluginFolder.Plugin(
                queue: queue, executable: "\(folder)/processor", directory: folder, manifest: nil),
            identity: .init(device: 1, inode: inode), rank: rank, defaults: defaults)
    }

    private static func seen(_ plugins: FolderObservation.Plugin...) -> FolderObservation {
        var observation = FolderObservation()
        for plugin in plugins { observation.plugins[plugin.queue] = plugin }
        return observation
    }

    private static func without(_ queue: String, because sentence: String) -> FolderObservation {
        var observation = FolderObservation()
        observation.problems = [.init(queue: queue, sentence: sentence)]
        return observation
    }

    /// What is asked of broker and workers, without what people are told.
    private static func deeds(_ actions: [KeeperMachine.Action]) -> [KeeperMachine.Action] {
        actions.filter { if case .tell = $0 { false } else { true } }
    }

    private static func told(_ actions: [KeeperMachine.Action]) -> [String] {
        actions.compactMap { if case .tell(let notice) = $0 { notice.message } else { nil } }
    }

    /// A connected keeper whose one plugin is served.
    private static func serving(_ plugin: FolderObservation.Plugin) -> KeeperMachine {
        var machine = KeeperMachine()
        _ = machine.connected()
        _ = machine.observe(seen(plugin), at: at(0))
        _ = machine.declared(plugin.queue, problem: nil, at: at(0))
        return machine
    }

    @Test func aNewPluginIsDeclaredBeforeItsWorkerStarts() {
        var machine = KeeperMachine()
        _ = machine.connected()
        let plugin = Self.plugin("hello")
        let actions = machine.observe(Self.seen(plugin), at: Self.at(0))
        #expect(
            Self.deeds(actions) == [
                .declare(PluginDeclaration(queue: "hello", defaults: QueueDefaults())),
                .publish([PluginPresence(queue: "hello")]),
            ])
        #expect(machine.declared("hello", problem: nil, at: Self.at(1)) == [.start(plugin)])
        #expect(machine.observe(Self.seen(plugin), at: Self.at(2)) == [])
    }

    /// A line with the field "plugin" is a processor's own: its other facts are not in its text.
    @Test func whatTheKeeperSaysOfAPluginIsNotTakenForItsProcessorsWords() {
        var machine = KeeperMachine()
        _ = machine.connected()
        let notices = machine.observe(Self.seen(Self.plugin("hello")), at: Self.at(0)).compactMap { action in
            if case .tell(let notice) = action { notice } else { nil }
        }
        #expect(notices.map(\.message) == ["plugin found"])
        #expect(notices.allSatisfy { $0.fields["plugin"] == nil && $0.fields["path"] != nil })
    }

    @Test func aTouchedPluginIsLeftAloneUntilItHasBeenQuiet() {
        var machine = KeeperMachine()
        _ = machine.connected()
        machine.touched("hello", at: Self.at(0))
        machine.touched("hello", at: Self.at(400))
        #expect(machine.nextDeadline == Self.at(900))
        #expect(machine.tick(at: Self.at(899)) == [])
        let early = machine.observe(Self.seen(Self.plugin("hello")), at: Self.at(899))
        #expect(early == [])
        #expect(machine.tick(at: Self.at(900)) == [.look])
        let late = machine.observe(Self.seen(Self.plugin("hello")), at: Self.at(900))
        #expect(Self.told(late) == ["plugin found"])
        #expect(machine.nextDeadline == nil)
    }

    @Test func aPluginThatIsNeverQuietIsActedUponAllTheSame() {
        var machine = KeeperMachine()
        for time in stride(from: UInt64(0), through: 20_000, by: 100) {
            machine.touched("hello", at: Self.at(time))
        }
        #expect(machine.nextDeadline == Self.at(KeeperMachine.Delays.patience))
    }

    @Test func aRemovedPluginStopsItsWorkerAndIsNoLongerPublished() {
        var machine = Self.serving(Self.plugin("hello"))
        let actions = machine.observe(FolderObservation(), at: Self.at(1))
        #expect(Self.deeds(actions) == [.stop(queue: "hello"), .publish([])])
        #expect(Self.told(actions) == ["plugin removed, its queue keeps its tasks"])
    }

    @Test func anotherFolderUnderTheSamePathReplacesTheWorker() {
        var machine = Self.serving(Self.plugin("hello"))
        let other = Self.plugin("hello", inode: 2)
        let actions = machine.observe(Self.seen(other), at: Self.at(1))
        #expect(Self.deeds(actions) == [.replace(other)])
    }

    @Test func whatHidesTheShippedPluginTakesOverAndGivesBack() {
        let shipped = Self.plugin("hello", rank: 1)
        var machine = Self.serving(shipped)
        let own = Self.plugin("hello", inode: 2)
        let over = machine.observe(Self.seen(own), at: Self.at(1))
        #expect(Self.told(over) == ["plugin hides another"] && Self.deeds(over) == [.replace(own)])
        let back = machine.observe(Self.seen(shipped), at: Self.at(2))
        #expect(Self.told(back) == ["plugin is back"] && Self.deeds(back) == [.replace(shipped)])
    }

    @Test func twoFilesForOneQueueAreToldOnceAndNoOtherQueueNotices() {
        var machine = Self.serving(Self.plugin("hello"))
        _ = machine.observe(Self.seen(Self.plugin("hello"), Self.plugin("mail")), at: Self.at(1))
        _ = machine.declared("mail", problem: nil, at: Self.at(1))
        var observation = Self.without("hello", because: "two plugins")
        observation.plugins["mail"] = Self.plugin("mail")
        let actions = machine.observe(observation, at: Self.at(2))
        #expect(
            Self.deeds(actions) == [
                .stop(queue: "hello"),
                .publish([
                    PluginPresence(queue: "hello", problem: "two plugins"), PluginPresence(queue: "mail"),
                ]),
            ])
        #expect(Self.told(actions) == ["plugin refused"])
        #expect(machine.observe(observation, at: Self.at(3)) == [])
    }

    @Test func aQueueWhosePluginCannotBeChosenIsDeclaredAllTheSame() {
        var machine = KeeperMachine()
        _ = machine.connected()
        let actions = machine.observe(Self.without("hello", because: "two plugins"), at: Self.at(0))
        #expect(actions.contains(.declare(PluginDeclaration(queue: "hello", defaults: nil))))
        #expect(machine.declared("hello", problem: nil, at: Self.at(1)) == [])
    }

    @Test func aMaskStopsTheWorkerAndMakesNoQueueByItself() {
        var machine = Self.serving(Self.plugin("hello"))
        var observation = FolderObservation()
        observation.masks = ["hello": "/plugins0", "new": "/plugins0"]
        let actions = machine.observe(observation, at: Self.at(1))
        #expect(actions.contains(.stop(queue: "hello")))
        let declared = actions.contains { if case .declare = $0 { true } else { false } }
        #expect(!declared)
        machine.disconnected()
        let again = machine.connected().contains { if case .declare = $0 { true } else { false } }
        #expect(!again)
    }

    @Test func aRefusedQueueIsToldOnceAndAskedForAgain() {
        var machine = KeeperMachine()
        _ = machine.connected()
        _ = machine.observe(Self.seen(Self.plugin("hello")), at: Self.at(0))
        #expect(Self.told(machine.declared("hello", problem: "full", at: Self.at(0))) == ["queue refused"])
        let due = Self.at(KeeperMachine.Delays.refused)
        #expect(machine.nextDeadline == due)
        let declaration = PluginDeclaration(queue: "hello", defaults: QueueDefaults())
        #expect(machine.tick(at: due) == [.declare(declaration)])
        #expect(machine.declared("hello", problem: "full", at: due) == [])
    }

    @Test func aBrokerThatCameBackIsToldEverythingAndNoWorkerStartsTwice() {
        var machine = Self.serving(Self.plugin("hello"))
        machine.disconnected()
        #expect(
            machine.connected() == [
                .declare(PluginDeclaration(queue: "hello", defaults: QueueDefaults())),
                .publish([PluginPresence(queue: "hello")]),
            ])
        #expect(machine.declared("hello", problem: nil, at: Self.at(1)) == [])
    }

    @Test func aManifestThatBecameUnreadableChangesNothingAtTheBroker() {
        var machine = Self.serving(Self.plugin("hello"))
        let actions = machine.observe(Self.seen(Self.plugin("hello", defaults: nil)), at: Self.at(1))
        #expect(actions == [])
    }
}
