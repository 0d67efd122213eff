import AdminCommands
import TestSupport
import Testing

@Suite struct UnitPropertiesTests {
    @Test func whatConcernsTheDaemonAloneIsLeftOut() {
        let unit = """
            # /usr/lib/systemd/system/taskq-worker@.service
            [Unit]
            Description=worker of %i
            [Service]
            Type=notify
            ExecStart=/usr/libexec/taskq/taskq-worker --queue %i
            Restart=always
            StateDirectory=taskq-worker taskq-worker/%i
            User=taskq-worker
            [Install]
            WantedBy=taskq.target
            """
        #expect(UnitProperties.read(unit, instance: "mail") == ["User=taskq-worker"])
    }

    @Test func ofADropInEveryLineIsKeptInItsOrder() {
        let unit = """
            [Service]
            MemoryMax=1G
            ExecPaths=/usr /lib
            SystemCallFilter=@system-service
            SystemCallFilter=~@mount

            # /etc/systemd/system/taskq-worker@mail.service.d/more.conf
            [Service]
              MemoryMax = 2G
            ; of an admin
            ExecPaths=
            ExecPaths=/usr \\
            # between
                /srv
            """
        #expect(
            UnitProperties.read(unit, instance: "mail") == [
                "MemoryMax=1G", "ExecPaths=/usr /lib", "SystemCallFilter=@system-service",
                "SystemCallFilter=~@mount", "MemoryMax=2G", "ExecPaths=", "ExecPaths=/usr  /srv",
            ])
    }

    @Test func theInstanceIsFilledIn() {
        let unit = "[Service]\nReadWritePaths=/var/lib/x/%i\nEnvironment=A=100%% B=%h %\n"
        #expect(
            UnitProperties.read(unit, instance: "send-mail") == [
                "ReadWritePaths=/var/lib/x/send-mail", "Environment=A=100% B=%h %",
            ])
    }

    @Test func theInstalledUnitKeepsItsWholeSandbox() throws {
        let path = BuiltProducts.repositoryRoot() + "/systemd/taskq-worker@.service"
        let text = String(decoding: try TextFile.bytes(of: path), as: UTF8.self)
        let names = UnitProperties.read(text, instance: "mail").map { $0.prefix { $0 != "=" } }
        for name in [
            "User", "ProtectSystem", "ProtectHome", "PrivateTmp", "NoExecPaths", "ExecPaths", "MemoryMax",
            "TasksMax", "SystemCallFilter", "CapabilityBoundingSet", "RestrictAddressFamilies", "UMask",
        ] { #expect(names.contains { $0 == name }, "\(name) is missing from \(names)") }
        #expect(!names.contains { $0 == "ExecStart" || $0 == "Type" || $0 == "WatchdogSec" })
    }
}
