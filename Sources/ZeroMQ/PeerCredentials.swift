/// Who is at the other end of an ipc connection, as the kernel said when it was made (SO_PEERCRED).
package struct PeerCredentials: Hashable, Sendable {
    package let pid: Int32
    package let uid: UInt32
    package let gid: UInt32

    package init(pid: Int32, uid: UInt32, gid: UInt32) {
        self.pid = pid
        self.uid = uid
        self.gid = gid
    }

    /// Reads libzmq's "Peer-Address" property of an ipc message, `ADDRESS:UID:GID:PID`.
    ///
    /// Nil for any other text.
    package init?(peerAddress text: some StringProtocol) {
        let fields = text.split(separator: ":", omittingEmptySubsequences: false).suffix(3)
        guard fields.count == 3, let uidText = fields.first, let uid = UInt32(uidText),
            let gid = UInt32(fields[fields.startIndex + 1]), let pidText = fields.last,
            let pid = Int32(pidText), pid > 0
        else { return nil }
        self.init(pid: pid, uid: uid, gid: gid)
    }
}
