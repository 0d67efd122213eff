package import Journal
import TaskModel

/// When the next turn has to begin, and what is done where none has to: the part of the daemon's loop that
/// only decides, so that the simulation runs it too.
extension Broker {
    /// 100 ms after the last batch, a seal shows that it was durable.
    package static var sealNanoseconds: UInt64 { 100_000_000 }

    /// Seals the journal if nothing was written for a while; both times in the raw monotonic clock.
    package mutating func sealIfQuiet(lastSync: UInt64, now: UInt64) throws(JournalError) {
        if !isSealed, now >= lastSync + Self.sealNanoseconds { try seal() }
    }

    /// When the next turn has to begin at the latest, nanoseconds of the raw monotonic clock.
    ///
    /// 0 for at once, the largest number for never.
    package func wakeTime(_ clock: PatientClock, lastSync: UInt64) -> UInt64 {
        if hasWork { return 0 }
        var wake = UInt64.max
        if let deadline = nextDeadline { wake = min(wake, clock.rawNanoseconds(of: deadline)) }
        if !isSealed { wake = min(wake, lastSync + Self.sealNanoseconds) }
        return wake
    }
}
