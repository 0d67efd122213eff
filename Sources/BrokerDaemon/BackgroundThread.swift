private import Glibc
package import LinuxSystem
import Synchronization

/// Runs background jobs one after the other on a thread of its own; reads overtake the long ones.
package final class BackgroundThread: BackgroundWork {
    /// Shared with the thread, which outlives its owner only to finish its last job.
    private final class Shared: Sendable {
        struct Queues: Sendable {
            var urgent: [BackgroundJob] = []
            var jobs: [BackgroundJob] = []
            var results: [BackgroundResult] = []
            var isStopping = false
        }

        let queues = Mutex(Queues())
        let work: EventDescriptor
        let done: EventDescriptor

        init(work: EventDescriptor, done: EventDescriptor) {
            self.work = work
            self.done = done
        }
    }

    private let shared: Shared
    private let thread: SystemThread

    package init() throws(SystemError) {
        let work = try EventDescriptor()
        let done = try EventDescriptor()
        let shared = Shared(work: work, done: done)
        let thread = try SystemThread(name: "journal-work") { BackgroundThread.run(shared) }
        self.shared = shared
        self.thread = thread
    }

    deinit {
        shared.queues.withLock { $0.isStopping = true }
        shared.work.signal()
    }

    /// Readable when results wait.
    package var descriptor: CInt { shared.done.rawValue }

    package func submit(_ job: BackgroundJob) {
        shared.queues.withLock { queues in
            switch job {
            case .read: queues.urgent.append(job)
            case .prepareSegment, .writeCheckpoint, .scan: queues.jobs.append(job)
            }
        }
        shared.work.signal()
    }

    package func takeResults() -> [BackgroundResult] {
        shared.done.acknowledge()
        return shared.queues.withLock { queues in
            defer { queues.results = [] }
            return queues.results
        }
    }

    private static func run(_ shared: Shared) {
        while true {
            let next = shared.queues.withLock { queues -> (job: BackgroundJob?, stop: Bool) in
                if !queues.urgent.isEmpty { return (queues.urgent.removeFirst(), false) }
                if !queues.jobs.isEmpty { return (queues.jobs.removeFirst(), false) }
                return (nil, queues.isStopping)
            }
            if next.stop { return }
            guard let job = next.job else {
                waitForWork(shared.work)
                continue
            }
            let result = job.run()
            shared.queues.withLock { $0.results.append(result) }
            shared.done.signal()
        }
    }

    private static func waitForWork(_ event: EventDescriptor) {
        var descriptor = pollfd(fd: event.rawValue, events: Int16(POLLIN), revents: 0)
        _ = poll(&descriptor, 1, -1)
        event.acknowledge()
    }
}
