private import Configuration
private import Glibc
import LinuxSystem
import ProcessorSupervision

/// Looks at the plugin folders.
struct PluginScan {
    /// What tells a file from the one that it was.
    private struct Stamp: Equatable {
        let inode: UInt64
        let bytes: Int64
        let seconds: Int
        let nanoseconds: Int
    }

    private struct Reading {
        let stamp: Stamp
        /// Nil where the manifest cannot be read; the worker tells people what is wrong with it.
        let manifest: PluginManifest?
    }

    private let folders: [String]
    /// What each folder held when it could be read last.
    private var scans: [PluginFolder]
    private var readings: [String: Reading] = [:]

    /// - Parameter folders: absolute, without a slash at the end, the first one wins.
    init(_ folders: [String]) {
        self.folders = folders
        scans = folders.map { _ in PluginFolder() }
    }

    /// A folder that is there and cannot be read counts as it was: a passing error must not stop its workers.
    mutating func look() -> (observation: FolderObservation, troubles: [String]) {
        var troubles: [String] = []
        for (rank, folder) in folders.enumerated() {
            do throws(SystemError) {
                scans[rank] = PluginFolder.scan(folder, try PluginFolder.list(folder))
            } catch {
                if error.errno == ENOENT || error.errno == ENOTDIR {
                    scans[rank] = PluginFolder()
                } else {
                    troubles.append("\(error)")
                }
            }
        }
        return (observe(), troubles)
    }

    private mutating func observe() -> FolderObservation {
        let layered = PluginFolder.layered(scans)
        var observation = FolderObservation()
        observation.problems = layered.problems
        for queue in layered.masked {
            let rank = scans.firstIndex { $0.masked.contains(queue) }
            observation.masks[queue] = rank.map { folders[$0] }
        }
        for plugin in layered.plugins {
            let rank = scans.firstIndex { $0.plugins.contains(plugin) } ?? 0
            let hidden = scans[(rank + 1)...].flatMap(\.plugins).filter { $0.queue == plugin.queue }
            let manifest = plugin.manifest.map { read($0) } ?? PluginManifest()
            observation.plugins[plugin.queue] = FolderObservation.Plugin(
                plugin, identity: identity(of: plugin.directory), rank: rank,
                defaults: manifest?.queue.defaults, resources: PluginResources(manifest),
                hides: hidden.map(\.executable))
        }
        return observation
    }

    private func identity(of directory: String) -> FolderObservation.Identity {
        var status = stat()
        guard stat(directory, &status) == 0 else { return .init(device: 0, inode: 0) }
        return .init(device: UInt64(status.st_dev), inode: UInt64(status.st_ino))
    }

    private mutating func read(_ path: String) -> PluginManifest? {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        let stamp = Stamp(
            inode: UInt64(status.st_ino), bytes: Int64(status.st_size), seconds: status.st_mtim.tv_sec,
            nanoseconds: status.st_mtim.tv_nsec)
        if let known = readings[path], known.stamp == stamp { return known.manifest }
        let manifest = try? PluginManifest.load(path)  // ignoring: the worker tells people what is wrong
        readings[path] = Reading(stamp: stamp, manifest: manifest)
        return manifest
    }
}

extension PluginResources {
    fileprivate init(_ manifest: PluginManifest?) {
        self.init()
        memoryMaxBytes = manifest?.memoryMaxBytes
        tasksMax = manifest?.tasksMax
        cpuQuotaPercent = manifest?.cpuQuotaPercent
    }
}
