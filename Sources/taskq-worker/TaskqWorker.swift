import Glibc
import WorkerDaemon

@main enum TaskqWorker {
    static func main() {
        exit(WorkerProgram.run(Array(CommandLine.arguments.dropFirst())))
    }
}
