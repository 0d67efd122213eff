import Glibc
import Journal
import Synchronization

/// Which calls to the disk go wrong in one life of the broker, fixed when it begins.
final class DiskFaults: Sendable {
    struct Plan: Sendable {
        /// The process dies in this call.
        var dyingCall = Int.max
        /// These calls fail with EIO.
        var failingCalls: Set<Int> = []
        /// A write every so many is short; 0 for none.
        var shortOneIn = 0
        /// A read that must not wait finds nothing every so many times; 0 for never.
        var uncachedOneIn = 0
        /// Syncs answer well and do nothing.
        var lies = false
        var seed: UInt64 = 0
    }

    struct Outcome: Sendable {
        var hasDied = false
        /// Calls that failed with EIO, by what they were about.
        var failures: [SimulatedDisk.Call] = []
        var short = 0
        var uncached = 0
    }

    private let plan: Plan
    private let state = Mutex(Outcome())

    init(_ plan: Plan) { self.plan = plan }

    var lies: Bool { plan.lies }
    var outcome: Outcome { state.withLock { $0 } }

    func fault(in call: SimulatedDisk.Call) -> SimulatedDisk.Fault? {
        if call.number >= plan.dyingCall {
            state.withLock { $0.hasDied = true }
            return .dies
        }
        if plan.failingCalls.contains(call.number) {
            state.withLock { $0.failures.append(call) }
            return .fails(errno: EIO)
        }
        switch call.operation {
        case .sync, .syncDirectory: return plan.lies ? .lies : nil
        case .write where strikes(call, oneIn: plan.shortOneIn):
            state.withLock { $0.short += 1 }
            return .short(bytes: Int(chance(call) % 700))
        case .read where strikes(call, oneIn: plan.uncachedOneIn):
            state.withLock { $0.uncached += 1 }
            return .notCached
        case .makeDirectory, .list, .create, .open, .read, .write, .rename, .truncate, .unlink, .lock,
            .random:
            return nil
        }
    }

    private func strikes(_ call: SimulatedDisk.Call, oneIn odds: Int) -> Bool {
        odds > 0 && chance(call) >> 32 % UInt64(odds) == 0
    }

    private func chance(_ call: SimulatedDisk.Call) -> UInt64 {
        var mixed = (UInt64(call.number) &+ plan.seed) &* 0x9E37_79B9_7F4A_7C15
        mixed ^= mixed >> 29
        mixed = mixed &* 0xBF58_476D_1CE4_E5B9
        return mixed ^ (mixed >> 32)
    }
}
