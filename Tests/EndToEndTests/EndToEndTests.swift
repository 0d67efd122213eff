import Testing

/// Real processes, real sockets, real files.
///
/// One after the other: each has the machine's two cores to itself.
@Suite(.serialized) enum EndToEndTests {
    /// A body that the built-in schema takes.
    static let task = #"{"title":"a","description":"b","priority":"low"}"#
}
