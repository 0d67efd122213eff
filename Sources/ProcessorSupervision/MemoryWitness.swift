private import LinuxSystem

/// Counts the processes that the kernel has killed for memory in this cgroup, from `memory.events`.
struct MemoryWitness {
    private let path: String?
    private var seen: UInt64

    /// Where there is no cgroup version 2, nothing is ever seen.
    init() {
        path = Self.eventsPath()
        seen = path.flatMap(Self.kills) ?? 0
    }

    /// Whether there was a kill since the last time that this was asked.
    mutating func sawKill() -> Bool {
        guard let path, let kills = Self.kills(in: path) else { return false }
        defer { seen = kills }
        return kills > seen
    }

    private static func eventsPath() -> String? {
        let path = "/proc/self/cgroup"
        let contents = try? FileContents.read(path, maximumBytes: 16 << 10)  // ignoring: no cgroups
        guard let bytes = contents else { return nil }
        let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n")
        guard let unified = lines.first(where: { $0.hasPrefix("0::") }) else { return nil }
        return "/sys/fs/cgroup\(unified.dropFirst(3))/memory.events"
    }

    private static func kills(in path: String) -> UInt64? {
        let contents = try? FileContents.read(path, maximumBytes: 4 << 10)  // ignoring: the root has none
        guard let bytes = contents else { return nil }
        return parse(String(decoding: bytes, as: UTF8.self))
    }

    /// The number behind `oom_kill`.
    static func parse(_ text: String) -> UInt64? {
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ")
            if words.count == 2, words[0] == "oom_kill" { return UInt64(words[1]) }
        }
        return nil
    }
}
