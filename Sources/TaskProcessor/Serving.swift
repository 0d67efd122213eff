private import Glibc
internal import LinuxSystem

/// How the worker started this process: what it wants, and the descriptors.
package struct Invocation: Sendable {
    let input: CInt
    let answers: AnswerChannel
    let environment: @Sendable (String) -> String?

    /// - Parameter environment: a variable of oneshot mode, `TASKQ_TASK_ID`, tells the modes apart.
    package init(
        input: CInt = 0, answers: CInt? = nil,
        environment: @escaping @Sendable (String) -> String? = TaskProcessor.environment
    ) {
        self.input = input
        self.environment = environment
        let descriptor = answers ?? environment("TASKQ_FD").flatMap { CInt($0) } ?? 3
        self.answers = AnswerChannel(
            mode: environment("TASKQ_TASK_ID") == nil ? .stream : .oneshot, descriptor: descriptor)
    }

    /// The next task; nil where there is none, and the process ends.
    fileprivate func next(_ input: inout TaskInput) -> Next {
        switch answers.mode {
        case .stream:
            while let line = input.nextLine() {
                if let task = ReceivedTask(line: line, answers: answers) { return .task(task) }
                TaskProcessor.log(.error, "a line on stdin is no task")
            }
            return .end(ProcessorExit.done)
        case .oneshot:
            guard let bytes = input.whole() else { return .end(ProcessorExit.later) }
            if let task = ReceivedTask(payload: bytes, environment: environment, answers: answers) {
                return .task(task)
            }
            TaskProcessor.log(.error, "the payload on stdin is not whole JSON")
            return .end(ProcessorExit.never)
        }
    }

    fileprivate enum Next: Sendable {
        case task(ReceivedTask)
        case end(CInt)
    }
}

extension TaskProcessor {
    /// The loop on the calling thread; returns the exit status.
    package static func serve(
        _ invocation: Invocation, _ handle: (ReceivedTask) throws -> TaskAnswer
    ) -> CInt {
        let answers = invocation.answers
        guard answers.announce() else { return ProcessorExit.workerGone }
        var input = TaskInput(Descriptor(invocation.input))
        while true {
            switch invocation.next(&input) {
            case .end(let status): return status
            case .task(let task):
                let answer: TaskAnswer
                do {
                    answer = try handle(task)
                } catch {
                    answer = TaskAnswer(for: error)
                }
                if let status = answers.give(answer, id: task.id) { return status }
            }
        }
    }

    /// The same for an asynchronous function, which is cancelled when `termination` is told.
    package static func serve(
        _ invocation: Invocation, _ termination: Termination,
        _ handle: @escaping @Sendable (ReceivedTask) async throws -> TaskAnswer
    ) async -> CInt {
        guard invocation.answers.announce() else { return ProcessorExit.workerGone }
        let (arrivals, feed) = AsyncStream.makeStream(of: Invocation.Next.self)
        let (interruptions, interruption) = AsyncStream.makeStream(of: Void.self)
        let reader: SystemThread
        do {
            reader = try SystemThread(name: "stdin") {
                read(invocation, termination, feed)
                termination.wait()
                interruption.yield()
            }
        } catch {
            log(.error, "no thread can be started: \(error)")
            return ProcessorExit.workerGone
        }
        let status = await withTaskGroup(of: CInt?.self) { group in
            group.addTask { await work(arrivals, invocation, handle) }
            group.addTask {
                for await _ in interruptions { break }
                return nil
            }
            var status: CInt?
            // Whichever ends first, the other one has nothing left to do.
            for await ended in group {
                status = status ?? ended
                group.cancelAll()
            }
            return status
        }
        termination.tell()
        reader.join()
        return status ?? ProcessorExit.done
    }

    /// Feeds tasks until there are no more, or the termination is told.
    private static func read(
        _ invocation: Invocation, _ termination: Termination,
        _ feed: AsyncStream<Invocation.Next>.Continuation
    ) {
        var input = TaskInput(Descriptor(invocation.input), interruption: termination.reading)
        while true {
            let next = invocation.next(&input)
            if input.isInterrupted { break }
            feed.yield(next)
            guard case .task = next, invocation.answers.mode == .stream else { break }
        }
        feed.finish()
    }

    /// One task after the other; nil where it was cancelled before there was an end.
    private static func work(
        _ arrivals: AsyncStream<Invocation.Next>, _ invocation: Invocation,
        _ handle: @escaping @Sendable (ReceivedTask) async throws -> TaskAnswer
    ) async -> CInt? {
        for await next in arrivals {
            // What had arrived by then is given to somebody else.
            if Task.isCancelled { break }
            switch next {
            case .end(let status): return status
            case .task(let task):
                let answer: TaskAnswer
                do {
                    answer = try await handle(task)
                } catch {
                    answer = TaskAnswer(for: error)
                }
                if let status = invocation.answers.give(answer, id: task.id) { return status }
            }
        }
        return nil
    }
}
