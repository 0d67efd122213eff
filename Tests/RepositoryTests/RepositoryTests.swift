import TestSupport
import Testing

/// The rules of docs/STYLE.md, run over this checkout.
///
/// Each rule is proven by a bad sample in RuleTests.
@Suite struct RepositoryTests {
    private let checkout = Checkout.current

    private func expectNone(
        _ violations: [Violation], sourceLocation: SourceLocation = #_sourceLocation
    ) {
        guard !violations.isEmpty else { return }
        let list = violations.map(\.description).joined(separator: "\n")
        Issue.record("\(violations.count) violations:\n\(list)", sourceLocation: sourceLocation)
    }

    @Test func theCheckoutIsSeen() {
        #expect(checkout.paths.contains("Package.swift"))
        #expect(checkout.sources.count > 20)
        #expect(checkout.modules.contains("TaskModel"))
    }

    @Test func filesAreShort() { expectNone(checkout.sources.flatMap(SizeRules.fileLength)) }
    @Test func functionsAreShort() { expectNone(checkout.sources.flatMap(SizeRules.functionLength)) }
    @Test func linesAreShort() { expectNone(checkout.sources.flatMap(SizeRules.lineLength)) }

    @Test func noFileIsLarge() {
        let now = checkout.paths.flatMap { SizeRules.fileSize(path: $0, bytes: checkout.bytes(in: $0)) }
        let ever = checkout.historicFiles().flatMap { SizeRules.fileSize(path: $0.path, bytes: $0.bytes) }
        expectNone(now + ever)
    }

    @Test func bannedWordsAreAbsent() { expectNone(checkout.sources.flatMap(BannedWord.violations)) }
    @Test func nothingIsForceUnwrapped() { expectNone(checkout.sources.flatMap(ProofRules.forceUnwraps)) }
    @Test func noErrorIsDroppedSilently() { expectNone(checkout.sources.flatMap(ProofRules.ignoredErrors)) }
    @Test func uncheckedSharingIsProven() {
        expectNone(checkout.sources.flatMap(ProofRules.unsafeConcurrency))
    }
    @Test func noNoteIsLeftOpen() { expectNone(checkout.sources.flatMap(ProofRules.openNotes)) }

    @Test func namesSayWhatTheyName() {
        expectNone(checkout.sources.map(\.path).flatMap(NameRules.fileName))
        expectNone(checkout.sources.flatMap(NameRules.typeNames))
    }

    @Test func importsPointDown() {
        expectNone(checkout.sources.flatMap(ImportMatrix.violations))
        expectNone(TreeRules.staleMatrixEntries(checkout.modules))
    }

    @Test func everyModuleHasTests() {
        expectNone(TreeRules.modulesWithoutTests(checkout.modules, paths: checkout.paths))
    }

    @Test func everyModuleIsInTheArchitecture() throws {
        let text = try checkout.text(of: "docs/ARCHITECTURE.md")
        expectNone(TreeRules.modulesMissing(inArchitecture: text, modules: checkout.modules))
    }

    @Test func whatAsksSomethingOfAnAdminIsInTheCatalog() throws {
        let entries = CatalogRules.entries(try checkout.text(of: CatalogRules.catalog))
        #expect(entries.count > 15)
        expectNone(CatalogRules.illFormed(entries))
        let ids = try #require(checkout.sources.first { $0.path == CatalogRules.ids })
        expectNone(CatalogRules.unmatched(entries, ids))
        let table = try checkout.text(of: CatalogRules.table)
        expectNone(CatalogRules.unsaid(entries, checkout.sources, table: table))
        expectNone(checkout.sources.flatMap(CatalogRules.unexplained))
    }

    @Test func linksLeadSomewhere() throws {
        let paths = Set(checkout.paths)
        let documents = checkout.paths.filter { $0.hasSuffix(".md") }
        expectNone(
            try documents.flatMap {
                TreeRules.brokenLinks(path: $0, text: try checkout.text(of: $0), paths: paths)
            })
    }

    @Test func everyDocumentHasOneTitle() throws {
        let documents = checkout.paths.filter { $0.hasSuffix(".md") }
        expectNone(try documents.flatMap { TreeRules.title(path: $0, text: try checkout.text(of: $0)) })
    }
}
