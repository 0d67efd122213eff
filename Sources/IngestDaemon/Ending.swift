import LinuxSystem
import Synchronization

/// Tells the main thread that the event loop is done, and why.
final class Ending: Sendable {
    private let event: EventDescriptor
    private let reason = Mutex<IngestError?>(nil)

    static func make() throws(IngestError) -> Ending {
        do throws(SystemError) {
            return Ending(event: try EventDescriptor())
        } catch {
            throw .systemCallFailed("\(error)")
        }
    }

    private init(event: EventDescriptor) {
        self.event = event
    }

    var descriptor: CInt { event.rawValue }
    var failure: IngestError? { reason.withLock { $0 } }

    /// The first failure stays.
    func finish(_ failure: IngestError?) {
        reason.withLock { $0 = $0 ?? failure }
        event.signal()
    }
}
