package import Configuration
private import Glibc
private import LinuxSystem

/// Where the journal lies: whose it is, on what, with how much room, and how fast it syncs.
package struct DiskChecks {
    /// File systems that keep nothing over a reboot, or whose syncs end on another machine.
    private static let unfit: Set<String> = [
        "tmpfs", "ramfs", "devtmpfs", "nfs", "nfs4", "cifs", "smb3", "9p", "fuse.sshfs", "ceph", "glusterfs",
    ]
    /// Syncs that are timed; the middle one counts.
    private static let syncs = 21
    /// A disk that takes longer holds up every post, milliseconds.
    private static let slowSyncMilliseconds: UInt64 = 20

    private let journal: ServiceConfiguration.Journal
    private let directory: String

    package init(_ journal: ServiceConfiguration.Journal) {
        self.journal = journal
        directory = journal.directory
    }

    package func run() -> [Finding] {
        guard let place = existingPlace() else {
            return [
                .problem("state folder", "\(directory): no folder above it", cure: "mkdir -p \(directory)")
            ]
        }
        return [ownership(place), fileSystem(place), room(place), syncTime(place)]
    }

    /// The journal's folder, or the nearest one above it while no broker has made it.
    private func existingPlace() -> String? {
        var path: String? = directory
        while let place = path {
            if FileContents.isDirectory(place) { return place }
            path = FileContents.parentDirectory(of: place) ?? (place.hasPrefix("/") ? "/" : ".")
            if path == place { return nil }
        }
        return nil
    }

    private func ownership(_ place: String) -> Finding {
        let check = "state folder"
        guard place == directory else {
            return .note(
                check, "\(directory) does not exist yet; the broker makes it",
                cure: "start the broker: taskq up, or systemctl start taskq.target")
        }
        var status = stat()
        guard stat(place, &status) == 0 else {
            let reason = SystemError.text(of: errno)
            return .problem(check, "\(place): \(reason)", cure: "look at its permissions")
        }
        let mode = String(status.st_mode & 0o7777, radix: 8)
        guard status.st_mode & 0o077 == 0 else {
            return .problem(
                check, "\(place) has mode \(mode): others may read or change the tasks",
                cure: "chmod 700 \(place)")
        }
        var lock = stat()
        if stat("\(place)/lock", &lock) == 0, lock.st_uid != status.st_uid {
            return .problem(
                check, "\(place) belongs to uid \(status.st_uid), the files in it to uid \(lock.st_uid)",
                cure: "chown -R --reference=\(place) \(place)")
        }
        return .good(check, "\(place) belongs to uid \(status.st_uid), mode \(mode)")
    }

    private func fileSystem(_ place: String) -> Finding {
        let check = "file system"
        guard let type = Self.fileSystemType(of: place) else {
            return .note(check, "\(place): its kind is unknown", cure: "look at /proc/self/mountinfo")
        }
        guard Self.unfit.contains(type) else { return .good(check, "\(place) is on \(type)") }
        return .problem(
            check, "\(place) is on \(type): what is synced there need not outlive a crash of this machine",
            cure: "put [journal] directory on a local disk")
    }

    /// Of the mount point that is nearest above.
    private static func fileSystemType(of place: String) -> String? {
        guard let resolved = realpath(place, nil) else { return nil }
        defer { free(resolved) }
        let path = String(cString: resolved)
        let table: [UInt8]
        do throws(SystemError) {
            table = try FileContents.read("/proc/self/mountinfo", maximumBytes: 4 << 20)
        } catch {
            return nil
        }
        var best: (length: Int, type: String)?
        for line in String(decoding: table, as: UTF8.self).split(separator: "\n") {
            let fields = line.split(separator: " ")
            guard let dash = fields.firstIndex(of: "-"), dash + 1 < fields.count, fields.count > 4 else {
                continue
            }
            let point = String(fields[4])
            guard point == "/" || path == point || path.hasPrefix(point + "/") else { continue }
            // Of two mounts at one place the later one is seen.
            if point.count >= best?.length ?? 0 { best = (point.count, String(fields[dash + 1])) }
        }
        return best?.type
    }

    /// Room for the reserve and for two more segments.
    private func room(_ place: String) -> Finding {
        let check = "disk space"
        var facts = statvfs()
        guard statvfs(place, &facts) == 0 else {
            return .problem(check, "\(place): \(SystemError.text(of: errno))", cure: "look at the disk")
        }
        let free = UInt64(facts.f_bavail) * UInt64(facts.f_frsize)
        let whole = UInt64(facts.f_blocks) * UInt64(facts.f_frsize)
        let text = "\(HumanText.bytes(free)) free of \(HumanText.bytes(whole))"
        let least = journal.reserveBytes + 2 * journal.segmentBytes
        if free < least {
            return .problem(
                check, "\(text), and the journal needs \(HumanText.bytes(least)) to work with",
                cure: "free some space: taskq journal stat says what the journal takes")
        }
        if free < 4 * least {
            return .note(check, text, cure: "make room before posts are refused")
        }
        if facts.f_files > 0, facts.f_favail < 1_000 {
            return .note(check, "\(text), but only \(facts.f_favail) inodes", cure: "remove small files")
        }
        return .good(check, text)
    }

    private func syncTime(_ place: String) -> Finding {
        let check = "sync time"
        do throws(SystemError) {
            let nanoseconds = try measureSync(in: place)
            let rate = HumanText.count(1_000_000_000 / max(1, nanoseconds))
            let text = "\(HumanText.count(nanoseconds / 1_000)) µs for 4 KiB, \(rate) a second"
            guard nanoseconds < Self.slowSyncMilliseconds * 1_000_000 else {
                return .note(check, text, cure: "every post waits for one: use a faster disk")
            }
            return .good(check, text)
        } catch {
            guard error.errno == EACCES || error.errno == EPERM || error.errno == EROFS else {
                return .problem(check, "\(error)", cure: "look at the disk: dmesg, smartctl")
            }
            return .note(
                check, "not measured: \(error)", cure: "run taskq doctor as root or as the broker's user")
        }
    }

    /// The middle one of some syncs, each of 4 KiB written over in a file without a name, nanoseconds.
    private func measureSync(in folder: String) throws(SystemError) -> UInt64 {
        let path = "\(folder)/.taskq-doctor-\(getpid())"
        let file = try OwnedDescriptor(opening: path, flags: O_CREAT | O_EXCL | O_RDWR)
        unlink(path)
        let page = [UInt8](repeating: 1, count: 4_096)
        var times: [UInt64] = []
        for _ in 0..<Self.syncs {
            let began = Clocks.monotonicNanoseconds()
            let written = page.withUnsafeBytes { pwrite(file.rawValue, $0.baseAddress, $0.count, 0) }
            guard written == page.count else { throw SystemError("write in \(folder)") }
            guard fdatasync(file.rawValue) == 0 else { throw SystemError("fdatasync in \(folder)") }
            times.append(Clocks.monotonicNanoseconds() - began)
        }
        return times.sorted()[times.count / 2]
    }
}
