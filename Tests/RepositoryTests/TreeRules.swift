/// What must stand beside what.
enum TreeRules {
    /// Mains of at most a few lines: the end-to-end tests run them as programs.
    static let executables: Set<String> = [
        "taskq", "taskq-broker", "taskq-ingest", "taskq-plugins", "taskq-worker",
    ]

    /// Every module has a test target with at least one file in it.
    ///
    /// C seams are tested through the one module that imports them.
    static func modulesWithoutTests(_ modules: [String], paths: [String]) -> [Violation] {
        modules.filter { !ImportMatrix.seams.contains($0) && !executables.contains($0) }.compactMap {
            module in
            let folder = "Tests/\(module)Tests/"
            if paths.contains(where: { $0.hasPrefix(folder) && $0.hasSuffix(".swift") }) { return nil }
            return Violation(path: "Sources/\(module)", line: 0, message: "no tests in \(folder)")
        }
    }

    /// A line of the table that nobody needs any more hides the next mistake.
    static func staleMatrixEntries(_ modules: [String]) -> [Violation] {
        ImportMatrix.allowed.keys.filter { !modules.contains($0) }.sorted().map { module in
            Violation(path: "Sources/\(module)", line: 0, message: "in the import matrix but not in the tree")
        }
    }

    static func modulesMissing(inArchitecture text: String, modules: [String]) -> [Violation] {
        modules.filter { !text.contains("`\($0)`") }.map { module in
            Violation(path: "docs/ARCHITECTURE.md", line: 0, message: "does not name the module \(module)")
        }
    }

    /// Links to other files of the tree must lead somewhere; links to the outside are not followed.
    static func brokenLinks(path: String, text: String, paths: Set<String>) -> [Violation] {
        let folder = path.split(separator: "/").dropLast()
        return text.split(separator: "\n", omittingEmptySubsequences: false).enumerated().flatMap {
            index, line in
            line.split(separator: "](", omittingEmptySubsequences: false).dropFirst().compactMap {
                rest -> Violation? in
                let target = rest.prefix { $0 != ")" && $0 != "#" && $0 != " " }
                guard !target.isEmpty, !target.contains("://") else { return nil }
                let resolved = resolve(target, in: folder)
                let isThere = paths.contains(resolved) || paths.contains { $0.hasPrefix(resolved + "/") }
                guard !isThere else { return nil }
                return Violation(
                    path: path, line: index + 1, message: "link to \(target), which is not there")
            }
        }
    }

    private static func resolve(_ target: Substring, in folder: ArraySlice<Substring>) -> String {
        var parts = Array(folder)
        for part in target.split(separator: "/") where part != "." {
            if part == ".." { _ = parts.popLast() } else { parts.append(part) }
        }
        return parts.joined(separator: "/")
    }

    /// A title on the first line, and no second one.
    ///
    /// Lines inside code fences are not titles.
    static func title(path: String, text: String) -> [Violation] {
        var titles: [Int] = []
        var isInFence = false
        for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            if line.hasPrefix("```") { isInFence.toggle() }
            if !isInFence, line.hasPrefix("# ") { titles.append(index + 1) }
        }
        if titles == [1] { return [] }
        let message = titles.isEmpty ? "no '# Title'" : "one '# Title', on the first line; found on \(titles)"
        return [Violation(path: path, line: titles.first ?? 0, message: message)]
    }
}
