/// Which module may import which.
///
/// Imports point down only: executables, shells, mechanisms, pure, vocabulary.
enum ImportMatrix {
    /// Modules of the toolchain that come with every layer.
    private static let pureSystem: Set<String> = ["Synchronization"]
    private static let system: Set<String> = ["Glibc", "Synchronization"]

    /// Every module with what it may import besides the layer's own system modules.
    static let allowed: [String: Set<String>] = vocabularyAndPure.merging(mechanisms) { $1 }
        .merging(shells) { $1 }.merging(executables) { $1 }

    private static let vocabularyAndPure: [String: Set<String>] = [
        "BinaryCoding": pureSystem,
        "TaskModel": pureSystem.union(["BinaryCoding"]),
        "TaskValidation": pureSystem.union(["TaskModel"]),
        "WireProtocol": pureSystem.union(["BinaryCoding", "TaskModel"]),
        "QueueStateMachine": pureSystem.union(["TaskModel"]),
        "ZMTP": pureSystem,
    ]

    private static let mechanisms: [String: Set<String>] = [
        "LinuxSystem": system.union(["CLinux"]),
        "Journal": system.union(["BinaryCoding", "CChecksum", "CLinux", "TaskModel"]),
        "ZeroMQ": system.union(["LinuxSystem", "ZMTP"]),
        "Systemd": system.union(["CSystemd", "LinuxSystem"]),
        "ServiceLog": system.union(["LinuxSystem", "Systemd", "Logging"]),
        "ProcessorSupervision": system.union(["CSpawn", "LinuxSystem", "TaskModel", "TaskValidation"]),
        "Configuration": system.union(["CToml", "LinuxSystem", "TaskModel"]),
    ]

    private static let shells: [String: Set<String>] = [
        "ServiceProgram": system.union(["Configuration", "LinuxSystem", "Logging", "ServiceLog", "Systemd"]),
        "BrokerDaemon": daemon.union(["Journal", "QueueStateMachine", "ZeroMQ"]),
        "IngestDaemon": daemon.union(["NIOCore", "NIOHTTP1", "NIOPosix", "TaskValidation", "ZMTP"]),
        "WorkerDaemon": daemon.union(["ProcessorSupervision", "ZeroMQ"]),
        "PluginKeeper": daemon.union(["ProcessorSupervision", "ZeroMQ"]),
        "AdminCommands": daemon.union([
            "ArgumentParser", "Journal", "PluginKeeper", "ProcessorSupervision", "TaskValidation", "ZeroMQ",
        ]),
        "TaskProcessor": system.union(["LinuxSystem", "TaskModel", "TaskValidation"]),
    ]

    /// What every shell may use.
    private static let daemon = system.union([
        "BinaryCoding", "Configuration", "LinuxSystem", "Logging", "ServiceLog", "ServiceProgram", "Systemd",
        "TaskModel", "WireProtocol",
    ])

    private static let executables: [String: Set<String>] = [
        "taskq-broker": system.union(["BrokerDaemon"]),
        "taskq-ingest": system.union(["IngestDaemon"]),
        "taskq-worker": system.union(["WorkerDaemon"]),
        "taskq-plugins": system.union(["PluginKeeper"]),
        "taskq": system.union(["AdminCommands", "ArgumentParser"]),
    ]

    /// What a processor in Swift that ships with the tree may import.
    private static let plugins = system.union(["TaskProcessor", "TaskValidation"])

    /// Modules written in C or mapped from a system library: they import nothing of ours.
    static let seams: Set<String> = ["CChecksum", "CLinux", "CSpawn", "CToml", "CSystemd"]

    static func violations(_ file: SourceFile) -> [Violation] {
        guard file.isSwift, let module = file.module else { return [] }
        guard let mayImport = module == "plugins" ? plugins : allowed[module] else {
            let message = "module \(module) is not in the import matrix"
            return [Violation(path: file.path, line: 0, message: message)]
        }
        return file.code.enumerated().compactMap { index, line in
            guard let imported = importedModule(line), !mayImport.contains(imported) else { return nil }
            let message = "\(module) may not import \(imported)"
            return Violation(path: file.path, line: index + 1, message: message)
        }
    }

    /// "Glibc" of "package import Glibc" and of "import struct Glibc.stat".
    static func importedModule(_ line: String) -> String? {
        let words = line.split(separator: " ")
        guard let keyword = words.firstIndex(of: "import") else { return nil }
        let modifiers = words[..<keyword]
        guard modifiers.allSatisfy({ $0.hasPrefix("@") || accessLevels.contains(String($0)) }) else {
            return nil
        }
        let kinds = ["struct", "class", "enum", "func", "protocol", "typealias", "var", "let"]
        let name = words[(keyword + 1)...].first { !kinds.contains(String($0)) }
        return name?.split(separator: ".").first.map(String.init)
    }

    private static let accessLevels = ["private", "fileprivate", "internal", "package", "public"]
}
