/// An element that a ``KeyedSlab`` finds by its key.
protocol Keyed: Sendable {
    associatedtype Key: Equatable
    var key: Key { get }
    /// Well mixed in all 64 bits.
    static func hash(of key: Key) -> UInt64
}

/// A ``Slab`` with a hash index over its elements' keys.
///
/// The index is an extendible hash table (Fagin et al., 1979): a directory of buckets of ``bucketCount``
/// slots, linear probing inside a bucket. Growth splits one bucket, so its cost is bounded; five bytes an
/// entry, keys are compared in the slab.
struct KeyedSlab<Element: Keyed>: Sendable {
    private static var bucketCount: Int { 512 }
    private static var bucketMask: UInt64 { 511 }
    /// Entries at which a bucket splits: three quarters.
    private static var splitCount: Int { 384 }
    private static var vacant: UInt32 { .max }

    private struct Bucket: Sendable {
        /// Empty while the bucket holds nothing.
        var slots: ContiguousArray<UInt32> = []
        /// Eight bits of each entry's hash, so that a probe rarely looks at an element that is another's.
        var tags: ContiguousArray<UInt8> = []
        var used = 0
        /// How many of the hash's top bits all entries share.
        var depth: UInt32
    }

    private var slab = Slab<Element>()
    private var buckets: ContiguousArray<Bucket> = [Bucket(depth: 0)]
    private var directory: ContiguousArray<UInt32> = [0]
    /// The directory has 2^depth entries.
    private var depth: UInt32 = 0

    var count: Int { slab.count }
    var pagesCount: Int { slab.pagesCount }

    subscript(slot: Slot<Element>) -> Element {
        @inline(__always) _read { yield slab[slot] }
        @inline(__always) _modify { yield &slab[slot] }
    }

    func visit(_ body: (Slot<Element>, Element) -> Void) { slab.visit(body) }
    func visit(inPage page: Int, _ body: (Slot<Element>, Element) -> Void) {
        slab.visit(inPage: page, body)
    }

    func find(_ key: Element.Key) -> Slot<Element>? {
        let hash = Element.hash(of: key)
        let bucket = bucketIndex(hash)
        guard !buckets[bucket].slots.isEmpty else { return nil }
        let tag = Self.tag(hash)
        var place = Int(hash & Self.bucketMask)
        while true {
            let entry = buckets[bucket].slots[place]
            if entry == Self.vacant { return nil }
            if buckets[bucket].tags[place] == tag {
                let slot = Slot<Element>(rawValue: entry)
                if slab[slot].key == key { return slot }
            }
            place = (place + 1) & Int(Self.bucketMask)
        }
    }

    /// The element's key must not be there yet.
    mutating func insert(_ element: Element) -> Slot<Element> {
        let slot = slab.insert(element)
        index(slot, hash: Element.hash(of: element.key))
        return slot
    }

    /// Takes an element in that ``find(_:)`` does not see until ``indexAll(_:)``: for many at once.
    mutating func insertUnindexed(_ element: Element) -> Slot<Element> { slab.insert(element) }

    /// Makes elements findable, with room made for all of them beforehand.
    ///
    /// False if two of them, or one of them and an older one, have the same key.
    mutating func indexAll(_ slots: ContiguousArray<Slot<Element>>) -> Bool {
        reserve(slots.count)
        for slot in slots {
            guard indexIfNew(slot) else { return false }
        }
        return true
    }

    /// One walk of the probe chain for both the look and the place.
    private mutating func indexIfNew(_ slot: Slot<Element>) -> Bool {
        let hash = Element.hash(of: slab[slot].key)
        let bucket = bucketIndex(hash)
        guard buckets[bucket].used < Self.splitCount, !buckets[bucket].slots.isEmpty else {
            if find(slab[slot].key) != nil { return false }
            index(slot, hash: hash)
            return true
        }
        let tag = Self.tag(hash)
        var place = Int(hash & Self.bucketMask)
        while buckets[bucket].slots[place] != Self.vacant {
            if buckets[bucket].tags[place] == tag {
                let other = Slot<Element>(rawValue: buckets[bucket].slots[place])
                if slab[other].key == slab[slot].key { return false }
            }
            place = (place + 1) & Int(Self.bucketMask)
        }
        buckets[bucket].slots[place] = slot.rawValue
        buckets[bucket].tags[place] = tag
        buckets[bucket].used += 1
        return true
    }

    /// Doubles the directory of a fresh table until its buckets are about half full of `count` entries.
    private mutating func reserve(_ count: Int) {
        guard depth == 0, buckets[0].used == 0 else { return }
        while depth < 24, count >> Int(depth) > Self.bucketCount / 2 { depth += 1 }
        buckets = ContiguousArray(repeating: Bucket(depth: depth), count: 1 << Int(depth))
        directory = ContiguousArray(buckets.indices.map { UInt32($0) })
    }

