// Users: they submit, repeat with the same token what was not answered, cancel, and run interactive jobs.
import ArgosyCore
import ArgosyDomain

struct VirtualClient {
    enum Phase { case submitting, waiting, interactive, done }
    let token: String
    let fields: JobSpec.Fields
    let isInteractive: Bool
    let cancels: Bool
    let requeues: Bool
    var phase = Phase.submitting
    var handle: ReplyHandle?
    var job: JobID?

    init(_ index: Int, _ random: inout SeededGenerator) {
        token = "token\(index)"
        isInteractive = random.chance(15)
        cancels = random.chance(15)
        requeues = random.chance(10)
        var fields = JobSpec.Fields(identity: Identity(uid: 1000, gid: 1000, user: "ann", group: "ann"))
        fields.timeLimit = TimeLimit(minutes: UInt32(random.in(1...3)))
        fields.minNodes = random.chance(30) ? 2 : 0
        fields.tasks = UInt32(random.in(1...4))
        fields.memoryPerNodeMiB = UInt64(random.in(0...6) * 100)
        fields.requeue = random.chance(70)
        fields.exclusive = random.chance(5)
        if random.chance(20) { fields.resources.gres = [GRESRequest(name: "gpu", count: UInt64(random.in(1...2)))] }
        if random.chance(20) { fields.resources.licenses = [LicenseRequest(name: "solver", count: 1)] }
        if isInteractive {
            fields.killOnClientLoss = true
        } else {
            fields.scriptDigest = "script"
            if random.chance(25) {
                let last = UInt32(random.in(0...5))
                fields.array = ArraySpec(
                    indices: [IndexRange(first: 0, last: last)], maxRunning: UInt32(random.in(0...2)))
                fields.minNodes = 0
            }
        }
        self.fields = fields
    }

    /// Whatever was asked is not going to be answered.
    mutating func connectionLost() {
        guard handle != nil else { return }
        handle = nil
        if phase == .waiting { phase = .submitting }
        if phase == .interactive { phase = .done }
    }
}

extension World {
    static let user = Caller(uid: 1000, gid: 1000, isOperator: false)

    mutating func retryClients() {
        for index in clients.indices where clients[index].phase == .submitting {
            after(random.milliseconds(50...3000), .client(index))
        }
    }

    private mutating func newHandle() -> ReplyHandle {
        lastHandle += 1
        return ReplyHandle(rawValue: lastHandle)
    }

    mutating func wakeClient(_ index: Int) {
        let client = clients[index]
        switch client.phase {
        case .submitting where client.handle == nil:
            guard core != nil else {
                after(random.milliseconds(100...3000), .client(index))
                return
            }
            let handle = newHandle()
            clients[index].handle = handle
            clients[index].phase = .waiting
            send(
                .jobSubmitted(
                    client.fields, token: client.token, waitForAllocation: client.isInteractive, by: Self.user,
                    reply: handle))
        case .done where client.job != nil:
            guard let job = client.job, core != nil else { return }
            let selection = JobSelection(items: [.init(job: job)])
            if client.cancels {
                truth.touched.insert(job)
                send(
                    .cancelRequested(
                        selection, signal: 0, batchOnly: false, full: false, by: Self.user, reply: newHandle()))
            } else if client.requeues {
                send(.jobUpdateRequested(selection, .requeue, by: Self.user, reply: newHandle()))
            }
        default: break
        }
    }

    mutating func answer(_ handle: ReplyHandle, _ answer: Answer) {
        guard let index = clients.firstIndex(where: { $0.handle == handle }) else { return }
        switch answer {
        case .submitted(let job):
            acknowledge(job, to: index)
            clients[index].handle = nil
            clients[index].phase = .done
            after(random.milliseconds(10...60_000), .client(index))
        case .allocated(let job, _, _):
            acknowledge(job, to: index)
            clients[index].phase = .interactive
            requestStep(job)
        case .refused(let refusal):
            clients[index].handle = nil
            if refusal.code == .storeFailed {
                clients[index].phase = .submitting
                after(random.milliseconds(50...3000), .client(index))
            } else {
                clients[index].phase = .done
            }
        case .done, .reservationCreated, .cancelled, .stepCreated, .tested, .ended, .triggerSet, .crontabSet,
            .crontabRefused:
            break
        }
    }

    private mutating func requestStep(_ job: JobID) {
        var request = StepRequest(job: job)
        request.exact = random.chance(50)
        send(.stepRequested(request, by: Self.user, reply: newHandle()))
        guard let handle = clients.first(where: { $0.job == job })?.handle else { return }
        // A user who waits for nothing more than a while.
        after(random.milliseconds(2000...90_000), .clientGone(handle))
    }

    mutating func noteStepEnd(_ key: AttemptKey, _ step: StepID) {}

    /// An operator lets running jobs stand still, and go on.
    mutating func pauseSomething() {
        guard let core else { return }
        let root = Caller(uid: 0, gid: 0, isOperator: true)
        var jobs: [JobRow] = []
        core.view.forEachJob { if $0.state == .running || $0.state == .suspended { jobs.append($0) } }
        guard !jobs.isEmpty else { return }
        let job = jobs[random.below(jobs.count)]
        let action = job.state == .running && isFaulty ? JobAction.suspend : .resume
        let selection = JobSelection(items: [.init(job: job.id)])
        send(.jobUpdateRequested(selection, action, by: root, reply: newHandle()))
    }

    /// Operators drain and bring back nodes; at the end everything is brought back.
    mutating func administer() {
        guard core != nil else {
            after(.seconds(5), .administer)
            return
        }
        let root = Caller(uid: 0, gid: 0, isOperator: true)
        let handle = newHandle()
        if !isFaulty {
            let standing = disk.jobs.filter { $0.state == .suspended }
            for row in standing {
                let selection = JobSelection(items: [.init(job: row.id)])
                send(.jobUpdateRequested(selection, .resume, by: root, reply: newHandle()))
            }
            send(.nodeUpdateRequested(nodes.map(\.index), .resume, by: root, reply: handle))
            let held = disk.jobs.filter { $0.state == .pending && $0.reason == .launchFailedRequeuedHeld }
            let selection = JobSelection(items: held.map { .init(job: $0.id) })
            if !held.isEmpty { send(.jobUpdateRequested(selection, .release, by: root, reply: newHandle())) }
            after(.seconds(30), .administer)
            return
        }
        let node = nodes[random.below(nodes.count)].index
        switch random.below(3) {
        case 0: send(.nodeUpdateRequested([node], .drain(reason: "test"), by: root, reply: handle))
        case 1: send(.nodeUpdateRequested([node], .down(reason: "test"), by: root, reply: handle))
        default: send(.nodeUpdateRequested(nodes.map(\.index), .resume, by: root, reply: handle))
        }
    }
}
