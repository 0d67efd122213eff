import ProcessorSupervision
import Testing

@Suite struct PluginTrustTests {
    private let installed = PluginTrust.installed(owners: [50], pluginFolders: ["/usr/lib/taskq/plugins"])
    private let foreground = PluginTrust.foreground(user: 1_000)

    private func facts(
        _ role: PluginTrust.PathFacts.Role = .plugin, owner: UInt32 = 0, mode: UInt32 = 0o755,
        link: String? = nil
    ) -> PluginTrust.PathFacts {
        PluginTrust.PathFacts(path: "/p", role: role, owner: owner, mode: mode, linkTarget: link)
    }

    @Test func rootAndTheNamedOwnersAreTrusted() {
        #expect(installed.findings([facts(), facts(owner: 50)]).isEmpty)
        #expect(foreground.findings([facts(), facts(owner: 1_000)]).isEmpty)
        #expect(
            installed.findings([facts(owner: 1_000)]) == [.refusal("/p belongs to uid 1000: chown root /p")])
        #expect(foreground.findings([facts(owner: 50)]) == [.refusal("/p belongs to uid 50: chown root /p")])
    }

    @Test func groupWritableIsRefusedWhereInstalledAndAWarningInACheckout() {
        let sentence = "/p can be written by its group: chmod g-w /p"
        #expect(installed.findings([facts(mode: 0o775)]) == [.refusal(sentence)])
        #expect(foreground.findings([facts(mode: 0o775)]) == [.warning(sentence)])
    }

    @Test(arguments: [0o777, 0o757, 0o702] as [UInt32])
    func writableForEverybodyIsRefusedEverywhere(mode: UInt32) {
        let refusal = PluginTrust.Finding.refusal("/p can be written by everybody: chmod o-w /p")
        #expect(installed.findings([facts(mode: mode)]) == [refusal])
        #expect(foreground.findings([facts(mode: mode)]) == [refusal])
        #expect(foreground.findings([facts(.parent, mode: mode)]) == [refusal])
    }

    @Test func aStickyParentIsFineAStickyPluginFolderIsNot() {
        #expect(installed.findings([facts(.parent, mode: 0o1777)]).isEmpty)
        #expect(installed.findings([facts(.plugin, mode: 0o1777)]).count == 1)
    }

    @Test func linksStayInsideWhereInstalled() {
        #expect(installed.findings([facts(link: "/usr/lib/taskq/plugins/a/processor")]).isEmpty)
        let refusal = PluginTrust.Finding.refusal("/p leads to /home/x, outside of the plugin folders")
        #expect(installed.findings([facts(link: "/home/x")]) == [refusal])
        #expect(installed.findings([facts(link: "/usr/lib/taskq/plugins-evil/x")]).count == 1)
        #expect(foreground.findings([facts(link: "/home/x")]).isEmpty)
    }
}
