private import Configuration
private import LinuxSystem
private import ProcessorSupervision
import TaskModel

/// A plugin that the foreground stack serves.
struct DiscoveredPlugin {
    var queue: String
    /// What the worker gets as `--plugin`: the plugin's folder, or its single file.
    var path: String
    var settings: QueueSettings

    /// All plugins of the folders, the first folder's before the others', with what is wrong, for people.
    static func find(
        _ options: ForegroundOptions
    ) throws(CommandFailure) -> (plugins: [DiscoveredPlugin], problems: [String]) {
        var folders: [PluginFolder] = []
        do throws(SystemError) {
            for folder in options.pluginFolders {
                let path = try FileContents.absolute(folder)
                folders.append(PluginFolder.scan(path, try PluginFolder.list(path)))
            }
        } catch {
            throw .failed("the plugin folder cannot be read: \(error)")
        }
        let layered = PluginFolder.layered(folders)
        var problems = layered.problems.map(\.sentence)
        let plugins = layered.plugins.map { plugin in
            let isFolder = plugin.executable == "\(plugin.directory)/processor"
            let manifest = read(plugin.manifest, &problems)
            let settings = options.configuration.queueSettings(for: plugin.queue, manifest: manifest?.queue)
            return DiscoveredPlugin(
                queue: plugin.queue, path: isFolder ? plugin.directory : plugin.executable, settings: settings
            )
        }
        return (plugins, problems)
    }

    /// A bad manifest stalls its queue, says the worker, and stops nothing else.
    private static func read(_ path: String?, _ problems: inout [String]) -> PluginManifest? {
        guard let path else { return nil }
        do throws(ConfigurationError) {
            return try PluginManifest.load(path)
        } catch {
            problems += error.problems.map(\.description)
            return nil
        }
    }
}
