private import LinuxSystem
import Logging

/// swift-log's side of a ``ServiceLog``.
struct ServiceLogHandler: LogHandler {
    let ring: LineRing
    private let level: LogLevel
    /// Of this handler alone.
    private var ownLevel: Logger.Level?
    var metadata: Logger.Metadata = [:]
    var metadataProvider: Logger.MetadataProvider?

    init(ring: LineRing, level: LogLevel) {
        self.ring = ring
        self.level = level
    }

    var logLevel: Logger.Level {
        get { ownLevel ?? level.value }
        set { ownLevel = newValue }
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        var merged = metadata
        if let provided = metadataProvider?.get(), !provided.isEmpty {
            merged.merge(provided) { _, later in later }
        }
        if let explicit = event.metadata { merged.merge(explicit) { _, later in later } }
        let line = LogLine(
            level: event.level, message: event.message.description, metadata: merged,
            wallMilliseconds: Clocks.wallMilliseconds())
        _ = ring.add(line, countingDrop: true)
    }
}
