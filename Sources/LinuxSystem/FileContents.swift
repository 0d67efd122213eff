private import Glibc

/// Whole small files, read and written in one piece.
package enum FileContents {
    /// All bytes of a file.
    ///
    /// EFBIG where it holds more than `maximumBytes`.
    package static func read(_ path: String, maximumBytes: Int) throws(SystemError) -> [UInt8] {
        let file = try OwnedDescriptor(opening: path, flags: O_RDONLY)
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: min(maximumBytes + 1, 64 << 10))
        while true {
            let count = chunk.withUnsafeMutableBytes { Glibc.read(file.rawValue, $0.baseAddress, $0.count) }
            if count < 0, Glibc.errno == EINTR { continue }
            guard count >= 0 else { throw SystemError("read \(path)") }
            if count == 0 { return bytes }
            bytes.append(contentsOf: chunk[..<count])
            guard bytes.count <= maximumBytes else { throw SystemError(call: "read \(path)", errno: EFBIG) }
        }
    }

    /// Makes a directory and the missing ones above it.
    ///
    /// The corresponding C function is `mkdir`.
    package static func makeDirectories(_ path: String, mode: UInt32 = 0o755) throws(SystemError) {
        if mkdir(path, mode) == 0 { return }
        var failure = Glibc.errno
        if failure == ENOENT, let parent = parentDirectory(of: path) {
            try makeDirectories(parent, mode: mode)
            if mkdir(path, mode) == 0 { return }
            failure = Glibc.errno
        }
        guard failure == EEXIST, isDirectory(path) else {
            throw SystemError(call: "mkdir \(path)", errno: failure)
        }
    }

    package static func isDirectory(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }

    package static func isExecutableFile(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFREG && access(path, X_OK) == 0
    }

    package static func exists(_ path: String) -> Bool {
        access(path, F_OK) == 0
    }

    /// `path` as it stands if it is absolute, else under the working directory.
    package static func absolute(_ path: String) throws(SystemError) -> String {
        if path.hasPrefix("/") { return path }
        return try workingDirectory() + "/" + path
    }

    package static func workingDirectory() throws(SystemError) -> String {
        guard let path = getcwd(nil, 0) else { throw SystemError("getcwd") }
        defer { free(path) }
        return String(cString: path)
    }

    /// What a symbolic link says.
    ///
    /// The corresponding C function is `readlink`.
    package static func linkTarget(_ path: String) throws(SystemError) -> String {
        var buffer = [UInt8](repeating: 0, count: 4_096)
        let count = buffer.withUnsafeMutableBytes { bytes in
            guard let start = bytes.baseAddress else { return -1 }
            return readlink(path, start.assumingMemoryBound(to: CChar.self), bytes.count)
        }
        guard count >= 0 else { throw SystemError("readlink \(path)") }
        return String(decoding: buffer[..<count], as: UTF8.self)
    }

    /// Makes a symbolic link, or leaves the one that says the same.
    ///
    /// The corresponding C function is `symlink`.
    package static func makeLink(_ path: String, to target: String) throws(SystemError) {
        if symlink(target, path) == 0 { return }
        let failure = SystemError("symlink \(path)")
        guard failure.errno == EEXIST, try linkTarget(path) == target else { throw failure }
    }

    /// The part before the last slash; nil where there is nothing above.
    package static func parentDirectory(of path: String) -> String? {
        guard let slash = path.lastIndex(of: "/"), slash > path.startIndex else { return nil }
        return String(path[..<slash])
    }
}

extension FileContents {
    /// The names in a folder, sorted by bytes, without `.` and `..`.
    ///
    /// The corresponding C function is `readdir`.
    package static func names(in folder: String) throws(SystemError) -> [String] {
        guard let handle = opendir(folder) else { throw SystemError("opendir \(folder)") }
        defer { closedir(handle) }
        var names: [String] = []
        while true {
            Glibc.errno = 0
            guard let entry = readdir(handle) else { break }
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != ".", name != ".." { names.append(name) }
        }
        guard Glibc.errno == 0 else { throw SystemError("readdir \(folder)") }
        return names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }
}
