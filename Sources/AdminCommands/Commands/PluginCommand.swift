import ArgumentParser
import Configuration
private import Glibc
private import LinuxSystem
import ProcessorSupervision
private import TaskValidation

/// The commands `taskq plugin ...`: looks at plugins, writes and tries them, never through the broker.
struct PluginCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plugin", abstract: "List plugins, begin a new one, try one out.",
        discussion: "No daemon has to run.",
        subcommands: [PluginListCommand.self, PluginNewCommand.self, PluginTestCommand.self])
}

/// Where plugins are looked for, and who may have written them.
struct PluginPlaces: ParsableArguments {
    /// The folder of a checkout.
    static let local = "plugins"

    @Option(
        name: .customLong("plugins"),
        help: "A folder of plugins; the first one wins. May be repeated. (./plugins, else the installed)")
    var folders: [String] = []

    @Flag(name: .customLong("installed"), help: "Look at the installed folders.")
    var installed = false

    func validate() throws {
        if installed, !folders.isEmpty {
            throw ValidationError("--installed and --plugins exclude each other")
        }
    }

    private var isForeground: Bool {
        !installed && (!folders.isEmpty || FileContents.isDirectory(Self.local))
    }

    func inventory() throws(CommandFailure) -> PluginInventory {
        let searched: [String]
        if isForeground {
            searched = folders.isEmpty ? [Self.local] : folders
        } else {
            searched = PluginFolder.installedFolders.filter(FileContents.isDirectory)
        }
        let trust: PluginTrust =
            isForeground
            ? .foreground(user: getuid())
            : .installed(owners: try owners(), pluginFolders: PluginFolder.installedFolders)
        let path =
            isForeground
            ? PluginUnderTest.searchPath(ProcessEnvironment.variables())
            : ProcessorSurroundings.usualSearchPath
        do throws(SystemError) {
            return try PluginInventory(folders: searched, trust: trust, searchPath: path)
        } catch {
            throw .failed("the plugin folder cannot be read: \(error)")
        }
    }

    /// Who besides root may own an installed plugin: `[plugins] owners`.
    private func owners() throws(CommandFailure) -> Set<UInt32> {
        let sources = ConfigurationSources(
            file: nil, stateDirectory: nil, listen: nil, environment: ProcessEnvironment.variables())
        do throws(ConfigurationError) {
            return PluginTrust.users(named: try sources.load().plugins.owners)
        } catch {
            throw .misconfigured(error.description)
        }
    }
}

extension PluginPlaces {
    /// Nil where there is none; an error where it is there and cannot run.
    func findPlugin(of queue: String) throws(CommandFailure) -> PluginFolder.Plugin? {
        let inventory = try inventory()
        if let found = inventory.plugins.first(where: { $0.queue == queue }) { return found }
        let said = inventory.entries.first { $0.queue == queue }?.standing.words ?? ""
        guard said.isEmpty else { throw .failed(said) }
        return nil
    }

    func plugin(of queue: String) throws(CommandFailure) -> PluginFolder.Plugin {
        guard let found = try findPlugin(of: queue) else {
            throw .notFound("there is no plugin for the queue \(queue): name its folder with --plugins")
        }
        return found
    }
}

/// The command `taskq plugin ls`.
struct PluginListCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ls", abstract: "Show every plugin, and what keeps it from running.",
        discussion: "Exit codes: 0 all is well, 1 a plugin is broken.")

    @OptionGroup var places: PluginPlaces

    @Flag(name: .customLong("json"), help: "One JSON value for scripts instead of text for people.")
    var json = false

    func run() throws {
        let inventory = try places.inventory()
        print(json ? Self.json(inventory) : Self.table(inventory), terminator: "")
        let isBroken = inventory.entries.contains { entry in
            if case .broken = entry.standing { true } else { false }
        }
        if isBroken { throw ExitStatusRequest(code: 1) }
    }

    private static func table(_ inventory: PluginInventory) -> String {
        guard !inventory.entries.isEmpty else { return "no plugins\n" }
        var table = TextTable([
            ("QUEUE", .left), ("MODE", .left), ("STATE", .left), ("PATH", .left), ("", .left),
        ])
        for entry in inventory.entries {
            let words = [entry.standing.words] + entry.warnings
            table.add([
                entry.queue ?? "-", entry.mode ?? "-", entry.standing.label, entry.path,
                words.filter { !$0.isEmpty }.joined(separator: "; "),
            ])
        }
        return table.render()
    }

    private static func json(_ inventory: PluginInventory) -> String {
        var writer = JSONWriter()
        writer.beginArray()
        for entry in inventory.entries {
            writer.beginObject()
            if let queue = entry.queue { writer.member("queue", queue) }
            writer.member("path", entry.path)
            if let mode = entry.mode { writer.member("mode", mode) }
            writer.member("state", entry.standing.label)
            if !entry.standing.words.isEmpty { writer.member("because", entry.standing.words) }
            writer.key("warnings")
            writer.beginArray()
            for warning in entry.warnings { writer.string(warning) }
            writer.endArray()
            writer.endObject()
        }
        writer.endArray()
        return String(decoding: writer.bytes, as: UTF8.self) + "\n"
    }
}
