package import ProcessorSupervision
package import TaskModel

/// What one look at the plugin folders found, layered: a name in an earlier folder hides it in later ones.
package struct FolderObservation: Hashable, Sendable {
    /// Tells a folder from another one that took its path.
    package struct Identity: Hashable, Sendable {
        package var device: UInt64
        package var inode: UInt64

        package init(device: UInt64, inode: UInt64) {
            self.device = device
            self.inode = inode
        }
    }

    package struct Plugin: Hashable, Sendable {
        package var plugin: PluginFolder.Plugin
        /// The working directory's.
        package var identity: Identity
        /// Which of the plugin folders it is in, 0 for the first.
        package var rank: Int
        /// What the manifest says of the queue; nil where it cannot be read.
        package var defaults: QueueDefaults?
        /// What the manifest lets the processors use; told to the service manager.
        package var resources: PluginResources
        /// Plugins of the same name that it hides.
        package var hides: [String]

        package init(
            _ plugin: PluginFolder.Plugin, identity: Identity, rank: Int = 0,
            defaults: QueueDefaults? = QueueDefaults(), resources: PluginResources = PluginResources(),
            hides: [String] = []
        ) {
            self.plugin = plugin
            self.identity = identity
            self.rank = rank
            self.defaults = defaults
            self.resources = resources
            self.hides = hides
        }

        package var queue: String { plugin.queue }

        /// The plugin as people and workers name it: its folder, or its single file.
        package var path: String {
            plugin.executable == "\(plugin.directory)/processor" ? plugin.directory : plugin.executable
        }
    }

    /// By their queues.
    package var plugins: [String: Plugin] = [:]
    /// Queues whose plugin an empty file or a link to /dev/null hides, with the folder that it lies in.
    package var masks: [String: String] = [:]
    package var problems: [PluginFolder.Problem] = []

    package init() {}

    /// Every queue that something was found for.
    var queues: Set<String> {
        Set(plugins.keys).union(masks.keys).union(problems.compactMap(\.queue))
    }
}

/// What a manifest lets a queue's processors use, all of them together; nil: nothing was said.
package struct PluginResources: Hashable, Sendable {
    package var memoryMaxBytes: UInt64?
    package var tasksMax: Int?
    /// Of one CPU, in per cent.
    package var cpuQuotaPercent: Int?

    package init() {}
}
