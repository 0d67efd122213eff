// swift-tools-version: 6.2
import PackageDescription

/// One set of rules for every Swift target: strict concurrency, internal imports, and no warning survives.
let strict: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .treatAllWarnings(as: .error),
]

let nio = Target.Dependency.product(name: "NIOCore", package: "swift-nio")
let nioPosix = Target.Dependency.product(name: "NIOPosix", package: "swift-nio")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let arguments = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")

func module(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: strict)
}

func tests(of name: String, _ dependencies: [Target.Dependency] = [], exclude: [String] = []) -> Target {
    .testTarget(
        name: "\(name)Tests",
        dependencies: [.target(name: name), "TestSupport"] + dependencies,
        exclude: exclude,
        swiftSettings: strict
    )
}

func daemon(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .executableTarget(name: name, dependencies: dependencies, swiftSettings: strict)
}

let seams: [Target] = [
    .target(name: "CChecksum"),
    .target(name: "CLinux"),
    .target(name: "CSpawn"),
    .target(name: "CToml"),
    .systemLibrary(name: "CSystemd", providers: [.apt(["libsystemd-dev"])]),
]

let pure: [Target] = [
    module("BinaryCoding"),
    module("TaskModel", ["BinaryCoding"]),
    module("TaskValidation", ["TaskModel"]),
    module("WireProtocol", ["BinaryCoding", "TaskModel"]),
    module("QueueStateMachine", ["TaskModel"]),
    module("ZMTP"),
]

let mechanisms: [Target] = [
    module("LinuxSystem", ["CLinux"]),
    module("Journal", ["BinaryCoding", "CChecksum", "CLinux", "TaskModel"]),
    module("ZeroMQ", ["LinuxSystem", "ZMTP"]),
    module("Systemd", ["CSystemd", "LinuxSystem"]),
    module("ServiceLog", ["LinuxSystem", "Systemd", logging]),
    module("ProcessorSupervision", ["CSpawn", "LinuxSystem", "TaskModel", "TaskValidation"]),
    module("Configuration", ["CToml", "LinuxSystem", "TaskModel"]),
]

let shells: [Target] = [
    module("ServiceProgram", ["Configuration", "LinuxSystem", "ServiceLog", "Systemd", logging]),
    module(
        "BrokerDaemon",
        [
            "BinaryCoding", "Configuration", "Journal", "LinuxSystem", "QueueStateMachine", "ServiceLog",
            "ServiceProgram", "Systemd", "TaskModel", "WireProtocol", "ZeroMQ", logging,
        ]
    ),
    module(
        "IngestDaemon",
        [
            "BinaryCoding", "Configuration", "LinuxSystem", "ServiceLog", "ServiceProgram", "Systemd",
            "TaskModel", "TaskValidation", "WireProtocol", "ZMTP", logging, nio, nioPosix,
        ]
    ),
    module(
        "WorkerDaemon",
        [
            "Configuration", "LinuxSystem", "ProcessorSupervision", "ServiceLog", "ServiceProgram", "Systemd",
            "TaskModel", "WireProtocol", "ZeroMQ", logging,
        ]
    ),
    module(
        "PluginKeeper",
        [
            "Configuration", "LinuxSystem", "ProcessorSupervision", "ServiceLog", "ServiceProgram", "Systemd",
            "TaskModel", "WireProtocol", "ZeroMQ", logging,
        ]
    ),
    module(
        "AdminCommands",
        [
            "Configuration", "Journal", "LinuxSystem", "PluginKeeper", "ProcessorSupervision", "ServiceLog",
            "TaskModel", "TaskValidation", "WireProtocol", "ZeroMQ", arguments, logging,
        ]
    ),
    module("TaskProcessor", ["LinuxSystem", "TaskModel", "TaskValidation"]),
]

let executables: [Target] = [
    daemon("taskq-broker", ["BrokerDaemon"]),
    daemon("taskq-ingest", ["IngestDaemon"]),
    daemon("taskq-worker", ["WorkerDaemon"]),
    daemon("taskq-plugins", ["PluginKeeper"]),
    daemon("taskq", ["AdminCommands"]),
    .executableTarget(
        name: "tasks-processor", dependencies: ["TaskProcessor"], path: "plugins/tasks/Sources",
        swiftSettings: strict),
]

