import Synchronization

/// A list that several threads append to: what a test collects.
package final class SharedList<Element: Sendable>: Sendable {
    private let storage = Mutex<[Element]>([])

    package init() {}

    package var values: [Element] { storage.withLock { $0 } }
    package func append(_ element: Element) { storage.withLock { $0.append(element) } }
}
