import Glibc
import TestSupport

/// The files of this checkout as git sees them: committed, staged and new ones, without what it ignores.
struct Checkout: Sendable {
    static let current = Checkout(root: BuiltProducts.repositoryRoot())

    let root: String
    /// Relative to the root, sorted.
    let paths: [String]
    /// Those of `paths` that hold code, read and split into code and comments.
    let sources: [SourceFile]

    init(root: String) {
        self.root = root
        // The folder may belong to somebody else than the one who runs the tests.
        let git = "git -c safe.directory='*' -c core.quotePath=false -C '\(root)'"
        let listed = Self.output(of: "\(git) ls-files --cached --others --exclude-standard")
        paths = Set(listed).filter { access("\(root)/\($0)", R_OK) == 0 }.sorted()
        sources = paths.filter(Self.isSource).compactMap { path in
            let file = "\(root)/\(path)"
            guard let bytes = try? TextFile.bytes(of: file) else { return nil }  // ignoring: just deleted.
            return SourceFile(path: path, bytes: bytes)
        }
    }

    var swiftSources: [SourceFile] { sources.filter(\.isSwift) }

    /// Names of the folders in Sources: one for each module and executable.
    var modules: [String] {
        let folders = paths.filter { $0.hasPrefix("Sources/") }.compactMap { path in
            path.split(separator: "/").dropFirst().dropLast().first.map(String.init)
        }
        return Set(folders).sorted()
    }

    func text(of path: String) throws -> String {
        String(decoding: try TextFile.bytes(of: "\(root)/\(path)"), as: UTF8.self)
    }

    func bytes(in path: String) -> Int {
        var information = stat()
        return stat("\(root)/\(path)", &information) == 0 ? Int(information.st_size) : 0
    }

    /// Every file that any commit holds, with its size in bytes.
    func historicFiles() -> [(path: String, bytes: Int)] {
        let git = "git -c safe.directory='*' -C '\(root)'"
        let lines = Self.output(
            of: "\(git) rev-list --objects --all"
                + " | \(git) cat-file --batch-check='%(objecttype) %(objectsize) %(rest)'")
        return lines.compactMap { line in
            let fields = line.split(separator: " ", maxSplits: 2)
            guard fields.count == 3, fields[0] == "blob", let bytes = Int(fields[1]) else { return nil }
            return (String(fields[2]), bytes)
        }
    }

    private static func isSource(_ path: String) -> Bool {
        [".swift", ".c", ".h", ".cpp", ".py"].contains { path.hasSuffix($0) } || path.hasPrefix("scripts/")
    }

    private static func output(of command: String) -> [String] {
        guard let stream = popen(command, "r") else { return [] }
        defer { pclose(stream) }
        var content: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = fread(&chunk, 1, chunk.count, stream)
            if count == 0 { break }
            content += chunk[..<count]
        }
        return content.split(separator: UInt8(ascii: "\n")).map { String(decoding: $0, as: UTF8.self) }
    }
}