    private mutating func index(_ slot: Slot<Element>, hash: UInt64) {
        var bucket = bucketIndex(hash)
        while buckets[bucket].used >= Self.splitCount, buckets[bucket].depth < 32 {
            split(bucket)
            bucket = bucketIndex(hash)
        }
        precondition(buckets[bucket].used < Self.bucketCount - 1, "hash table bucket is full")
        place(slot, hash: hash, in: bucket)
    }

    @inline(__always)
    private static func tag(_ hash: UInt64) -> UInt8 { UInt8(truncatingIfNeeded: hash >> 16) }

    mutating func remove(_ slot: Slot<Element>) {
        let hash = Element.hash(of: slab[slot].key)
        let bucket = bucketIndex(hash)
        var hole = Int(hash & Self.bucketMask)
        while buckets[bucket].slots[hole] != slot.rawValue { hole = (hole + 1) & Int(Self.bucketMask) }
        closeHole(at: hole, in: bucket)
        buckets[bucket].used -= 1
        // A small table that empties and fills again keeps its one bucket.
        if buckets[bucket].used == 0, depth > 0 { buckets[bucket] = Bucket(depth: buckets[bucket].depth) }
        slab.remove(slot)
    }

    @inline(__always)
    private func bucketIndex(_ hash: UInt64) -> Int {
        depth == 0 ? Int(directory[0]) : Int(directory[Int(hash >> UInt64(64 - depth))])
    }

    private mutating func place(_ slot: Slot<Element>, hash: UInt64, in bucket: Int) {
        if buckets[bucket].slots.isEmpty {
            buckets[bucket].slots = ContiguousArray(repeating: Self.vacant, count: Self.bucketCount)
            buckets[bucket].tags = ContiguousArray(repeating: 0, count: Self.bucketCount)
        }
        var place = Int(hash & Self.bucketMask)
        while buckets[bucket].slots[place] != Self.vacant { place = (place + 1) & Int(Self.bucketMask) }
        buckets[bucket].slots[place] = slot.rawValue
        buckets[bucket].tags[place] = Self.tag(hash)
        buckets[bucket].used += 1
    }

    /// Backward-shift deletion: moves later entries of the probe chain up, so that no tombstones are needed.
    private mutating func closeHole(at start: Int, in bucket: Int) {
        let mask = Int(Self.bucketMask)
        var hole = start
        var next = (hole + 1) & mask
        while buckets[bucket].slots[next] != Self.vacant {
            let entry = buckets[bucket].slots[next]
            let home = Int(Element.hash(of: slab[Slot(rawValue: entry)].key) & Self.bucketMask)
            if (next - home) & mask >= (next - hole) & mask {
                buckets[bucket].slots[hole] = entry
                buckets[bucket].tags[hole] = buckets[bucket].tags[next]
                hole = next
            }
            next = (next + 1) & mask
        }
        buckets[bucket].slots[hole] = Self.vacant
    }

    private mutating func split(_ bucket: Int) {
        let oldDepth = buckets[bucket].depth
        if oldDepth == depth { doubleDirectory() }
        let entries = buckets[bucket].slots
        let sibling = buckets.count
        buckets[bucket] = Bucket(depth: oldDepth + 1)
        buckets.append(Bucket(depth: oldDepth + 1))
        // The directory entries of the old bucket are neighbours; their upper half now names the sibling.
        let first = directoryStart(of: bucket, oldDepth: oldDepth, entries: entries)
        let span = 1 << Int(depth - oldDepth)
        for entry in first + span / 2..<first + span { directory[entry] = UInt32(sibling) }
        for raw in entries where raw != Self.vacant {
            let slot = Slot<Element>(rawValue: raw)
            let hash = Element.hash(of: slab[slot].key)
            place(slot, hash: hash, in: bucketIndex(hash))
        }
    }

    private func directoryStart(of bucket: Int, oldDepth: UInt32, entries: ContiguousArray<UInt32>) -> Int {
        guard oldDepth > 0, let raw = entries.first(where: { $0 != Self.vacant }) else { return 0 }
        let hash = Element.hash(of: slab[Slot(rawValue: raw)].key)
        return Int(hash >> UInt64(64 - oldDepth)) << Int(depth - oldDepth)
    }

    private mutating func doubleDirectory() {
        var doubled = ContiguousArray<UInt32>()
        doubled.reserveCapacity(directory.count * 2)
        for entry in directory {
            doubled.append(entry)
            doubled.append(entry)
        }
        directory = doubled
        depth += 1
    }
}

/// Finalizer of SplitMix64 (Steele et al., 2014): every input bit reaches every output bit.
@inline(__always)
func mixed(_ value: UInt64) -> UInt64 {
    var bits = value &+ 0x9E37_79B9_7F4A_7C15
    bits = (bits ^ (bits >> 30)) &* 0xBF58_476D_1CE4_E5B9
    bits = (bits ^ (bits >> 27)) &* 0x94D0_49BB_1331_11EB
    return bits ^ (bits >> 31)
}
