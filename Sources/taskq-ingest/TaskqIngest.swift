import Glibc
import IngestDaemon

/// taskq-ingest: takes tasks over HTTP, checks them, and answers when the broker has them on disk.
@main enum TaskqIngest {
    static func main() {
        exit(IngestDaemon.run(Array(CommandLine.arguments.dropFirst())))
    }
}
