// Orders as they are sent: with script, environment, addresses and what is left of the time limit at this moment.
internal import ArgosyCore
internal import ArgosyDomain
internal import ArgosyStore
internal import ArgosyWire
internal import Synchronization

final class OrderWriter: Sendable {
    struct Unwritable: Error, CustomStringConvertible {
        let description: String
    }
    private let store: any Store
    private let desk: NodeDesk
    private let clock: SharedClock
    private let term: Term
    /// What a job may run beyond its limit; nil: for ever.
    private let overTimeLimit: Duration?
    private let sequence = Atomic<UInt64>(0)

    init(store: any Store, desk: NodeDesk, clock: SharedClock, term: Term, life: LifeSettings) {
        overTimeLimit = life.overTimeLimit
        self.store = store
        self.desk = desk
        self.clock = clock
        self.term = term
    }

    /// Throws when the store cannot give a script or environment, or the order's rows are not in `context`.
    func write(_ order: Order, for node: NodeIndex, _ incarnation: Incarnation, _ context: EffectContext) throws
        -> WireOrder
    {
        var wire = WireOrder()
        wire.term = term.rawValue
        wire.incarnation = WireIncarnation(incarnation)
        wire.sequence = sequence.add(1, ordering: .relaxed).newValue
        wire.job = order.key.job.rawValue
        wire.attempt = order.key.attempt.rawValue
        switch order.body {
        case .prepare(let launchBatch):
            let job = try row(order.key, context)
            wire.prepare = try prepare(job, for: node, context)
            if launchBatch { wire.prepare.batch = try batch(job) }
        case .launch(.batch):
            let job = try row(order.key, context)
            wire.launch = try batch(job)
            wire.launch.job = try prepare(job, for: node, context)
        case .launch(let id):
            guard let step = context.steps[EffectContext.StepKey(key: order.key, step: id)] else {
                throw Unwritable(description: "step \(order.key.job).\(id) is not there any more")
            }
            wire.launch = try launch(step, for: node)
            wire.launch.job = try prepare(try row(order.key, context), for: node, context)
        case .signal(let step, let number, let batchOnly):
            wire.signal.step = step?.rawValue ?? 0
            wire.signal.allSteps = step == nil
            wire.signal.number = number
            wire.signal.batchOnly = batchOnly
        case .terminate(let grace, let why):
            wire.terminate.graceS = UInt32(clamping: grace.components.seconds)
            wire.terminate.why = why
        case .suspend(let number): wire.suspend.number = number
        case .resume(let number): wire.resume.number = number
        case .setLimit: wire.setLimit.remainingMs = remaining(try row(order.key, context))
        }
        return wire
    }

    private func row(_ key: AttemptKey, _ context: EffectContext) throws -> JobRow {
        guard let row = context.jobs[key] else {
            throw Unwritable(description: "job \(key.job) is not there any more")
        }
        return row
    }

    private func prepare(_ job: JobRow, for node: NodeIndex, _ context: EffectContext) throws -> WirePrepare {
        guard let allocation = job.allocation, let place = allocation.nodes.firstIndex(where: { $0.index == node })
        else {
            throw Unwritable(description: "job \(job.id) holds nothing on this node")
        }
        var wire = WirePrepare()
        wire.spec = WireJobSpec(job.spec)
        wire.allocation = desk.wire(allocation, partition: job.partition)
        wire.nodeIndex = UInt32(place)
        wire.remainingMs = remaining(job)
        wire.restarts = job.attempt.rawValue
        wire.reservation = job.reservation
        wire.components = (context.components[job.id] ?? []).map { part in
            var component = WireComponent()
            component.job = part.id.rawValue
            component.spec = WireJobSpec(part.spec)
            component.spec.components = []
            if let allocation = part.allocation {
                component.allocation = desk.wire(allocation, partition: part.partition)
            }
            return component
        }
        if let arrayJob = job.arrayJob, let index = job.arrayIndex {
            wire.arrayJob = arrayJob.rawValue
            wire.arrayTask = index
            let ranges = job.spec.fields.array?.indices ?? []
            wire.arrayMin = ranges.map(\.first).min() ?? index
            wire.arrayMax = ranges.map { $0.last - ($0.last - $0.first) % $0.step }.max() ?? index
            wire.arrayStep = ranges.first?.step ?? 1
            wire.arrayCount = ranges.reduce(0) { $0 + ($1.last - $1.first) / $1.step + 1 }
        }
        return wire
    }

