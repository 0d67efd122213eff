import Testing
import ZeroMQ

@Suite struct PeerCredentialsTests {
    @Test(arguments: [":1000:1001:42", "localhost:1000:1001:42", "a:b:1000:1001:42"])
    func theLastThreeFieldsAreUidGidAndPid(text: String) {
        #expect(PeerCredentials(peerAddress: text) == PeerCredentials(pid: 42, uid: 1000, gid: 1001))
    }

    @Test(arguments: [
        "", "127.0.0.1", ":::", "1:2", ":1:2:0", ":1:2:-3", ":1:2:x", ":-1:2:3", "::::::", ":1:2:99999999999",
    ])
    func anyOtherAddressNamesNobody(text: String) {
        #expect(PeerCredentials(peerAddress: text) == nil)
    }
}
