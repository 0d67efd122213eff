import TaskProcessor

struct Greeting: Decodable {
    let name: String
}

@main enum Greeter {
    static func main() {
        TaskProcessor.run(Greeting.self) { greeting, task in
            TaskProcessor.log(.info, "hello \(greeting.name), attempt \(task.attempt)")
            return .ack(result: "greeted \(greeting.name)")
        }
    }
}
