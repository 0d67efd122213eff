import Configuration
private import LinuxSystem

/// What `taskq up` was asked for, with what it found.
struct ForegroundOptions {
    /// Given on to the daemons; nil lets them use the installed file.
    var configFile: String?
    var stateDirectory: String
    var listen: String?
    /// Absolute, the first one wins.
    var pluginFolders: [String]
    var isJSON: Bool
    var configuration: ServiceConfiguration
    /// The folder of the daemons' executables.
    var programs: String
    var variables: [String]

    static let installedPrograms = "/usr/libexec/taskq"

    /// Where the daemons are: beside this very executable, else where they are installed.
    static func findPrograms() throws(CommandFailure) -> String {
        let names = ["taskq-broker", "taskq-ingest", "taskq-worker"]
        var folders = [installedPrograms]
        do throws(SystemError) {
            let own = try FileContents.linkTarget("/proc/self/exe")
            if let folder = FileContents.parentDirectory(of: own) { folders.insert(folder, at: 0) }
        } catch {
            throw .failed("this program's own place is unknown: \(error)")
        }
        for folder in folders where names.allSatisfy({ FileContents.isExecutableFile("\(folder)/\($0)") }) {
            return folder
        }
        throw .failed("\(names.joined(separator: ", ")) are not in \(folders.joined(separator: " nor in "))")
    }

    func path(of member: StackMember) -> String { "\(programs)/\(member.program)" }

    /// The command line of a member, its program's name first.
    ///
    /// - Parameter plugins: what each worker is to run, by its queue.
    func arguments(for member: StackMember, plugins: [String: String]) -> [String] {
        var words = [member.program]
        if let configFile { words += ["--config", configFile] }
        words += ["--state", stateDirectory]
        switch member {
        case .broker: break
        case .ingest: if let listen { words += ["--listen", listen] }
        case .worker(let queue):
            words += ["--queue", queue]
            if let plugin = plugins[queue] { words += ["--plugin", plugin] }
        }
        return words + ["--log-format", "json"]
    }
}
