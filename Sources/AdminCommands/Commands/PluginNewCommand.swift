import ArgumentParser
private import Glibc
private import LinuxSystem
private import TaskModel

extension PluginTemplate.Language: ExpressibleByArgument {}

/// The command `taskq plugin new`.
struct PluginNewCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "new", abstract: "Write a folder with a plugin that works at once.",
        discussion: """
            The queue has the plugin's name. Nothing is overwritten. With --lang lambda an AWS Lambda \
            handler for SQS in Python runs unchanged: --handler app.main.handle calls handle(event, \
            context) of app/main.py under the plugin's folder.
            """)

    private static let nameBytesMax = 64

    @Argument(help: "The queue that it serves.")
    var name: String

    @Option(name: .customLong("lang"), help: "sh, python, swift or lambda.")
    var language = PluginTemplate.Language.sh

    @Option(name: .customLong("handler"), help: "With --lang lambda: module.function.")
    var handler: String?

    @Option(name: .customLong("folder"), help: "The folder of plugins; made where it is missing.")
    var folder = PluginPlaces.local

    func validate() throws {
        guard QueueDeclaration.isValidName(name) else {
            throw ValidationError(
                "'\(name)' is not a queue's name: a-z, 0-9, _ and -, at most \(Self.nameBytesMax) characters")
        }
        guard let handler else { return }
        guard language == .lambda else { throw ValidationError("--handler goes with --lang lambda") }
        guard Self.isHandler(handler) else {
            throw ValidationError("--handler '\(handler)' is not of the form module.function")
        }
    }

    /// Names that Python can import, with dots between them: at least a module and a function.
    private static func isHandler(_ text: String) -> Bool {
        let names = text.split(separator: ".", omittingEmptySubsequences: false)
        return names.count >= 2
            && names.allSatisfy { name in
                guard let first = name.utf8.first, !(UInt8(ascii: "0")...UInt8(ascii: "9")).contains(first)
                else { return false }
                return name.utf8.allSatisfy { byte in
                    switch byte {
                    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
                        true
                    case _: false
                    }
                }
            }
    }

    func run() throws {
        let path = "\(folder)/\(name)"
        let files = PluginTemplate.files(
            language, queue: name, handler: handler ?? PluginTemplate.usualHandler)
        do throws(SystemError) {
            try FileContents.makeDirectories(folder)
        } catch {
            throw CommandFailure.failed("the plugin folder cannot be made: \(error)")
        }
        try refuseASecondPlugin()
        guard mkdir(path, 0o755) == 0 else {
            let reason = SystemError("mkdir")
            if reason.errno == EEXIST { throw CommandFailure.failed("\(path) is there already") }
            throw CommandFailure.failed("\(path) cannot be made: \(SystemError.text(of: reason.errno))")
        }
        // The keeper may look at any time: the program comes last, so that it never finds half a plugin.
        do throws(SystemError) {
            for file in files.reversed() { try Self.write(file, to: "\(path)/\(file.name)") }
        } catch {
            throw CommandFailure.failed("\(path) cannot be written: \(error)")
        }
        for file in files { print("wrote \(path)/\(file.name)") }
        print("try it: taskq plugin test \(path)/")
    }

    /// `mail.py` serves the queue `mail` as well as a folder of that name would.
    private func refuseASecondPlugin() throws {
        let names = try FileContents.names(in: folder)
        guard let other = names.first(where: { $0.prefix { $0 != "." } == name }) else { return }
        throw CommandFailure.failed("\(folder)/\(other) is there already: nothing is overwritten")
    }

    private static func write(_ file: PluginTemplate.File, to path: String) throws(SystemError) {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw SystemError("open \(path)") }
        let owned = OwnedDescriptor(adopting: descriptor)
        let bytes = Array(file.text.utf8)
        let written = bytes.withUnsafeBytes { content in
            Result { () throws(SystemError) in try OwnedDescriptor.writeAll(descriptor, content) }
        }
        try written.get()
        // Whatever umask there is: what everybody may write would be refused.
        guard fchmod(owned.rawValue, file.isExecutable ? 0o755 : 0o644) == 0 else {
            throw SystemError("fchmod \(path)")
        }
    }
}
