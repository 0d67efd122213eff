private import Glibc

/// A thread of the kernel's, for work that must not share a pool.
///
/// Joined exactly once by its owner.
package struct SystemThread: ~Copyable {
    private let handle: pthread_t

    /// Starts a thread.
    ///
    /// The corresponding C function is `pthread_create`.
    package init(name: String, _ body: sending @escaping () -> Void) throws(SystemError) {
        let start = Unmanaged.passRetained(ThreadStart(name: name, body: body))
        var handle = pthread_t()
        let failure = pthread_create(
            &handle, nil,
            { argument in
                guard let argument else { return nil }
                let start = Unmanaged<ThreadStart>.fromOpaque(argument).takeRetainedValue()
                ProcessControl.nameThread(start.name)
                start.body()
                return nil
            }, start.toOpaque())
        guard failure == 0 else {
            start.release()
            throw SystemError(call: "pthread_create", errno: failure)
        }
        self.handle = handle
    }

    /// Waits until the thread's body has returned.
    package consuming func join() {
        let thread = handle
        discard self
        pthread_join(thread, nil)
    }

    deinit { pthread_detach(handle) }
}

private final class ThreadStart {
    let name: String
    let body: () -> Void

    init(name: String, body: @escaping () -> Void) {
        self.name = name
        self.body = body
    }
}