    /// The batch script: one task on the allocation's first node.
    private func batch(_ job: JobRow) throws -> WireLaunchStep {
        let fields = job.spec.fields
        guard let first = job.allocation?.nodes.first else {
            throw Unwritable(description: "job \(job.id) holds no node")
        }
        var node = first
        node.tasks = 1
        var wire = WireLaunchStep()
        wire.step = StepID.batch.rawValue
        wire.name = "batch"
        wire.layout = desk.wire(Allocation(nodes: [node], cpusPerTask: fields.cpusPerTask), partition: job.partition)
        wire.arguments = fields.arguments
        wire.environment = Environment.split(try blob(fields.environmentDigest))
        wire.workDir = fields.workDirectory
        wire.io.stdinPath = fields.stdinPath
        wire.io.stdoutPath = fields.stdoutPath
        wire.io.stderrPath = fields.stderrPath
        wire.io.append = fields.appendOutput
        wire.script = .init(try blob(fields.scriptDigest))
        wire.remainingMs = remaining(job)
        wire.cpusPerTask = fields.cpusPerTask
        wire.umask = fields.umask
        return wire
    }

    private func launch(_ step: StepRow, for node: NodeIndex) throws -> WireLaunchStep {
        guard let place = step.layout.nodes.firstIndex(where: { $0.index == node }) else {
            throw Unwritable(description: "step \(step.key.job).\(step.step) has no task on this node")
        }
        let request = try WireCreateStep(serializedBytes: step.request.payload)
        var wire = WireLaunchStep()
        wire.step = step.step.rawValue
        wire.name = step.name
        wire.layout = desk.wire(step.layout, partition: "")
        wire.nodeIndex = UInt32(place)
        wire.firstRank = place < step.firstRanks.count ? step.firstRanks[place] : 0
        wire.arguments = request.arguments
        wire.environment = request.environment
        wire.workDir = request.workDir
        wire.io = request.io
        wire.noContainer = request.noContainer
        wire.killOnBadExit = request.killOnBadExit
        wire.cpusPerTask = step.layout.cpusPerTask
        wire.umask = request.umask
        wire.memoryMib = request.memoryPerNodeMib
        if request.hasOptions { wire.options = request.options }
        wire.mpi = request.mpi
        wire.waitForIo = request.io.stdinPath.isEmpty || request.io.stdoutPath.isEmpty
        if let limit = step.request.timeLimit.duration {
            wire.remainingMs = milliseconds(limit - (clock.now - step.start))
        }
        return wire
    }

    /// Of the job's time limit; 0: there is none. What is over leaves one millisecond.
    private func remaining(_ job: JobRow) -> UInt64 {
        guard let limit = job.timeLimit.duration, let over = overTimeLimit else { return 0 }
        guard job.start.isSet else { return milliseconds(limit + over) }
        let paused = job.suspendedFor + (job.suspendedAt.isSet ? clock.now - job.suspendedAt : .zero)
        return milliseconds(limit + over + paused - (clock.now - job.start))
    }

    private func milliseconds(_ duration: Duration) -> UInt64 { UInt64(max(duration.microseconds / 1000, 1)) }

    private func blob(_ digest: String) throws -> [UInt8] {
        if digest.isEmpty { return [] }
        guard let bytes = try store.blob(digest) else {
            throw Unwritable(description: "the store has no script or environment \(digest)")
        }
        return bytes
    }
}

/// An environment as it is stored: each NAME=value ended by a NUL, which neither can hold.
enum Environment {
    static func join(_ entries: [String]) -> [UInt8] { entries.flatMap { Array($0.utf8) + [0] } }
    static func split(_ bytes: [UInt8]) -> [String] {
        bytes.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
    }
}
