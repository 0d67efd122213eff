package import Configuration
private import Glibc
private import LinuxSystem
private import ProcessorSupervision

/// Whether each plugin would start, seen without starting it.
package struct PluginChecks {
    private let folders: [String]
    private let configuration: ServiceConfiguration
    private let isForeground: Bool

    /// `isForeground`: by the rules of `taskq up` instead of an installed system's.
    package init(_ configuration: ServiceConfiguration, folders: [String], isForeground: Bool) {
        self.configuration = configuration
        self.folders = folders
        self.isForeground = isForeground
    }

    package func run() -> [Finding] {
        var listings: [PluginFolder] = []
        var findings: [Finding] = []
        for folder in folders {
            do throws(SystemError) {
                let path = try FileContents.absolute(folder)
                listings.append(PluginFolder.scan(path, try PluginFolder.list(path)))
            } catch {
                let cure = "mkdir \(folder), or chmod a+rx \(folder)"
                findings.append(.problem("plugins", "\(error)", cure: cure))
            }
        }
        let layered = PluginFolder.layered(listings)
        findings += layered.problems.map {
            .problem(Self.check($0.queue), $0.sentence, cure: "the queue has no processor until then")
        }
        if folders.isEmpty || layered.plugins.isEmpty, findings.isEmpty {
            let place = folders.isEmpty ? "no plugin folder" : folders.joined(separator: ", ")
            return [.note("plugins", "\(place): no plugin", cure: "taskq plugin new --lang sh NAME")]
        }
        return findings + layered.plugins.map { look(at: $0) }
    }

    private static func check(_ queue: String?) -> String { queue.map { "plugin \($0)" } ?? "plugins" }

    private func look(at plugin: PluginFolder.Plugin) -> Finding {
        let check = Self.check(plugin.queue)
        var command: [String] = []
        do throws(ConfigurationError) {
            if let path = plugin.manifest { command = try PluginManifest.load(path).command }
        } catch {
            return .problem(
                check, error.problems.map(\.description).joined(separator: "; "),
                cure: "correct the manifest")
        }
        let executable = command.isEmpty ? plugin.executable : Self.program(command[0], plugin)
        let folders = self.folders
        let trust: PluginTrust =
            isForeground
            ? .foreground(user: getuid())
            : .installed(
                owners: PluginTrust.users(named: configuration.plugins.owners), pluginFolders: folders)
        let findings = trust.findings(PluginTrust.gather(executable: executable, folder: plugin.directory))
        for case .refusal(let sentence) in findings {
            return .problem(check, sentence, cure: "the processor is not run until then")
        }
        let facts = ProgramFacts(
            lookingAt: executable, directory: plugin.directory, searchPath: Self.searchPath)
        if let problem = StartProblem(seenIn: facts) {
            return .problem(check, problem.sentence, cure: "the queue is stalled until then")
        }
        for case .warning(let sentence) in findings {
            return .note(check, sentence, cure: "an installed system refuses it")
        }
        return .good(check, "\(executable) can start")
    }

    private static func program(_ word: String, _ plugin: PluginFolder.Plugin) -> String {
        if word.hasPrefix("/") { return word }
        let own = "\(plugin.directory)/\(word)"
        if word.contains("/") || FileContents.exists(own) { return own }
        let places = searchPath.split(separator: ":").map { "\($0)/\(word)" }
        return places.first { FileContents.isExecutableFile($0) } ?? own
    }

    private static var searchPath: String {
        let variables = ProcessEnvironment.variables()
        return ProcessEnvironment.value(of: "PATH", in: variables) ?? "/usr/local/bin:/usr/bin:/bin"
    }
}

extension PluginTrust {
    /// Names that no user has are left out.
    static func users(named names: [String]) -> Set<UInt32> {
        Set(names.compactMap { getpwnam($0)?.pointee.pw_uid })
    }
}
