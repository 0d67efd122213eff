private import Glibc
private import LinuxSystem

/// What can be seen of an executable without running it.
package struct ProgramFacts: Hashable, Sendable {
    package enum Kind: Hashable, Sendable {
        case missing
        case directory
        case file(isExecutable: Bool)
    }

    /// As much of the file as a shebang may take.
    package static let headBytesMax = 512

    package var path: String
    package var kind: Kind
    package var head: [UInt8]
    /// Whether the shebang's interpreter can be executed; true where there is no shebang.
    package var interpreterIsThere: Bool
    /// Whether the program that `#!/usr/bin/env NAME` names is in PATH; true where there is none.
    package var environmentProgramIsThere: Bool

    package init(
        path: String, kind: Kind, head: [UInt8], interpreterIsThere: Bool = true,
        environmentProgramIsThere: Bool = true
    ) {
        self.path = path
        self.kind = kind
        self.head = head
        self.interpreterIsThere = interpreterIsThere
        self.environmentProgramIsThere = environmentProgramIsThere
    }

    /// Looks at the file now.
    ///
    /// - Parameters:
    ///   - directory: the working directory it will have, which a relative interpreter is looked for in.
    ///   - searchPath: the PATH it will have.
    package init(lookingAt path: String, directory: String, searchPath: String) {
        var status = stat()
        guard stat(path, &status) == 0 else {
            self.init(path: path, kind: .missing, head: [])
            return
        }
        guard status.st_mode & S_IFMT != S_IFDIR else {
            self.init(path: path, kind: .directory, head: [])
            return
        }
        let head = Self.readHead(path)
        self.init(path: path, kind: .file(isExecutable: access(path, X_OK) == 0), head: head)
        guard let shebang = Shebang(head: head) else { return }
        let interpreter =
            shebang.interpreter.hasPrefix("/") ? shebang.interpreter : "\(directory)/\(shebang.interpreter)"
        interpreterIsThere = FileContents.isExecutableFile(interpreter)
        if let program = shebang.environmentProgram {
            environmentProgramIsThere = searchPath.split(separator: ":").contains {
                FileContents.isExecutableFile("\($0)/\(program)")
            }
        }
    }

    private static func readHead(_ path: String) -> [UInt8] {
        do {
            let file = try OwnedDescriptor(opening: path, flags: O_RDONLY)
            var head = [UInt8](repeating: 0, count: headBytesMax)
            let outcome = try head.withUnsafeMutableBytes { buffer throws(SystemError) in
                try file.read(into: buffer)
            }
            guard case .read(let count) = outcome else { return [] }
            return Array(head[..<count])
        } catch {
            // Executable but not readable is legitimate for a binary: then there is nothing to be said about
            // its head.
            return []
        }
    }
}

/// The `#!` line of a script.
package struct Shebang: Hashable, Sendable {
    /// As written, without the CR of a CRLF.
    package let interpreter: String
    package let argument: String
    /// The line ends in CRLF: the kernel takes the CR for a part of the name.
    package let endsInCarriageReturn: Bool

    package init?(head: [UInt8]) {
        guard head.starts(with: "#!".utf8) else { return nil }
        var line = head.dropFirst(2).prefix { $0 != UInt8(ascii: "\n") }
        endsInCarriageReturn = line.last == UInt8(ascii: "\r")
        if endsInCarriageReturn { line.removeLast() }
        let isBlank: (UInt8) -> Bool = { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }
        let words = line.split(maxSplits: 1, omittingEmptySubsequences: true, whereSeparator: isBlank)
        guard let first = words.first else { return nil }
        interpreter = String(decoding: first, as: UTF8.self)
        let rest = words.dropFirst().first?.drop(while: isBlank) ?? []
        argument = String(decoding: rest, as: UTF8.self)
    }

    /// What `env` is to look for in PATH.
    package var environmentProgram: String? {
        guard interpreter.hasSuffix("/env") else { return nil }
        let words = argument.split(separator: " ").drop { $0.hasPrefix("-") || $0.contains("=") }
        guard let first = words.first, !first.contains("/") else { return nil }
        return String(first)
    }
}
