import TestSupport

/// The system calls on files below a directory, as strace lists them.
enum StraceListing {
    /// Calls on sockets whose address lies in the directory: of the network, not of the journal's disk.
    private static let ofTheNetwork: Set<String> = ["bind", "getsockname", "connect", "accept4", "execve"]

    /// The command that traces the rest of the command line, with `variables` for the traced program alone.
    static func command(output: String, variables: [String: String?]) -> [String] {
        let settings = variables.sorted { $0.key < $1.key }.flatMap { ["-E", "\($0.key)=\($0.value ?? "")"] }
        return ["/usr/bin/strace", "-f", "-y", "-qq", "-s", "0", "-o", output] + settings
    }

    /// Counts by system call and kind of file; threads are told apart by the shim alone.
    static func counts(in file: String, of folder: LifeFolder) throws -> [String: Int] {
        var counts: [String: Int] = [:]
        for line in try TextFile.lines(of: file) {
            // The second half of a call that another thread interrupted.
            guard !line.contains("resumed>"), let call = callName(line), !ofTheNetwork.contains(call) else {
                continue
            }
            guard let path = path(in: line, folder) else { continue }
            counts["\(call) \(kind(of: path, folder))", default: 0] += 1
        }
        return counts
    }

    /// "openat" of `1669  openat(AT_FDCWD</tmp>, "…`.
    private static func callName(_ line: String) -> String? {
        guard let open = line.firstIndex(of: "(") else { return nil }
        return line[..<open].split(separator: " ").last.map(String.init)
    }

    /// The first path in the line that lies in the state directory or is its parent.
    private static func path(in line: String, _ folder: LifeFolder) -> String? {
        let parent = folder.parent
        for piece in line.split(whereSeparator: { $0 == "\"" || $0 == "<" || $0 == ">" }) {
            if piece == parent || piece == folder.state || piece.hasPrefix(folder.state + "/") {
                return String(piece)
            }
        }
        return nil
    }

    private static func kind(of path: String, _ folder: LifeFolder) -> String {
        if path == folder.parent { return "parent" }
        let rest = path.dropFirst(folder.state.count)
        if rest.isEmpty { return "state" }
        if rest.hasPrefix("/run") { return "run" }
        guard rest.hasPrefix("/journal") else { return "other" }
        if rest == "/journal" { return "journal" }
        if rest.hasSuffix("/lock") { return "lock" }
        if rest.contains("/instance-") { return "instance" }
        let suffix = rest.hasSuffix(".new") ? ".new" : ""
        if rest.contains("/checkpoint-") { return "checkpoint" + suffix }
        return rest.contains(".segment") ? "segment" + suffix : "other"
    }
}
