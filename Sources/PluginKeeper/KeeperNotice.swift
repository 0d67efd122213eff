package import ServiceLog

/// What the keeper has to say to people: a constant message, the facts beside it.
package struct KeeperNotice: Hashable, Sendable {
    package enum Level: String, Hashable, Sendable {
        case info
        case notice
        case warning
        case error
    }

    package var level: Level
    package var message: String
    package var fields: [String: String]
    /// Where it asks something of an admin.
    package var catalog: CatalogMessage?

    package init(
        _ level: Level, _ message: String, _ fields: [String: String] = [:], catalog: CatalogMessage? = nil
    ) {
        self.level = level
        self.message = message
        self.fields = fields
        self.catalog = catalog
    }
}
