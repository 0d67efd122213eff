import Configuration
private import TaskModel
private import WireProtocol

/// Says which waiting tasks a configuration would expire, before any daemon takes it over.
enum ExpiryForecast {
    /// A line for each queue of the running broker whose oldest waiting task is older than its retention
    /// would be; none where no broker answers.
    static func notices(_ configuration: ServiceConfiguration, _ paths: StatePaths) -> [String] {
        let status: BrokerStatus
        do throws(CommandFailure) {
            status = try AdminClient(paths).status()
        } catch {
            // Nothing waits that this could change.
            return []
        }
        return status.queues.compactMap { queue in
            let retention = configuration.queueSettings(for: queue.name).retentionMilliseconds
            guard queue.pending > 0, queue.oldestAgeMilliseconds > retention else { return nil }
            let age = HumanText.duration(milliseconds: queue.oldestAgeMilliseconds)
            let kept = Quantities.durationText(retention)
            return "queue \(queue.name): its oldest waiting task is \(age) old, and retention is \(kept): of "
                + "\(HumanText.count(queue.pending)) waiting tasks some go to the dead-letter queue, expired"
        }
    }
}
