import LinuxSystem

/// Watches plugin folders with everything in them, and says which plugin was touched.
final class PluginTree {
    enum Touch: Hashable {
        case plugin(String)
        /// Look at everything: events were lost, or a folder itself came or went.
        case everything
    }

    private struct Place {
        /// Which of the folders.
        let root: Int
        let path: String
        /// The name in the folder under which this directory lies; nil for the folder itself.
        let entry: String?
        let depth: Int
    }

    /// Directories below a plugin folder that are watched, counted from it.
    private static let depthMax = 8
    private static let watchesMax = 8_192
    /// What is large, changes by itself, and holds no plugin's entry.
    private static let unwatched: Set<String> = ["__pycache__", "node_modules"]

    private let folders: [String]
    private let watch: DirectoryWatch?
    private var places: [DirectoryWatch.WatchID: Place] = [:]
    /// Why something is not watched, for people; it has to be looked at from time to time.
    private(set) var blindness: String?
    private var unwatchedRoots: Set<Int> = []

    /// - Parameter folders: absolute; they need not exist.
    init(_ folders: [String]) {
        self.folders = folders
        do throws(SystemError) {
            let made = try DirectoryWatch()
            descriptor = made.rawValue
            watch = consume made
        } catch {
            watch = nil
            descriptor = nil
            blindness = "\(error): raise fs.inotify.max_user_instances"
        }
        unwatchedRoots = Set(folders.indices)
        watchMissingRoots()
    }

    let descriptor: CInt?

    /// Whether changes may go unseen, so that somebody has to look without being told.
    var isBlind: Bool { blindness != nil || !unwatchedRoots.isEmpty }

    /// Watches the folders that have come into being since; true if there was one.
    @discardableResult
    func watchMissingRoots() -> Bool {
        let missing = unwatchedRoots
        for root in missing.sorted() where FileContents.isDirectory(folders[root]) {
            if add(Place(root: root, path: folders[root], entry: nil, depth: 0)) {
                unwatchedRoots.remove(root)
            }
        }
        return missing != unwatchedRoots
    }

    /// What was touched since the last call.
    func takeTouches() throws(SystemError) -> Set<Touch> {
        var touches: Set<Touch> = []
        for event in try watch?.read() ?? [] {
            if event.kind == .overflow {
                touches.insert(.everything)
                watchAnew()
                continue
            }
            guard let place = places[event.watch] else { continue }
            take(event, at: place)
            if let entry = place.entry ?? (event.name.isEmpty ? nil : event.name) {
                touches.insert(.plugin(Self.queue(of: entry)))
            } else {
                touches.insert(.everything)
            }
        }
        return touches
    }

    /// The name up to its first dot: what a single file's queue is, and a folder's name has none.
    static func queue(of entry: String) -> String { String(entry.prefix { $0 != "." }) }

    private func take(_ event: DirectoryWatch.Event, at place: Place) {
        switch event.kind {
        case .fileChanged:
            // A link to a folder that lies elsewhere.
            if place.depth == 0, !event.name.isEmpty { watchBelow(place, event.name) }
        case .directoryAppeared:
            watchBelow(place, event.name)
        case .directoryLeft:
            forget(below: "\(place.path)/\(event.name)")
        case .moved:
            forget(below: place.path)
            if place.depth == 0 { unwatchedRoots.insert(place.root) }
        case .over:
            places[event.watch] = nil
            if place.depth == 0 { unwatchedRoots.insert(place.root) }
        case .overflow:
            return
        }
    }

    private func watchBelow(_ place: Place, _ name: String) {
        guard place.depth < Self.depthMax, !name.hasPrefix("."), !Self.unwatched.contains(name) else {
            return
        }
        let path = "\(place.path)/\(name)"
        // Links are followed in the plugin folder alone: deeper they may lead in circles.
        guard FileContents.isDirectory(path), place.depth == 0 || !isLink(path) else { return }
        add(Place(root: place.root, path: path, entry: place.entry ?? name, depth: place.depth + 1))
    }

    private func isLink(_ path: String) -> Bool {
        (try? FileContents.linkTarget(path)) != nil  // ignoring: what is no link has no target
    }

    /// With all that is below; what came into being meanwhile is found by the list that follows the watch.
    @discardableResult
    private func add(_ place: Place) -> Bool {
        guard places.count < Self.watchesMax else {
            blindness = "there are more than \(Self.watchesMax) directories below the plugin folders"
            return false
        }
        do throws(SystemError) {
            guard let id = try watch?.add(place.path) else { return false }
            places[id] = place
            for name in try FileContents.names(in: place.path) { watchBelow(place, name) }
        } catch {
            // One that is gone again has said so to the directory above it.
            if !FileContents.isDirectory(place.path) { return false }
            blindness = "\(error)"
            return false
        }
        return true
    }

    private func forget(below path: String) {
        for (id, place) in places where place.path == path || place.path.hasPrefix(path + "/") {
            places[id] = nil
            watch?.remove(id)
        }
    }

    /// After lost events nobody knows what is watched still.
    private func watchAnew() {
        for id in places.keys { watch?.remove(id) }
        places = [:]
        unwatchedRoots = Set(folders.indices)
        watchMissingRoots()
    }
}
