import BinaryCoding
import TaskModel
import TestSupport
import Testing
import WireProtocol

@testable import IngestDaemon

@Suite struct BrokerLinkTests {
    private typealias Link = BrokerLink<Int>
    private typealias Answer = Link.Answer

    private static func time(_ milliseconds: UInt64) -> MonotonicTime {
        MonotonicTime(rawValue: milliseconds * 1_000_000)
    }

    private func readyLink(_ limits: Link.Limits = Link.Limits()) -> Link {
        var link = Link(limits: limits)
        welcome(&link)
        return link
    }

    private func welcome(_ link: inout Link) {
        var completions: [Link.Completion] = []
        let welcome = Welcome(instance: JournalInstance(rawValue: 1), leaseMilliseconds: 0)
        #expect(link.receive(.welcome(welcome), into: &completions) == nil)
        let listing = QueueListing(name: "tasks", maxDepth: 10, defaultGroup: .queue, ingestIsPaused: false)
        #expect(link.receive(.queues([listing]), into: &completions) == .becameReady)
    }

    private func post(_ number: UInt64, bytes: Int = 2) -> NewPost {
        NewPost(
            queue: "tasks", id: TaskID(high: 7, low: number),
            payload: [UInt8](repeating: UInt8(ascii: "1"), count: bytes)[...])
    }

    private func requests(_ frame: [UInt8]?) throws -> [Request] {
        var reader = try FrameReader(try #require(frame))
        var requests: [Request] = []
        while let request = try reader.nextRequest() { requests.append(request) }
        return requests
    }

    private func answers(_ body: (inout [Link.Completion]) -> Void) -> [Int: Answer] {
        var completions: [Link.Completion] = []
        body(&completions)
        #expect(Set(completions.map(\.owner)).count == completions.count, "one answer for each request")
        return Dictionary(completions.map { ($0.owner, $0.answer) }, uniquingKeysWith: { first, _ in first })
    }

    @Test func nothingIsAskedBeforeTheBrokerHasWelcomedAndNamedItsQueues() {
        var link = Link()
        var completions: [Link.Completion] = []
        #expect(link.post(post(1), owner: 1, now: Self.time(0)) == .brokerAway)
        #expect(link.receive(.queues([]), into: &completions) == nil)
        #expect(link.post(post(1), owner: 1, now: Self.time(0)) == .brokerAway)
        #expect(
            link.lookup(TaskID(high: 1, low: 1), waitMilliseconds: 0, owner: 1, now: Self.time(0))
                == .brokerAway)
        #expect(link.takeFrame() == nil)
    }

    @Test func whatIsAskedInOneTurnLeavesAsOneFrameAndIsAnsweredOnce() throws {
        var link = readyLink()
        for number in 1...3 {
            #expect(link.post(post(UInt64(number)), owner: number, now: Self.time(0)) == nil)
        }
        #expect(link.cancel(TaskID(high: 1, low: 1), actor: "http", owner: 4, now: Self.time(0)) == nil)
        let asked = try requests(link.takeFrame())
        #expect(asked.count == 4)
        #expect(link.takeFrame() == nil)
        #expect(answers { link.frameWasTaken(sent: true, into: &$0) }.isEmpty)
        let given = answers { completions in
            for request in asked.reversed() {
                guard case .enqueue(let enqueue) = request else { continue }
                let outcome = EnqueueOutcome.accepted(TaskSequence(rawValue: enqueue.id.low + 100))
                let reply = Reply.enqueued(correlation: enqueue.correlation, outcome: outcome)
                #expect(link.receive(reply, into: &completions) == nil)
                #expect(link.receive(reply, into: &completions) == nil)
            }
        }
        #expect(given.count == 3)
        #expect(given[2] == .enqueued(TaskID(high: 7, low: 2), .accepted(TaskSequence(rawValue: 102))))
        #expect(link.lateReplies == 3)
        #expect(link.outstandingPosts == 0 && link.outstandingQueries == 1)
    }

    @Test func aFrameThatDidNotLeaveWasRefused() throws {
        var link = readyLink()
        #expect(link.post(post(1), owner: 1, now: Self.time(0)) == nil)
        #expect(link.lookup(TaskID(high: 1, low: 1), waitMilliseconds: 5, owner: 2, now: Self.time(0)) == nil)
        _ = link.takeFrame()
        #expect(answers { link.frameWasTaken(sent: false, into: &$0) } == [1: .notSent, 2: .notSent])
        #expect(link.outstandingPosts == 0 && link.outstandingQueries == 0)
    }

    @Test func whatWasSentBeforeALossIsUnknownAndNeverSentAgain() throws {
        var link = readyLink()
        #expect(link.post(post(1), owner: 1, now: Self.time(0)) == nil)
        _ = link.takeFrame()
        _ = answers { link.frameWasTaken(sent: true, into: &$0) }
        #expect(link.post(post(2), owner: 2, now: Self.time(0)) == nil)
        let lost = answers { link.connectionLost(into: &$0) }
        #expect(lost == [1: .unanswered(TaskID(high: 7, low: 1)), 2: .unanswered(TaskID(high: 7, low: 2))])
        #expect(link.takeFrame() == nil)
        #expect(link.state == .away)
        #expect(link.queues["tasks"] != nil)
    }

