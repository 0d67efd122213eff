import TaskProcessor

/// The processor of the queue `tasks`: checks the shape once more, logs, and does each task once however
/// often it comes.
@main enum TasksProcessor {
    static func main() {
        var done = DoneTasks(path: "\(TaskProcessor.stateDirectory)/done")
        TaskProcessor.run { task in
            if let problem = TaskShape.problem(in: task.payload) { return .dead(problem) }
            guard !done.contains(task.id) else {
                TaskProcessor.log(.notice, "task \(task.id) was done before, attempt \(task.attempt)")
                return .ack
            }
            let priority = task.payload["priority"]?.string ?? ""
            TaskProcessor.log(.info, "task \(task.id) done, priority \(priority)")
            done.insert(task.id)
            return .ack
        }
    }
}
