/// Names one element of a ``Slab``; 4 bytes, so that a million links stay small.
struct Slot<Element>: Hashable, Sendable {
    let rawValue: UInt32
    init(rawValue: UInt32) { self.rawValue = rawValue }
    /// No element.
    static var none: Slot { Slot(rawValue: .max) }
    var isNone: Bool { rawValue == .max }
}

/// Elements in pages of ``pageCount``, each at a fixed slot until it is removed.
///
/// Grows by a page, never by a copy of the whole, so that no turn waits for it. A page whose last element
/// goes gives its memory back. Copying the slab shares the pages; a page written afterwards is copied alone,
/// which is what makes a checkpoint's immutable copy cheap.
struct Slab<Element: Sendable>: Sendable {
    static var pageCount: Int { 1_024 }
    private static var pageShift: UInt32 { 10 }
    private static var pageMask: UInt32 { 1_023 }

    private struct Page: Sendable {
        var elements: ContiguousArray<Element> = []
        /// Places below `elements.count` that are free.
        var free: ContiguousArray<UInt16> = []
        var isListed = false

        var used: Int { elements.count - free.count }
        var hasRoom: Bool { used < Slab.pageCount }
    }

    private var pages: ContiguousArray<Page> = []
    /// Pages with room, each listed once.
    private var withRoom: ContiguousArray<UInt32> = []
    private(set) var count = 0

    subscript(slot: Slot<Element>) -> Element {
        @inline(__always) _read {
            yield pages[Int(slot.rawValue >> Self.pageShift)].elements[Int(slot.rawValue & Self.pageMask)]
        }
        @inline(__always) _modify {
            yield &pages[Int(slot.rawValue >> Self.pageShift)].elements[Int(slot.rawValue & Self.pageMask)]
        }
    }

    mutating func insert(_ element: Element) -> Slot<Element> {
        if withRoom.isEmpty { listNewPage() }
        let page = Int(withRoom[withRoom.count - 1])
        let place: Int
        if let free = pages[page].free.popLast() {
            place = Int(free)
            pages[page].elements[place] = element
        } else {
            if pages[page].elements.isEmpty { pages[page].elements.reserveCapacity(Self.pageCount) }
            place = pages[page].elements.count
            pages[page].elements.append(element)
        }
        if !pages[page].hasRoom {
            pages[page].isListed = false
            withRoom.removeLast()
        }
        count += 1
        return Slot(rawValue: UInt32(page) << Self.pageShift | UInt32(place))
    }

    /// The slot's element must be there; its value is left to be overwritten.
    mutating func remove(_ slot: Slot<Element>) {
        let page = Int(slot.rawValue >> Self.pageShift)
        pages[page].free.append(UInt16(slot.rawValue & Self.pageMask))
        count -= 1
        if pages[page].used == 0 {
            pages[page].elements = []
            pages[page].free = []
        }
        if !pages[page].isListed {
            pages[page].isListed = true
            withRoom.append(UInt32(page))
        }
    }

    private mutating func listNewPage() {
        precondition(pages.count < Int(UInt32.max >> Self.pageShift), "slab is full")
        pages.append(Page(isListed: true))
        withRoom.append(UInt32(pages.count - 1))
    }

    /// How many pages a full walk visits.
    var pagesCount: Int { pages.count }

    /// Visits the elements of one page, in the order of their slots.
    func visit(inPage page: Int, _ body: (Slot<Element>, Element) -> Void) {
        let holes = Set(pages[page].free)
        for (place, element) in pages[page].elements.enumerated() where !holes.contains(UInt16(place)) {
            body(Slot(rawValue: UInt32(page) << Self.pageShift | UInt32(place)), element)
        }
    }

    func visit(_ body: (Slot<Element>, Element) -> Void) {
        for page in pages.indices { visit(inPage: page, body) }
    }
}
