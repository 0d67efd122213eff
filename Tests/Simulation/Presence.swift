/// Whether a queue that comes and goes is there, as far as anybody outside can tell.
///
/// Requests are numbered as the broker takes them: what is answered holds unless something that was taken
/// later may have changed it.
struct Presence {
    private(set) var mayBeThere = false
    private(set) var mayBeGone = true
    /// The turn in which that was last learned; answers of one turn leave in any order.
    private(set) var learnedInTurn = 0
    private var taken = 0
    private var lastDeclaration = 0
    private var lastDeletion = 0
    private var deletionsUnanswered = 0

    mutating func askedToDeclare() -> Int {
        taken += 1
        lastDeclaration = taken
        mayBeThere = true
        return taken
    }

    mutating func askedToDelete() -> Int {
        taken += 1
        lastDeletion = taken
        deletionsUnanswered += 1
        mayBeGone = true
        return taken
    }

    mutating func declared(_ number: Int, inTurn turn: Int) {
        guard lastDeletion < number, deletionsUnanswered == 0 else { return }
        mayBeGone = false
        learnedInTurn = turn
    }

    mutating func deletionAnswered(_ number: Int, isDeleted: Bool, inTurn turn: Int) {
        deletionsUnanswered = max(0, deletionsUnanswered - 1)
        guard isDeleted, lastDeclaration < number else { return }
        mayBeThere = false
        learnedInTurn = turn
    }

    /// What was not answered may have happened, and will not happen any more.
    mutating func brokerDied() { deletionsUnanswered = 0 }
}
