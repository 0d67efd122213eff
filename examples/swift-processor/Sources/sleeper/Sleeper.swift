import TaskProcessor

struct Nap: Decodable {
    let seconds: Double
}

/// An asynchronous processor: SIGTERM cancels the nap, and what is left is put in order before it ends.
@main enum Sleeper {
    static func main() async {
        await TaskProcessor.run(Nap.self) { nap, task in
            task.extend(by: .seconds(nap.seconds + 10))
            do {
                try await Task.sleep(for: .seconds(nap.seconds))
            } catch {
                TaskProcessor.log(.notice, "woken early")
                return .nack("woken early", retryAfter: .seconds(1))
            }
            return .ack
        }
    }
}
