package import Glibc

/// A folder of a test's own, removed with all that is in it when the closure ends.
package struct TemporaryDirectory: Sendable {
    /// Absolute, without a slash at the end.
    ///
    /// Short enough for a unix socket inside it.
    package let path: String

    package static func with<Value>(_ body: (TemporaryDirectory) throws -> Value) throws -> Value {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        return try body(directory)
    }

    package static func with<Value>(_ body: (TemporaryDirectory) async throws -> Value) async throws -> Value
    {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        return try await body(directory)
    }

    private init() throws(TestSupportError) {
        let parent = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
        var template = Array("\(parent)/taskq-test-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw .systemCall(name: "mkdtemp", errno: errno) }
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    package func path(_ name: String) -> String { "\(path)/\(name)" }

    /// Writes a whole file, making the folders above it, and gives its path back.
    @discardableResult
    package func write(
        _ text: String, to name: String, mode: mode_t = 0o644
    ) throws(TestSupportError) -> String {
        try write(Array(text.utf8), to: name, mode: mode)
    }

    @discardableResult
    package func write(
        _ bytes: [UInt8], to name: String, mode: mode_t = 0o644
    ) throws(TestSupportError) -> String {
        let parents = name.split(separator: "/").dropLast()
        for depth in parents.indices { try makeFolder(parents[...depth].joined(separator: "/")) }
        let target = path(name)
        let descriptor = open(target, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode)
        guard descriptor >= 0 else { throw .systemCall(name: "open", errno: errno) }
        defer { close(descriptor) }
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            guard count > 0 else { throw .systemCall(name: "write", errno: errno) }
            rest = rest.dropFirst(count)
        }
        // The mode counts as given, whatever umask the runner has.
        guard fchmod(descriptor, mode) == 0 else { throw .systemCall(name: "fchmod", errno: errno) }
        return target
    }

    /// An existing folder is fine.
    @discardableResult
    package func makeFolder(_ name: String, mode: mode_t = 0o755) throws(TestSupportError) -> String {
        let target = path(name)
        guard mkdir(target, mode) == 0 || errno == EEXIST else {
            throw .systemCall(name: "mkdir", errno: errno)
        }
        return target
    }

    package func read(_ name: String) throws(TestSupportError) -> [UInt8] {
        try TextFile.bytes(of: path(name))
    }

    private func remove() { Self.removeTree(path) }

    private static func removeTree(_ path: String) {
        // A link is removed, never followed: only remove() decides what a name is.
        if Glibc.remove(path) == 0 || errno != ENOTEMPTY { return }
        for name in entries(of: path) { removeTree("\(path)/\(name)") }
        Glibc.remove(path)
    }

    /// Names in a folder, without "." and "..", sorted; none if it cannot be read.
    package static func entries(of folder: String) -> [String] {
        guard let handle = opendir(folder) else { return [] }
        defer { closedir(handle) }
        var names: [String] = []
        while let entry = readdir(handle) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }
}

package enum TextFile {
    package static func bytes(of path: String) throws(TestSupportError) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .systemCall(name: "open", errno: errno) }
        defer { close(descriptor) }
        var content: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = Glibc.read(descriptor, &chunk, chunk.count)
            guard count >= 0 else { throw .systemCall(name: "read", errno: errno) }
            if count == 0 { return content }
            content += chunk[..<count]
        }
    }

    package static func lines(of path: String) throws(TestSupportError) -> [String] {
        try bytes(of: path).split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
            .map { String(decoding: $0, as: UTF8.self) }
    }
}
