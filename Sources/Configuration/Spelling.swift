/// Finds the word that somebody may have meant.
enum Spelling {
    /// The nearest candidate within a third of its length; nil where none is near.
    static func nearest(to word: String, among candidates: some Sequence<String>) -> String? {
        let scored = candidates.map { (distance: distance(Array(word.utf8), Array($0.utf8)), word: $0) }
        guard let best = scored.min(by: { ($0.distance, $0.word) < ($1.distance, $1.word) }) else {
            return nil
        }
        return best.distance <= max(1, best.word.utf8.count / 3) ? best.word : nil
    }

    /// Insertions, deletions, replacements and swaps of neighbours that lead from one to the other.
    private static func distance(_ left: [UInt8], _ right: [UInt8]) -> Int {
        var before: [Int] = []
        var previous = Array(0...right.count)
        for (row, byte) in left.enumerated() {
            var current = [row + 1]
            for (column, other) in right.enumerated() {
                var cost = min(
                    previous[column] + (byte == other ? 0 : 1), previous[column + 1] + 1, current[column] + 1)
                if row > 0, column > 0, byte == right[column - 1], left[row - 1] == other {
                    cost = min(cost, before[column - 1] + 1)
                }
                current.append(cost)
            }
            before = previous
            previous = current
        }
        return previous[right.count]
    }
}
