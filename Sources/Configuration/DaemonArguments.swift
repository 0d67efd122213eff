/// A daemon's command line.
///
/// Small on purpose: what a daemon is told stands in its configuration.
package struct DaemonArguments: Hashable, Sendable {
    /// An option that takes a value.
    package enum Option: String, Hashable, Sendable, CaseIterable {
        case config
        case state
        case listen
        case queue
        case plugin
        case plugins
        case logFormat = "log-format"
        case instance

        var help: String {
            switch self {
            case .config: "--config FILE        configuration (\(ConfigurationSources.installedFile))"
            case .state: "--state DIR          everything under one folder: sockets and journal"
            case .listen: "--listen HOST:PORT   the HTTP address, instead of the file's"
            case .queue: "--queue NAME         the queue to serve"
            case .plugin: "--plugin PATH        the queue's processor: its executable or its folder"
            case .plugins: "--plugins DIR[:DIR]  the plugin folders, the first one wins"
            case .logFormat: "--log-format FORMAT  auto, text, json or journald"
            case .instance: "--instance NAME      the worker's name where a queue has several"
            }
        }
    }

    package enum Failure: Error, Hashable, Sendable {
        case unknown(argument: String, meant: String?)
        case missingValue(option: String)
        case repeated(option: String)
        case impossible(option: String, value: String, expected: String)
    }

    /// What the command line asks for.
    package enum Request: Hashable, Sendable {
        case run(DaemonArguments)
        /// The text of `--help` or `--version`.
        case show(String)
    }

    private var values: [Option: String] = [:]
    /// Switches of the program's own that were given, without their dashes.
    package private(set) var switches: Set<String> = []

    package init() {}

    package subscript(_ option: Option) -> String? {
        get { values[option] }
        set { values[option] = newValue }
    }

    /// Reads `--name value` and `--name=value`.
    ///
    /// `arguments` are without the program's name.
    ///
    /// `options` are those that this program takes besides `config`, `state` and `log-format`; `switches`
    /// take no value.
    package static func parse(
        _ arguments: [String], program: String, summary: String, options: [Option] = [],
        switches: Set<String> = []
    ) throws(Failure) -> Request {
        let accepted = [.config, .state] + options + [.logFormat]
        var parsed = DaemonArguments()
        var rest = arguments[...]
        while let argument = rest.popFirst() {
            if argument == "--help" || argument == "-h" { return .show(help(program, summary, accepted)) }
            if argument == "--version" { return .show("\(program) \(ProductVersion.text)\n") }
            let (name, inline) = split(argument)
            if switches.contains(name), inline == nil, argument.hasPrefix("--") {
                parsed.switches.insert(name)
                continue
            }
            guard argument.hasPrefix("--"), let option = accepted.first(where: { $0.rawValue == name }) else {
                let meant = Spelling.nearest(to: name, among: accepted.map(\.rawValue)).map { "--\($0)" }
                throw .unknown(argument: argument, meant: meant)
            }
            guard let value = inline ?? rest.popFirst(), !value.isEmpty else {
                throw .missingValue(option: "--\(name)")
            }
            guard parsed.values.updateValue(value, forKey: option) == nil else {
                throw .repeated(option: "--\(name)")
            }
        }
        if let text = parsed[.listen], ListenAddress(text) == nil {
            throw .impossible(
                option: "--listen", value: text, expected: "an address and port such as 127.0.0.1:8080")
        }
        return .run(parsed)
    }

    /// The sources that these arguments name, with the process's variables.
    package func configurationSources(environment: [String]) -> ConfigurationSources {
        ConfigurationSources(
            file: self[.config], stateDirectory: self[.state],
            listen: self[.listen].flatMap { ListenAddress($0) },
            environment: environment)
    }

    private static func split(_ argument: String) -> (name: String, value: String?) {
        let bare = argument.drop { $0 == "-" }
        guard let equals = bare.firstIndex(of: "=") else { return (String(bare), nil) }
        return (String(bare[..<equals]), String(bare[bare.index(after: equals)...]))
    }

    private static func help(_ program: String, _ summary: String, _ options: [Option]) -> String {
        let lines = options.map { "  \($0.help)\n" }.joined()
        return """
            \(summary)

            Usage: \(program) [OPTIONS]

            \(lines)  --help               this text
              --version            the version

            """
    }
}

extension DaemonArguments.Failure: CustomStringConvertible {
    package var description: String {
        switch self {
        case .unknown(let argument, let meant):
            "unknown argument \(argument)" + (meant.map { ", did you mean \($0)?" } ?? "")
        case .missingValue(let option): "\(option) needs a value"
        case .repeated(let option): "\(option) was given twice"
        case .impossible(let option, let value, let expected): "\(option) \(value): expected \(expected)"
        }
    }
}