    @Test func whatIsNotAnsweredInTimeIsUnknown() throws {
        var limits = Link.Limits()
        limits.replyMilliseconds = 100
        var link = readyLink(limits)
        #expect(link.post(post(1), owner: 1, now: Self.time(0)) == nil)
        #expect(link.post(post(2), owner: 2, now: Self.time(50)) == nil)
        #expect(
            link.lookup(TaskID(high: 1, low: 1), waitMilliseconds: 1_000, owner: 3, now: Self.time(0)) == nil)
        #expect(link.earliestPostDeadline == Self.time(100))
        #expect(answers { link.expire(now: Self.time(99), into: &$0) }.isEmpty)
        #expect(
            answers { link.expire(now: Self.time(100), into: &$0) } == [
                1: .unanswered(TaskID(high: 7, low: 1))
            ])
        #expect(link.earliestPostDeadline == Self.time(150))
        #expect(
            answers { link.expire(now: Self.time(1_099), into: &$0) } == [
                2: .unanswered(TaskID(high: 7, low: 2))
            ])
        #expect(answers { link.expire(now: Self.time(1_100), into: &$0) } == [3: .unanswered(nil)])
    }

    @Test func creditBoundsTasksAndBytesAndComesBackWithTheAnswers() throws {
        var limits = Link.Limits()
        limits.tasksMax = 3
        limits.bytesMax = 10
        limits.queriesMax = 1
        var link = readyLink(limits)
        #expect(link.post(post(1, bytes: 8), owner: 1, now: Self.time(0)) == nil)
        #expect(link.post(post(2, bytes: 3), owner: 2, now: Self.time(0)) == .noCredit)
        #expect(link.post(post(2, bytes: 1), owner: 2, now: Self.time(0)) == nil)
        #expect(link.post(post(3, bytes: 1), owner: 3, now: Self.time(0)) == nil)
        #expect(link.post(post(4, bytes: 0), owner: 4, now: Self.time(0)) == .noCredit)
        #expect(link.cancel(TaskID(high: 1, low: 1), actor: "", owner: 5, now: Self.time(0)) == nil)
        #expect(link.cancel(TaskID(high: 1, low: 1), actor: "", owner: 6, now: Self.time(0)) == .noCredit)
        for request in try requests(link.takeFrame()) {
            guard case .enqueue(let enqueue) = request, enqueue.id.low == 1 else { continue }
            let reply = Reply.enqueued(correlation: enqueue.correlation, outcome: .queueFull)
            #expect(answers { _ = link.receive(reply, into: &$0) }.count == 1)
        }
        #expect(link.post(post(4, bytes: 8), owner: 4, now: Self.time(0)) == nil)
    }

    @Test func everyRequestIsAnsweredExactlyOnceWhateverHappens() throws {
        var generator = SeededGenerator(seed: 3)
        for _ in 0..<60 {
            var link = readyLink()
            var waiting: Set<Int> = []
            var sent: [Correlation] = []
            var owner = 0
            var clock: UInt64 = 0
            func settle(_ completions: [Link.Completion]) {
                for completion in completions { #expect(waiting.remove(completion.owner) != nil) }
            }
            for _ in 0..<400 {
                var completions: [Link.Completion] = []
                clock += UInt64.random(in: 0...40, using: &generator)
                switch Int.random(in: 0..<20, using: &generator) {
                case 0..<10:
                    owner += 1
                    if link.post(post(UInt64(owner)), owner: owner, now: Self.time(clock)) == nil {
                        waiting.insert(owner)
                    }
                case 10..<14:
                    guard let frame = link.takeFrame() else { continue }
                    let isSent = !generator.oneIn(5)
                    for case .enqueue(let enqueue) in try requests(frame) where isSent {
                        sent.append(enqueue.correlation)
                    }
                    link.frameWasTaken(sent: isSent, into: &completions)
                case 14..<18:
                    guard let correlation = sent.randomElement(using: &generator) else { continue }
                    _ = link.receive(
                        .enqueued(correlation: correlation, outcome: .diskFull), into: &completions)
                case 18: link.expire(now: Self.time(clock), into: &completions)
                case _:
                    guard generator.oneIn(4) else { continue }
                    link.connectionLost(into: &completions)
                    #expect(link.state == .away)
                    welcome(&link)
                }
                settle(completions)
                #expect(link.outstandingPosts == waiting.count)
            }
        }
    }
}

@Suite struct OutstandingPostsTests {
    @Test func postsAreFoundByTheirCorrelationHoweverManyAreBetween() {
        var posts = OutstandingPosts<UInt64>()
        func entry(_ number: UInt64) -> OutstandingPosts<UInt64>.Entry {
            .init(
                owner: number, id: TaskID(high: 0, low: number), payloadBytes: 3,
                deadline: MonotonicTime(rawValue: number))
        }
        for number in stride(from: UInt64(1), through: 20_001, by: 2) {
            posts.add(entry(number), correlation: number)
        }
        #expect(posts.count == 10_001)
        #expect(posts.payloadBytes == 30_003)
        #expect(posts.remove(2) == nil)
        for number in stride(from: UInt64(19_999), through: 3, by: -2) {
            #expect(posts.remove(number)?.owner == number)
        }
        #expect(posts.earliestDeadline == MonotonicTime(rawValue: 1))
        #expect(posts.removeOldest(dueAt: MonotonicTime(rawValue: 0)) == nil)
        #expect(posts.removeOldest(dueAt: MonotonicTime(rawValue: 1))?.owner == 1)
        #expect(posts.removeOldest(dueAt: nil)?.owner == 20_001)
        #expect(posts.removeOldest(dueAt: nil) == nil)
        #expect(posts.count == 0 && posts.payloadBytes == 0)
        posts.add(entry(40_000), correlation: 40_000)
        #expect(posts.remove(40_000)?.owner == 40_000)
    }
}
