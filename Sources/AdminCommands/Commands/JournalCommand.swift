import ArgumentParser
private import Configuration
private import Glibc
package import Journal
private import LinuxSystem
private import ServiceLog

/// The commands `taskq journal ...`, about the journal's files; only a backup asks the broker to keep them.
struct JournalCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "journal", abstract: "Look at the journal's files; back them up and restore them.",
        discussion: "The broker may be running, but for a restore.",
        subcommands: [
            JournalVerifyCommand.self, JournalStatCommand.self, JournalBackupCommand.self,
            JournalRestoreCommand.self,
        ])

    /// EX_DATAERR, as the broker's.
    static let damagedStatus: Int32 = 65
}

/// Which journal is meant.
struct JournalChoice: ParsableArguments {
    @OptionGroup var common: CommonOptions

    @Argument(help: "The journal's folder, or the state folder it lies in. Default: the broker's.")
    var directory: String?

    func inspect() throws -> JournalInspection {
        let named = directory ?? StateLocation.paths(option: common.state).journalDirectory
        let inner = "\(named)/journal"
        return try JournalInspection.inspect(FileContents.isDirectory(inner) ? inner : named)
    }
}

/// The command `taskq journal verify [DIR]`.
struct JournalVerifyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify", abstract: "Read the whole journal and say whether it is whole.",
        discussion: """
            Every checksum of every segment and checkpoint is computed, the records are replayed, and each \
            queue's sums are checked. Exit codes: 0 whole, 1 cannot be read, 65 damaged.
            """)

    @OptionGroup var choice: JournalChoice

    func run() throws {
        let inspection = try choice.inspect()
        print(
            choice.common.json ? JournalText.json(inspection) : JournalText.verdict(inspection),
            terminator: "")
        guard inspection.isWhole else { throw ExitStatusRequest(code: JournalCommand.damagedStatus) }
    }
}

/// The command `taskq journal stat [DIR]`.
struct JournalStatCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stat", abstract: "Count what the journal holds: segments, checkpoints, queues, bytes.",
        discussion: "Exit codes as those of 'taskq journal verify'.")

    @OptionGroup var choice: JournalChoice

    func run() throws {
        let inspection = try choice.inspect()
        print(
            choice.common.json ? JournalText.json(inspection) : JournalText.statistics(inspection),
            terminator: "")
        guard inspection.isWhole else { throw ExitStatusRequest(code: JournalCommand.damagedStatus) }
    }
}

/// What a look at a journal found.
package struct JournalInspection: Sendable {
    package let directory: String
    package let verification: JournalVerification
    package let census: JournalCensus
    /// The process that had the journal open meanwhile.
    package let ownerPID: Int32?

    /// Looks made where a broker writes while one reads, before something wrong is believed.
    private static let looksMax = 5

    package static func inspect(_ directory: String) throws -> JournalInspection {
        let storage = FileStorage(directory: directory)
        for look in 1... {
            let owner = JournalOwner.pid(of: directory)
            var census = JournalCensus()
            let verification: JournalVerification
            do {
                verification = try JournalVerification(storage, sink: &census)
            } catch {
                throw CommandFailure.failed("\(directory): \(error)")
            }
            guard !verification.isAbsent else {
                throw CommandFailure.failed("there is no journal in \(directory)")
            }
            let inspection = JournalInspection(
                directory: directory, verification: verification, census: census, ownerPID: owner)
            if inspection.isWhole || owner == nil || look == looksMax {
                if case .failure(let error) = verification.recovery, !error.isDamage {
                    throw CommandFailure.failed("\(directory): \(error)")
                }
                return inspection
            }
        }
        preconditionFailure("the looks at a journal have no end")
    }

    /// Whole, and every queue's sums hold.
    package var isWhole: Bool { verification.isWhole && census.isWhole }
}

/// Finds who has a journal open, without taking its lock: a broker that starts meanwhile would be refused.
enum JournalOwner {
    static func pid(of directory: String) -> Int32? {
        var entry = stat()
        guard stat("\(directory)/lock", &entry) == 0 else { return nil }
        let locks: [UInt8]
        do {
            locks = try FileContents.read("/proc/locks", maximumBytes: 4 << 20)
        } catch {
            return nil
        }
        let place = "\(hex(major(entry.st_dev))):\(hex(minor(entry.st_dev))):\(entry.st_ino)"
        for line in String(decoding: locks, as: UTF8.self).split(separator: "\n") {
            let fields = line.split(separator: " ")
            guard fields.count >= 6, fields[1] == "FLOCK", fields[5] == place else { continue }
            return Int32(fields[4])
        }
        return nil
    }

    /// As glibc's macros take a device's number apart.
    private static func major(_ device: dev_t) -> UInt64 {
        UInt64(device) >> 8 & 0xFFF | UInt64(device) >> 32 & ~0xFFF
    }

    private static func minor(_ device: dev_t) -> UInt64 {
        UInt64(device) & 0xFF | UInt64(device) >> 12 & ~0xFF & 0xFFFF_FFFF
    }

    private static func hex(_ number: UInt64) -> String {
        let digits = String(number, radix: 16)
        return digits.count < 2 ? "0\(digits)" : digits
    }
}
