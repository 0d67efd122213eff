/// Whether a plugin may be run at all, by who could have changed it.
///
/// Pure over what `stat` saw.
package struct PluginTrust: Hashable, Sendable {
    /// One path on the way to a processor.
    package struct PathFacts: Hashable, Sendable {
        package enum Role: Hashable, Sendable {
            /// What is executed, and its folder.
            case plugin
            /// A directory above the folder.
            case parent
        }

        package var path: String
        package var role: Role
        package var owner: UInt32
        /// Permission bits, the sticky bit (0o1000) included.
        package var mode: UInt32
        /// Where a symbolic link finally leads, absolute; nil for what is none.
        package var linkTarget: String?

        package init(path: String, role: Role, owner: UInt32, mode: UInt32, linkTarget: String? = nil) {
            self.path = path
            self.role = role
            self.owner = owner
            self.mode = mode
            self.linkTarget = linkTarget
        }
    }

    package enum Finding: Hashable, Sendable {
        case warning(String)
        case refusal(String)
    }

    /// Besides root.
    package var owners: Set<UInt32>
    /// An installed system refuses what a group may write; a developer's checkout warns.
    package var groupWritableIsRefused: Bool
    /// Entries may link only into these folders; nil lets them lead anywhere.
    package var linksStayInside: [String]?

    /// The rule of an installed system.
    package static func installed(owners: Set<UInt32>, pluginFolders: [String]) -> PluginTrust {
        PluginTrust(owners: owners, groupWritableIsRefused: true, linksStayInside: pluginFolders)
    }

    /// The rule of `taskq up`.
    package static func foreground(user: UInt32) -> PluginTrust {
        PluginTrust(owners: [user], groupWritableIsRefused: false, linksStayInside: nil)
    }

    package func findings(_ paths: [PathFacts]) -> [Finding] {
        paths.flatMap(findings)
    }

    private func findings(_ facts: PathFacts) -> [Finding] {
        var findings: [Finding] = []
        if facts.owner != 0, !owners.contains(facts.owner) {
            findings.append(.refusal("\(facts.path) belongs to uid \(facts.owner): chown root \(facts.path)"))
        }
        // In a sticky directory such as /tmp only the owner can replace what is in it.
        let isShared = facts.role == .parent && facts.mode & 0o1000 != 0
        if facts.mode & 0o002 != 0, !isShared {
            findings.append(.refusal("\(facts.path) can be written by everybody: chmod o-w \(facts.path)"))
        } else if facts.mode & 0o020 != 0, !isShared {
            let sentence = "\(facts.path) can be written by its group: chmod g-w \(facts.path)"
            findings.append(groupWritableIsRefused ? .refusal(sentence) : .warning(sentence))
        }
        if let target = facts.linkTarget, let folders = linksStayInside,
            !folders.contains(where: { target.hasPrefix($0 + "/") })
        {
            findings.append(.refusal("\(facts.path) leads to \(target), outside of the plugin folders"))
        }
        return findings
    }
}
