package import Configuration

/// How an ingest runs.
package struct IngestOptions: Hashable, Sendable {
    /// Bounds of time, milliseconds.
    package struct Timeouts: Hashable, Sendable {
        /// From a request's first byte to the end of its head.
        package var head: UInt64 = 5_000
        /// From the end of a head to the end of its body.
        package var body: UInt64 = 30_000
        /// Without a request.
        package var idle: UInt64 = 15_000
        /// For the client to take the last answer and close.
        package var linger: UInt64 = 2_000
        /// For the broker's word; stays below the second within which a client is answered.
        package var reply: UInt64 = 950
        /// For all connections to end after the signal to stop.
        package var drain: UInt64 = 10_000
        /// How often connections are looked at; the others are kept to this precision.
        package var sweep: UInt64 = 250
        package init() {}
    }

    package var listen: ListenAddress
    /// False where `listen` is only the default.
    package var listenIsSet = true
    /// A listening socket that the service manager opened, instead of `listen`.
    package var inheritedSocket: CInt?
    /// The path that the broker listens at.
    package var brokerSocket: String
    package var maxBodyBytes = 1 << 20
    package var maxConnections = 4_096
    /// Bytes that all bodies together may take while they are on their way.
    package var unfinishedBytesMax = 64 << 20
    package var timeouts = Timeouts()
    /// Check and answer, but ask no broker and store nothing: for measuring the server alone.
    package var answersWithoutQueue = false

    package init(listen: ListenAddress, brokerSocket: String) {
        self.listen = listen
        self.brokerSocket = brokerSocket
    }

    /// Without a queue only where no real client can mistake the answers for a promise.
    package init(
        _ configuration: ServiceConfiguration, inheritedSocket: CInt? = nil, answersWithoutQueue: Bool = false
    ) throws(IngestError) {
        if answersWithoutQueue {
            guard configuration.environment != "prod" else {
                throw .wouldNotStore(because: "the environment is \"prod\"")
            }
            guard inheritedSocket == nil else {
                throw .wouldNotStore(because: "the service manager passed a socket")
            }
        }
        self.inheritedSocket = inheritedSocket
        self.answersWithoutQueue = answersWithoutQueue
        listen = configuration.api.listen
        listenIsSet = configuration.api.listenIsSet
        brokerSocket = configuration.paths.ingestSocket
        maxBodyBytes = configuration.api.maxBodyBytes
        maxConnections = configuration.api.maxConnections
    }
}

/// Why an ingest does not start, or had to end.
package enum IngestError: Error, Hashable, Sendable {
    case listenFailed(address: String, reason: String)
    /// The service manager's socket and `[api] listen` say different things.
    case addressesDiffer(inherited: String, configured: String)
    /// Anything but loopback needs API keys.
    case openToTheNetwork(address: String)
    case tooManyInheritedSockets(count: Int)
    /// The switch for measurements was given where real clients may post.
    case wouldNotStore(because: String)
    case brokerSocketFailed(String)
    case systemCallFailed(String)
}

extension IngestError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .listenFailed(let address, let reason): "cannot listen on \(address): \(reason)"
        case .addressesDiffer(let inherited, let configured):
            "taskq-ingest.socket listens on \(inherited), but [api] listen is \(configured): "
                + "remove one of the two, or change ListenStream= with `systemctl edit taskq-ingest.socket`"
        case .openToTheNetwork(let address):
            "\(address) can be reached from other machines, and there are no API keys: listen on 127.0.0.1"
        case .tooManyInheritedSockets(let count): "the service manager passed \(count) sockets, expected one"
        case .wouldNotStore(let reason):
            "--answer-without-queue stores nothing and is for measurements only, but \(reason)"
        case .brokerSocketFailed(let reason): "the broker's socket failed: \(reason)"
        case .systemCallFailed(let reason): reason
        }
    }
}
