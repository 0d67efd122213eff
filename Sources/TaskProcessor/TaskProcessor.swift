private import Glibc

/// Runs a processor: takes tasks from the worker, hands each to a function, and gives its answer back.
///
/// ```swift
/// import TaskProcessor
///
/// struct Greeting: Decodable {
///     let name: String
/// }
///
/// @main enum Greeter {
///     static func main() {
///         TaskProcessor.run(Greeting.self) { greeting, task in
///             TaskProcessor.log(.info, "hello \(greeting.name), attempt \(task.attempt)")
///             return .ack(result: "greeted \(greeting.name)")
///         }
///     }
/// }
/// ```
///
/// The same program serves `mode = "stream"`, one task after the other until its stdin ends, and
/// `mode = "oneshot"`, one task and its exit status. A task is delivered at least once: make what it does
/// depend on ``ReceivedTask/id``.
///
/// What the function throws is a nack with the error's description, so the task is tried again;
/// ``PayloadError`` dead-letters it. To answer otherwise, return a ``TaskAnswer``.
///
/// SIGTERM comes when an attempt's time is over, and when a worker stops that can wait no longer. SIGKILL
/// follows after five seconds. A synchronous function ends with it as any program does. An asynchronous one
/// is cancelled: it has these seconds to put in order what it leaves behind, and its answer counts only if
/// the time was not over. Without a task in hand the process ends at once.
public enum TaskProcessor {
    /// Serves with a synchronous function until stdin ends, then ends the process.
    ///
    /// Tasks come one at a time, on the calling thread.
    public static func run(_ handle: (ReceivedTask) throws -> TaskAnswer) -> Never {
        // A worker that went away shows as EPIPE.
        signal(SIGPIPE, SIG_IGN)
        exit(serve(Invocation(), handle))
    }

    /// Serves with an asynchronous function until stdin ends or SIGTERM comes, then ends the process.
    ///
    /// Tasks come one at a time: the next one after the function has returned.
    public static func run(
        _ handle: @escaping @Sendable (ReceivedTask) async throws -> TaskAnswer
    ) async -> Never {
        signal(SIGPIPE, SIG_IGN)
        guard let termination = Termination() else {
            log(.error, "no pipe can be made, errno \(errno)")
            exit(ProcessorExit.workerGone)
        }
        termination.followSignal()
        exit(await serve(Invocation(), termination, handle))
    }

    /// As ``run(_:)-(_)``, with each payload decoded; one that is of another type is dead-lettered.
    public static func run<Payload: Decodable>(
        _ type: Payload.Type, _ handle: (Payload, ReceivedTask) throws -> TaskAnswer
    ) -> Never {
        run { task in try handle(task.decode(type), task) }
    }

    /// The same with an asynchronous function.
    public static func run<Payload: Decodable & Sendable>(
        _ type: Payload.Type,
        _ handle: @escaping @Sendable (Payload, ReceivedTask) async throws -> TaskAnswer
    ) async -> Never {
        await run { task in try await handle(task.decode(Payload.self), task) }
    }
}
