import Glibc
import TaskModel

/// How often something was asked for that may have happened, and nobody outside knows.
///
/// Within a life of the broker the answer leaves in the turn of the request, so what is fresh is in doubt for
/// one turn. A crash in between leaves a doubt for good, or until the task is seen.
struct Doubt {
    private var fresh = 0
    private var old = 0

    var any: Bool { fresh > 0 || old > 0 }

    mutating func begin() { fresh += 1 }
    mutating func answered() { fresh = max(0, fresh - 1) }
    mutating func brokerDied() { (fresh, old) = (0, old + fresh) }
    /// What was seen shows what came of those of earlier lives.
    mutating func settleOld() { old = 0 }
    mutating func settle() { (fresh, old) = (0, 0) }
}

/// The bytes of a payload, by what the simulation makes them from.
struct PayloadBytes: Equatable {
    let pattern: TaskID
    let size: Int

    var bytes: ArraySlice<UInt8> { World.payload(of: pattern, size: size) }

    func isSame(as other: ArraySlice<UInt8>) -> Bool {
        bytes.withUnsafeBytes { left in
            other.withUnsafeBytes { right in
                guard left.count == right.count else { return false }
                guard let one = left.baseAddress, let two = right.baseAddress else { return true }
                return memcmp(one, two, left.count) == 0
            }
        }
    }
}
