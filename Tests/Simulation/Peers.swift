import BrokerDaemon
import TaskModel

/// Everybody outside the broker, and the steps that they take.
struct Peers {
    private var clients = [SimulatedClient(), SimulatedClient()]
    private var workers: [SimulatedWorker] = []
    private var admin = SimulatedAdmin()
    private var operators: [SimulatedOperator] = []
    private var hasPaused = false
    private var janitor: SimulatedJanitor?

    init(_ world: World) {
        for queue in world.conditions.queues {
            for number in 0..<world.conditions.workersPerQueue {
                workers.append(SimulatedWorker(name: "\(number)@\(queue.name)", queue: queue.name))
            }
        }
        if world.conditions.operates { operators = [SimulatedOperator(), SimulatedOperator()] }
        if world.conditions.passing != nil { janitor = SimulatedJanitor() }
    }

    mutating func brokerDied(_ world: World) {
        for index in clients.indices { clients[index].lost(world) }
        for index in workers.indices { workers[index].brokerDied() }
        admin.brokerDied()
        for index in operators.indices { operators[index].brokerDied() }
        janitor?.brokerDied()
    }

    mutating func rebooted(_ world: World) {
        for index in workers.indices { workers[index].die(world, seen: false) }
    }

    /// What has arrived is read, who is away comes back, one or a few do something.
    mutating func step(_ world: World) {
        for index in clients.indices {
            if clients[index].connection == nil { clients[index].connect(world) }
            clients[index].read(world)
        }
        for index in workers.indices {
            if !workers[index].isConnected, world.random.below(3) == 0 { workers[index].connect(world) }
            workers[index].read(world)
        }
        admin.read(world)
        for index in operators.indices { operators[index].read(world) }
        janitor?.read(world)
        workersWork(world)
        if world.isFaulty {
            if world.random.below(5) < 3 { clients[world.random.below(clients.count)].act(world) }
            disturb(world)
        }
    }

    private mutating func workersWork(_ world: World) {
        for index in workers.indices {
            if world.random.below(3) > 0 { workers[index].work(world) }
            if world.random.below(3) == 0 { workers[index].renew(world) }
        }
    }

    private mutating func disturb(_ world: World) {
        if world.strikes(.workerDeath, oneIn: 50) {
            workers[world.random.below(workers.count)].die(world, seen: world.random.below(4) > 0)
        }
        if world.strikes(.disconnect, oneIn: 50) {
            workers[world.random.below(workers.count)].disconnect(world)
        }
        if world.strikes(.ingestDeath, oneIn: 60) { clients[world.random.below(2)].die(world) }
        if world.strikes(.malformedFrame, oneIn: 8) { Stranger.disturb(world) }
        if world.random.below(20) == 0 {
            admin.act(world)
            hasPaused = true
        }
        if hasPaused, world.random.below(15) == 0 {
            hasPaused = false
            admin.resume(world)
        }
        if janitor != nil, world.random.below(10) == 0 { janitor?.act(world) }
        for index in operators.indices {
            if world.random.below(12) == 0 { operators[index].act(world) }
            if world.strikes(.disconnect, oneIn: 60) { operators[index].interrupt(world) }
        }
    }

    /// Every worker loses its connection.
    mutating func leave(_ world: World) {
        for index in workers.indices { workers[index].disconnect(world) }
    }

    /// The calm part begins: every pause ends.
    mutating func settle(_ world: World) { admin.resume(world) }

    /// A record of no consequence.
    mutating func knock(_ world: World) { admin.knock(world) }

    /// What the operators do at the end: nothing may stay parked or halted.
    mutating func tidy(parked: [TaskID], dead: [TaskID], _ world: World) {
        admin.resume(world)
        operators[0].tidy(parked: parked, dead: dead, world)
    }

    /// The queue that comes and goes is to be gone.
    mutating func clear(_ world: World) { janitor?.tidy(world) }

    mutating func cancelParked(_ ids: [TaskID], _ world: World) { clients[0].cancel(ids, world) }
}
