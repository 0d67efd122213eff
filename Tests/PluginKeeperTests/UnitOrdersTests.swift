import PluginKeeper
import ProcessorSupervision
import Testing

@Suite struct UnitOrdersTests {
    private static func plugin(_ queue: String, memory: UInt64? = nil) -> FolderObservation.Plugin {
        var resources = PluginResources()
        resources.memoryMaxBytes = memory
        return FolderObservation.Plugin(
            PluginFolder.Plugin(
                queue: queue, executable: "/p/\(queue)", directory: "/p", manifest: nil),
            identity: .init(device: 1, inode: 1), resources: resources)
    }

    @Test func pluginsThatComeAtOnceShareCommandsOfABoundedLength() {
        var orders = UnitOrders()
        for number in 1...150 { orders.start(Self.plugin("queue\(number)")) }
        let first = orders.next() ?? []
        #expect(first.count == 2 + UnitOrders.unitsPerCommandMax)
        #expect(Array(first.prefix(3)) == ["--no-block", "start", "taskq-worker@queue1.service"])
        #expect(orders.next()?.count == 2 + 50)
        #expect(orders.next() == nil)
    }

    @Test func limitsAreSetBeforeTheStartAndUnsetWhenTheManifestNoLongerNamesThem() {
        var orders = UnitOrders()
        orders.start(Self.plugin("mail", memory: 1 << 20))
        let unit = "taskq-worker@mail.service"
        #expect(
            orders.next() == [
                "set-property", "--runtime", unit, "MemoryMax=1048576", "TasksMax=", "CPUQuota=",
            ])
        #expect(orders.next() == ["--no-block", "start", unit])
        orders.replace(Self.plugin("mail"))
        #expect(
            orders.next() == [
                "set-property", "--runtime", unit, "MemoryMax=infinity", "TasksMax=", "CPUQuota=",
            ])
        #expect(orders.next() == ["--no-block", "try-restart", unit])
    }
}
