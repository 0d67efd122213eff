private import Glibc
private import LinuxSystem

/// Processes that outlived the processor which started them.
///
/// This process is their subreaper: they are its children.
enum Leftovers {
    /// What tells a processor's own leftovers from other children of this process.
    enum Owner {
        /// Those of the processor's process group, and those whose environment carries the marker,
        /// `NAME=value`.
        case processor(group: Int32, marker: String)
        /// Every child that is not known.
        case everybody
    }

    /// How deep a tree of leftovers is followed: each round makes the next level our children.
    private static let roundsMax = 16
    /// How long a killed leftover is waited for, milliseconds; one that hangs in the kernel is left to it.
    private static let waitMilliseconds: CInt = 20

    struct Sweep {
        var killed: Set<Int32> = []
        /// Killed, but not dead yet: to be reaped by ``reap(_:)``.
        var dying: [Int32] = []
    }

    /// Kills what is left over and takes the zombies away.
    ///
    /// `known` are children with an owner of their own.
    static func kill(of owner: Owner, sparing known: Set<Int32>) -> Sweep {
        var sweep = Sweep()
        for _ in 0..<roundsMax {
            guard hasChildren() else { break }
            let found = children().filter {
                !known.contains($0) && !sweep.killed.contains($0) && belongs($0, to: owner)
            }
            if found.isEmpty { break }
            for pid in found {
                sweep.killed.insert(pid)
                if !killAndReap(pid) { sweep.dying.append(pid) }
            }
        }
        return sweep
    }

    /// Takes away those that have died by now, and gives back the others.
    static func reap(_ dying: [Int32]) -> [Int32] {
        var status: CInt = 0
        return dying.filter { waitpid($0, &status, WNOHANG) == 0 }
    }

    private static func hasChildren() -> Bool {
        var info = siginfo_t()
        return waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0
    }

    private static func killAndReap(_ pid: Int32) -> Bool {
        _ = Glibc.kill(pid, SIGKILL)
        if let process = try? ProcessControl.openProcess(pid) {  // ignoring: it has ended
            var item = pollfd(fd: process.rawValue, events: Int16(POLLIN), revents: 0)
            _ = poll(&item, 1, waitMilliseconds)
        }
        return reap([pid]).isEmpty
    }

    /// The direct children, from every thread's list.
    static func children() -> [Int32] {
        guard let threads = opendir("/proc/self/task") else { return [] }
        defer { closedir(threads) }
        var pids: [Int32] = []
        while let entry = readdir(threads) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            guard name.first?.isNumber == true else { continue }
            let path = "/proc/self/task/\(name)/children"
            let contents = try? FileContents.read(path, maximumBytes: 1 << 20)  // ignoring: it ended
            guard let list = contents else { continue }
            let words = String(decoding: list, as: UTF8.self).split { $0 == " " || $0 == "\n" }
            pids += words.compactMap { Int32($0) }
        }
        return pids
    }

    private static func belongs(_ pid: Int32, to owner: Owner) -> Bool {
        switch owner {
        case .everybody:
            return true
        case .processor(let group, let marker):
            if getpgid(pid) == group { return true }
            let path = "/proc/\(pid)/environ"
            let contents = try? FileContents.read(path, maximumBytes: 1 << 20)  // ignoring: a zombie
            guard let environment = contents else { return false }
            let wanted = Array(marker.utf8)
            return environment.split(separator: 0).contains { $0.elementsEqual(wanted) }
        }
    }
}
