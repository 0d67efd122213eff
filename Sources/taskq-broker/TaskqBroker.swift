import BrokerDaemon
import Glibc

/// taskq-broker: owns the journal and the dead-letter queue, hands out tasks in order.
@main enum TaskqBroker {
    static func main() {
        exit(BrokerDaemon.run(Array(CommandLine.arguments.dropFirst())))
    }
}
