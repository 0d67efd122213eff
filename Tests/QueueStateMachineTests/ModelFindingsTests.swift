import QueueStateMachine
import TaskModel
import Testing

/// What the model test has found so far, each as the list it was shrunk to.
@Suite struct ModelFindingsTests {
    @Test func aTaskThatComesBackFromItsWorkerStillExpires() throws {
        try ModelRun.run([
            .post(18, "other", group: "", key: nil, body: 0),
            .post(19, "other", group: "", key: nil, body: 0),
            .advance(180_000),
            .connect("C", "other", session: 1, credit: 1, holding: []),
            .deliver(1),
            .declare("other", ModelRules(retention: 120_000)),
            .restart(sameBoot: true),
            .advance(10_000),
            .upkeep,
        ])
    }

    @Test func aReceiptListedTwiceTakesOnePlaceOfTheCredit() throws {
        try ModelRun.run([
            .post(20, "tasks", group: "", key: nil, body: 0),
            .connect("B", "tasks", session: 4, credit: 2, holding: []),
            .deliver(1),
            .connect("B", "tasks", session: 4, credit: 2, holding: [20, 20]),
            .post(41, "tasks", group: "c", key: nil, body: 0),
            .deliver(1),
        ])
    }

    @Test func ageIsKnownToTheMinuteWhenRetentionEnds() throws {
        try ModelRun.run([
            .declare("other", ModelRules(retention: 120_000)),
            .post(5, "tasks", group: "", key: nil, body: 0),
            .advance(60_000),
            .post(6, "tasks", group: "", key: nil, body: 0),
            .advance(120_250),
            .post(10, "tasks", group: "", key: nil, body: 0),
            .declare("tasks", ModelRules(retention: 120_000)),
            .upkeep,
        ])
    }

    @Test func aKeyTakenAgainDoesNotHoldUpTheForgettingOfOthers() throws {
        try ModelRun.run([
            .post(4, "other", group: "", key: "k1", body: 0),
            .advance(210_000),
            .post(16, "other", group: "", key: "k3", body: 0),
            .post(19, "other", group: "", key: "k2", body: 0),
            .post(24, "other", group: "", key: "k4", body: 0),
            .advance(90_000),
            .post(27, "other", group: "", key: "k1", body: 0),
            .advance(210_000),
            .post(48, "tasks", group: "", key: "k4", body: 0),
            .post(50, "tasks", group: "", key: "k1", body: 0),
            .upkeep,
            .post(54, "tasks", group: "", key: "k3", body: 0),
        ])
    }

    @Test func aLeaseMadeShorterEndsInTimeAfterItsRenewal() throws {
        try ModelRun.run([
            .connect("A", "tasks", session: 1, credit: 1, holding: []),
            .post(11, "tasks", group: "", key: nil, body: 0),
            .deliver(1),
            .declare("tasks", ModelRules(lease: 5_000)),
            .renew("A", 11, earlier: false),
            .advance(5_000),
        ])
    }

    /// Not the model's find, but its neighbour's: portions of 500 a second lose against 600 posts a second.
    @Test func expiredKeysAreForgottenInPortionsUntilNoneIsLeft() {
        var fixture = MachineFixture()
        fixture.declare("tasks")
        for number in 1...25 {
            let key = Digest(high: UInt64(number), low: 0)
            _ = fixture.post(number, key: (key: key, content: key))
        }
        fixture.seconds = 301
        var calls = 0
        repeat {
            _ = fixture.machine.housekeeping(at: fixture.clock, limit: 10)
            calls += 1
        } while fixture.machine.isSweeping && calls < 10
        var keys = 0
        fixture.machine.forEachSnapshotRecord { if case .deduplication = $0 { keys += 1 } }
        #expect(keys == 0)
        #expect(calls >= 3, "not more than a portion at a time")
    }
}
