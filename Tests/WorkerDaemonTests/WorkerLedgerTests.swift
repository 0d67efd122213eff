import ProcessorSupervision
import TaskModel
import Testing
import WireProtocol
import WorkerDaemon

@Suite struct WorkerLedgerTests {
    private func task(_ number: UInt64) -> DeliveredTask {
        DeliveredTask(
            receipt: receipt(number), id: TaskID(high: 1, low: number),
            sequence: TaskSequence(rawValue: number),
            group: "g", attempt: 1, maxAttempts: 5, traceparent: [], payload: [])
    }

    private func receipt(_ number: UInt64) -> Receipt {
        Receipt(instance: JournalInstance(rawValue: 7), lsn: LogSequenceNumber(rawValue: number))
    }

    private func attempt(_ verdict: AttemptVerdict, of number: UInt64) -> FinishedAttempt {
        FinishedAttempt(
            task: .init(id: TaskID(high: 1, low: number), group: "g", attempt: 1), verdict: verdict,
            durationMilliseconds: 12, stderrTail: [65])
    }

    @Test func helloNamesEverythingHeldInTheOrderOfArrival() {
        var ledger = WorkerLedger()
        for number in [3, 1, 2] as [UInt64] { _ = ledger.take(task(number)) }
        ledger.started(receipt(3), in: 0)
        ledger.started(receipt(1), in: 1)
        _ = ledger.finished(slot: 0, attempt(.released, of: 3))
        #expect(ledger.receipts == [receipt(3), receipt(1), receipt(2)])
        #expect(ledger.unconfirmed == [.release(receipt: receipt(3), id: TaskID(high: 1, low: 3))])
        #expect(ledger.nextWaiting == task(2))
        #expect(ledger.runningCount == 1)
    }

    @Test func aReceiptIsTakenOnce() {
        var ledger = WorkerLedger()
        _ = ledger.take(task(1))
        let again = ledger.take(task(1))
        #expect(!again)
        #expect(ledger.waitingCount == 1)
    }

    @Test(arguments: [
        (AttemptVerdict.acked(result: [1], resultError: "e"), "ack"),
        (.failed(.timedOut, reason: "r", retryAfterMilliseconds: 5), "nack"),
        (.dead(reason: "d"), "reject"), (.released, "release"),
    ])
    func aVerdictBecomesItsAnswerAndIsKeptUntilConfirmed(verdict: AttemptVerdict, kind: String) {
        var ledger = WorkerLedger()
        _ = ledger.take(task(1))
        ledger.started(receipt(1), in: 4)
        let answer = ledger.finished(slot: 4, attempt(verdict, of: 1))
        #expect(answer.map { "\($0)".hasPrefix(kind) } ?? false)
        #expect(ledger.unconfirmed == [answer].compactMap { $0 })
        do {
            let value = ledger.settled(receipt(1), .taken)
            #expect(value == nil)
        }
        #expect(ledger.isEmpty)
    }

    @Test func staleAbandonsTheSlotAndItsLaterEndSaysNothing() {
        var ledger = WorkerLedger()
        _ = ledger.take(task(1))
        ledger.started(receipt(1), in: 2)
        do {
            let value = ledger.settled(receipt(1), .stale)
            #expect(value == 2)
        }
        do {
            let value = ledger.finished(slot: 2, attempt(.released, of: 1))
            #expect(value == nil)
        }
        #expect(ledger.isEmpty)
        do {
            let value = ledger.settled(receipt(1), .stale)
            #expect(value == nil)
        }
    }

    @Test func takenOfARunningTaskChangesNothing() {
        var ledger = WorkerLedger()
        _ = ledger.take(task(1))
        ledger.started(receipt(1), in: 0)
        do {
            let value = ledger.settled(receipt(1), .taken)
            #expect(value == nil)
        }
        #expect(ledger.receipts == [receipt(1)])
    }

    @Test func whatWaitsIsGivenBackAndStaleTakesItAway() {
        var ledger = WorkerLedger()
        for number in [1, 2, 3] as [UInt64] { _ = ledger.take(task(number)) }
        ledger.started(receipt(1), in: 0)
        do {
            let value = ledger.settled(receipt(3), .stale)
            #expect(value == nil)
        }
        do {
            let value = ledger.releaseWaiting()
            #expect(value == [.release(receipt: receipt(2), id: TaskID(high: 1, low: 2))])
        }
        let again = ledger.releaseWaiting()
        #expect(again.isEmpty)
        #expect(ledger.receipts == [receipt(1), receipt(2)])
    }
}
