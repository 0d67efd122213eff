private import Glibc

extension ProcessControl {
    /// The pids of this process's children, adopted orphans and zombies included; from every thread's list.
    package static func children() throws(SystemError) -> [CInt] {
        var pids: [CInt] = []
        for thread in try FileContents.names(in: "/proc/self/task") {
            let path = "/proc/self/task/\(thread)/children"
            let contents = try? FileContents.read(path, maximumBytes: 1 << 20)  // ignoring: it has ended
            guard let list = contents else { continue }
            let words = list.split { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\n") }
            pids += words.compactMap { CInt(String(decoding: $0, as: UTF8.self)) }
        }
        return pids
    }

    /// Kills a child and takes its zombie away, waiting for that a moment.
    package static func killAndReap(_ pid: CInt, waitMilliseconds: CInt = 20) {
        _ = kill(pid, SIGKILL)
        if let process = try? openProcess(pid) {  // ignoring: one that is gone needs no waiting for
            _ = try? OwnedDescriptor.waitUntilReady(  // ignoring: then the zombie stays until the next call
                process.rawValue, events: Int16(POLLIN), timeoutMilliseconds: waitMilliseconds)
        }
        var status: CInt = 0
        _ = waitpid(pid, &status, WNOHANG)
    }
}
