/// First in, first out, in pages: grows and shrinks without copying what is there.
struct PagedQueue<Element: Sendable>: Sendable {
    private static var pageCount: Int { 1_024 }
    private var pages: ContiguousArray<ContiguousArray<Element>> = []
    /// Pages before this one are spent.
    private var firstPage = 0
    private var firstPlace = 0
    private(set) var count = 0

    var first: Element? { count == 0 ? nil : pages[firstPage][firstPlace] }

    mutating func append(_ element: Element) {
        if pages.isEmpty || pages[pages.count - 1].count == Self.pageCount {
            var page = ContiguousArray<Element>()
            page.reserveCapacity(Self.pageCount)
            pages.append(page)
        }
        pages[pages.count - 1].append(element)
        count += 1
    }

    mutating func popFirst() -> Element? {
        guard count > 0 else { return nil }
        let element = pages[firstPage][firstPlace]
        count -= 1
        firstPlace += 1
        if firstPlace == pages[firstPage].count { advancePage() }
        return element
    }

    private mutating func advancePage() {
        pages[firstPage] = []
        firstPage += 1
        firstPlace = 0
        // Spent entries are dropped when they are the larger half, which keeps the cost constant on average.
        if firstPage * 2 >= pages.count {
            pages.removeFirst(firstPage)
            firstPage = 0
        }
    }

    func visit(_ body: (Element) -> Void) {
        var place = firstPlace
        for page in pages.dropFirst(firstPage) {
            for element in page.dropFirst(place) { body(element) }
            place = 0
        }
    }

    /// From the oldest on, until the body says no.
    func visitWhile(_ body: (Element) -> Bool) {
        var place = firstPlace
        for page in firstPage..<max(firstPage, pages.count) {
            while place < pages[page].count {
                guard body(pages[page][place]) else { return }
                place += 1
            }
            place = 0
        }
    }
}