let testTargets: [Target] = [
    .target(name: "TestSupport", path: "Tests/TestSupport", swiftSettings: strict),
    .systemLibrary(name: "CZeroMQ", path: "Tests/CZeroMQ", providers: [.apt(["libzmq3-dev"])]),
    .target(name: "LibZMQ", dependencies: ["CZeroMQ"], path: "Tests/LibZMQ", swiftSettings: strict),
    tests(of: "BinaryCoding"),
    tests(of: "TaskModel"),
    tests(of: "TaskValidation", ["TaskModel"], exclude: ["Fixtures"]),
    tests(of: "WireProtocol", ["BinaryCoding", "TaskModel"], exclude: ["Fixtures"]),
    tests(of: "QueueStateMachine", ["TaskModel"]),
    tests(of: "LinuxSystem"),
    tests(
        of: "Journal", ["BinaryCoding", "CChecksum", "QueueStateMachine", "TaskModel"],
        exclude: ["Fixtures"]),
    tests(of: "ZMTP"),
    tests(of: "ZeroMQ", ["LibZMQ", "LinuxSystem"]),
    tests(of: "Systemd", ["LinuxSystem"]),
    tests(of: "ServiceLog", ["LinuxSystem", "Systemd", logging]),
    tests(of: "ProcessorSupervision", ["LinuxSystem", "TaskModel"]),
    tests(of: "Configuration", ["LinuxSystem", "TaskModel"]),
    tests(of: "ServiceProgram"),
    tests(of: "BrokerDaemon", ["Journal", "QueueStateMachine", "TaskModel", "WireProtocol"]),
    tests(
        of: "IngestDaemon",
        [
            "Configuration", "LibZMQ", "LinuxSystem", "TaskModel", "TaskValidation", "WireProtocol", logging,
            nio,
        ]),
    tests(
        of: "WorkerDaemon",
        [
            "Configuration", "LibZMQ", "LinuxSystem", "ProcessorSupervision", "TaskModel", "WireProtocol",
            logging,
        ]),
    tests(
        of: "PluginKeeper",
        ["LibZMQ", "LinuxSystem", "ProcessorSupervision", "TaskModel", "WireProtocol", "taskq-plugins"]),
    tests(
        of: "AdminCommands",
        [
            "BinaryCoding", "Configuration", "Journal", "LibZMQ", "ProcessorSupervision", "TaskModel",
            "WireProtocol",
        ]),
    tests(of: "TaskProcessor"),
    .target(
        name: "Simulation",
        dependencies: [
            "BinaryCoding", "BrokerDaemon", "Journal", "QueueStateMachine", "TaskModel", "TestSupport",
            "WireProtocol",
        ], path: "Tests/Simulation", swiftSettings: strict),
    .executableTarget(
        name: "taskq-sim", dependencies: ["Simulation"], path: "Tests/SimulationRunner",
        swiftSettings: strict),
    .testTarget(
        name: "SimulationTests", dependencies: ["Simulation", "TestSupport"], swiftSettings: strict),
    .testTarget(
        name: "EndToEndTests",
        dependencies: [
            "AdminCommands", "Configuration", "Journal", "TaskModel", "TestSupport", "taskq", "taskq-broker",
            "taskq-ingest", "taskq-plugins", "taskq-worker", "tasks-processor", arguments,
        ],
        swiftSettings: strict),
    .testTarget(
        name: "CrashTests",
        dependencies: [
            "LibZMQ", "LinuxSystem", "TaskModel", "TestSupport", "WireProtocol", "taskq-broker",
        ],
        exclude: ["Shim"],
        swiftSettings: strict),
    .testTarget(
        name: "InstallationTests",
        dependencies: [
            "TestSupport", "taskq", "taskq-broker", "taskq-ingest", "taskq-plugins", "taskq-worker",
            "tasks-processor",
        ],
        exclude: ["boxes"],
        swiftSettings: strict),
    .testTarget(name: "RepositoryTests", dependencies: ["TestSupport"], swiftSettings: strict),
]

let package = Package(
    name: "taskq",
    products: [.library(name: "TaskProcessor", targets: ["TaskProcessor"])],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
    ],
    targets: seams + pure + mechanisms + shells + executables + testTargets,
    cxxLanguageStandard: .cxx17
)
