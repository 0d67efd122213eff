import TaskModel
import TestSupport
import Testing

@testable import QueueStateMachine

@Suite struct KeyedSlabTests {
    private struct Item: Keyed {
        var key: UInt64
        var value: Int
        /// Few distinct high bits, so that buckets split deeply.
        static func hash(of key: UInt64) -> UInt64 { mixed(key % 5_000) ^ (key / 5_000) }
    }

    @Test(arguments: [1, 2, 3]) func aSlabAgreesWithADictionary(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var slab = KeyedSlab<Item>()
        var model: [UInt64: Int] = [:]
        for step in 0..<60_000 {
            let key = UInt64.random(in: 0..<20_000, using: &random)
            let isGrowing = step % 20_000 < 12_000
            if let slot = slab.find(key) {
                #expect(slab[slot].value == model[key])
                if !isGrowing || Bool.random(using: &random) {
                    slab.remove(slot)
                    model[key] = nil
                }
            } else {
                #expect(model[key] == nil)
                if isGrowing || Int.random(in: 0..<4, using: &random) == 0 {
                    _ = slab.insert(Item(key: key, value: step))
                    model[key] = step
                }
            }
            if slab.count != model.count { Issue.record("seed \(seed), step \(step): counts differ") }
        }
        var walked: [UInt64: Int] = [:]
        slab.visit { _, item in walked[item.key] = item.value }
        #expect(walked == model)
    }

    @Test func aCopyKeepsWhatItWasWhenTheOriginalChanges() {
        var slab = KeyedSlab<Item>()
        let slots = (0..<5_000).map { slab.insert(Item(key: UInt64($0), value: $0)) }
        let copy = slab
        for slot in slots { slab[slot].value = -1 }
        for slot in slots.prefix(2_500) { slab.remove(slot) }
        var sum = 0
        copy.visit { _, item in sum += item.value }
        #expect(copy.count == 5_000)
        #expect(sum == 5_000 * 4_999 / 2)
    }

    @Test func emptyingATableGivesItsPagesBack() {
        var slab = KeyedSlab<Item>()
        for round in 0..<3 {
            let slots = (0..<10_000).map { slab.insert(Item(key: UInt64($0), value: round)) }
            for slot in slots { slab.remove(slot) }
            #expect(slab.count == 0)
            #expect(slab.pagesCount == 10, "pages are used again, not added")
        }
    }
}

@Suite struct PagedQueueTests {
    @Test func aQueueAgreesWithAnArray() {
        var random = SeededGenerator(seed: 4)
        var queue = PagedQueue<Int>()
        var model: [Int] = []
        for step in 0..<50_000 {
            if Int.random(in: 0..<(step % 10_000 < 6_000 ? 3 : 5), using: &random) < 2 {
                queue.append(step)
                model.append(step)
            } else {
                #expect(queue.popFirst() == model.first)
                if !model.isEmpty { model.removeFirst() }
            }
            if queue.first != model.first { Issue.record("step \(step): first differs") }
        }
        var rest: [Int] = []
        queue.visit { rest.append($0) }
        #expect(rest == model)
        #expect(queue.count == model.count)
    }
}
