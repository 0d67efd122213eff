import Synchronization

/// Lets a test wait for an event instead of sleeping.
///
/// Inert until a test arms it: code under test may fire it from any thread at no cost.
package final class TestSignal<Event: Sendable>: Sendable {
    private let armed = Mutex<AsyncStream<Event>.Continuation?>(nil)

    package init() {}

    package func fire(_ event: Event) {
        armed.withLock { _ = $0?.yield(event) }
    }

    /// Every event fired from now on, in order.
    ///
    /// Arming again ends the stream before.
    package func arm() -> AsyncStream<Event> {
        let (stream, continuation) = AsyncStream.makeStream(of: Event.self)
        let replaced = armed.withLock { current in
            defer { current = continuation }
            return current
        }
        replaced?.finish()
        return stream
    }

    /// Ends the stream: a test that still iterates goes on after its loop.
    package func disarm() {
        let ended = armed.withLock { current in
            defer { current = nil }
            return current
        }
        ended?.finish()
    }
}
