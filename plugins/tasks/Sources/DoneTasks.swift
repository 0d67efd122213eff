import Glibc
import TaskProcessor

/// The ids of the newest tasks that were done, in memory and in a file, one a line: a task that comes again
/// after a crash is known.
struct DoneTasks {
    private static let kept = 10_000

    private let path: String
    private var ids: Set<String> = []
    /// In the order of their end, so that the oldest can go.
    private var order: [String] = []
    private var file: UnsafeMutablePointer<FILE>?

    init(path: String) {
        self.path = path
        load()
        rewrite()
    }

    func contains(_ id: String) -> Bool { ids.contains(id) }

    mutating func insert(_ id: String) {
        remember(id)
        if let file {
            fputs("\(id)\n", file)
            fflush(file)
        }
        if order.count >= 2 * Self.kept { rewrite() }
    }

    private mutating func remember(_ id: String) {
        guard ids.insert(id).inserted else { return }
        order.append(id)
    }

    private mutating func load() {
        guard let old = fopen(path, "re") else { return }
        defer { fclose(old) }
        var line = [CChar](repeating: 0, count: 64)
        while fgets(&line, CInt(line.count), old) != nil {
            let bytes = line.prefix { $0 != 0 && $0 != 10 }.map { UInt8(bitPattern: $0) }
            // Half a line is what a crash has left: that task was not done.
            if bytes.count == 36 { remember(String(decoding: bytes, as: UTF8.self)) }
        }
    }

    /// Forgets the oldest, and writes the rest anew: aside first, so that a crash leaves the one or the
    /// other.
    private mutating func rewrite() {
        if order.count > Self.kept {
            for id in order.prefix(order.count - Self.kept) { ids.remove(id) }
            order.removeFirst(order.count - Self.kept)
        }
        if let file { fclose(file) }
        file = nil
        guard let fresh = fopen("\(path).new", "we") else {
            TaskProcessor.log(
                .warning, "cannot write \(path).new, errno \(errno): a repeated task is not recognised")
            return
        }
        for id in order { fputs("\(id)\n", fresh) }
        fclose(fresh)
        rename("\(path).new", path)
        file = fopen(path, "ae")
    }
}
