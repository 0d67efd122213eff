import Glibc
import LinuxSystem
import Synchronization

/// Waits for the broker's socket on a thread of its own, since an event loop of NIO polls only its own
/// descriptors.
///
/// libzmq's descriptors are edge-triggered: each wake-up is handed to the event loop, and the thread polls
/// again only when the loop says that it has taken all there was.
final class BrokerWatcher: Sendable {
    private let thread: Mutex<SystemThread?>
    private let stop: EventDescriptor
    private let baton: Baton

    /// `wake` is called on the watcher's thread; ``Baton/pass()`` lets the watcher go on.
    init(
        descriptors: [CInt], baton: Baton, wake: @escaping @Sendable () -> Void
    ) throws(SystemError) {
        let stop = try EventDescriptor()
        self.stop = stop
        self.baton = baton
        let thread = try SystemThread(name: "taskq-broker-fd") {
            Self.watch(descriptors, stop: stop, baton: baton, wake: wake)
        }
        self.thread = Mutex(thread)
    }

    private static func watch(
        _ descriptors: [CInt], stop: EventDescriptor, baton: Baton, wake: @Sendable () -> Void
    ) {
        var items = (descriptors + [stop.rawValue]).map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
        while true {
            let count = poll(&items, nfds_t(items.count), -1)
            if count < 0 && errno == EINTR { continue }
            precondition(count > 0, "poll on open descriptors fails only when interrupted")
            if items[items.count - 1].revents != 0 { return }
            wake()
            baton.take()
        }
    }

    /// Ends the thread and waits for that.
    func end() {
        stop.signal()
        baton.pass()
        let thread = thread.withLock { $0.take() }
        thread?.join()
    }
}

/// Handed back and forth between two threads.
// Safe to share: a POSIX semaphore is made for it, and the pointer never changes.
final class Baton: @unchecked Sendable {
    private let semaphore = UnsafeMutablePointer<sem_t>.allocate(capacity: 1)

    init() {
        let status = sem_init(semaphore, 0, 0)
        precondition(status == 0, "sem_init fails only for impossible values")
    }

    deinit {
        sem_destroy(semaphore)
        semaphore.deallocate()
    }

    func pass() { sem_post(semaphore) }

    func take() {
        while sem_wait(semaphore) != 0 {
            precondition(errno == EINTR, "sem_wait fails only when interrupted")
        }
    }
}
