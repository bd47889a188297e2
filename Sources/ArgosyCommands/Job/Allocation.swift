// An allocation that somebody waits for: the request, what is said while it waits, and how it is given up.
//
// The job belongs to the connection it was asked for on: when that ends, the controller ends the job. When the answer
// takes a moment the job's id is asked for on another connection, by the token that both carry.

import ArgosyClient
import ArgosyWire
import Glibc

struct Allocation {
    let command: String
    let session: Session
    let signals: Signals
    var isQuiet = false
    /// "Pending job allocation 12" too, as salloc says it.
    var tellsPending = false
    /// Seconds to wait at most; nil: for ever.
    var patience: UInt32?
    private(set) var submission = WireSubmitJob()
    private(set) var connection: ControllerConnection?
    private(set) var job: UInt32 = 0
    private(set) var waited = false
    /// Slurm's words for why it was not there in time: what the job waited for.
    private(set) var missed = ""

    /// Given up: by a signal, or because resources were not there in time.
    enum Ended: Error { case signal(Int32), tooLate, revoked(Failure) }

    init(_ command: String, _ session: Session, _ signals: Signals) {
        self.command = command
        self.session = session
        self.signals = signals
    }

    /// Asks, and waits until the job has its nodes. Throws `Ended` or `Failure`.
    mutating func obtain(_ submit: WireSubmitJob) throws -> WireJobSubmitted {
        submission = submit
        let connection = try session.connect()
        self.connection = connection
        var request = WireRequest()
        request.submit = submit
        try connection.send(request)
        let reply = try wait(for: connection)
        guard case .submitted(let submitted)? = reply.body, submitted.hasAllocation else {
            throw Failure("Invalid reply of the controller")
        }
        if !submitted.warning.isEmpty { Console.info(command, submitted.warning) }
        job = submitted.job
        if waited, !isQuiet { Console.info(command, "job \(job) has been allocated resources") }
        return submitted
    }

    private mutating func wait(for connection: ControllerConnection) throws -> WireReply {
        let start = monotonicMS()
        var toldAt = start + 300
        while true {
            let now = monotonicMS()
            if let patience, now - start >= Int64(max(patience, 1)) * 1000 {
                missed = whyWaiting()
                cancel()
                throw Ended.tooLate
            }
            var next = Int64(60_000)
            if !waited, !isImmediate { next = min(next, max(0, toldAt - now)) }
            if let patience { next = min(next, Int64(max(patience, 1)) * 1000 - (now - start)) }
            var entries = [
                pollfd(fd: connection.descriptor, events: Int16(POLLIN), revents: 0),
                pollfd(fd: signals.descriptor, events: Int16(POLLIN), revents: 0),
            ]
            let count = poll(&entries, 2, Int32(clamping: next))
            if count > 0, entries[1].revents != 0 {
                if let signal = signals.take().first(where: { ![SIGCONT, SIGCHLD, SIGWINCH].contains($0) }) {
                    cancel()
                    throw Ended.signal(signal)
                }
            }
            if count > 0, entries[0].revents != 0 { return try received(connection) }
            if !waited, !isImmediate, monotonicMS() >= toldAt {
                if learnID() { tellWaiting() } else { toldAt = monotonicMS() + 500 }
            }
        }
    }

    /// Now or never: nothing is said of waiting.
    private var isImmediate: Bool { patience.map { $0 <= 1 } ?? false }

    private mutating func whyWaiting() -> String {
        let busy = "Unable to allocate resources: Requested nodes are busy"
        var request = WireListJobs()
        var selector = WireJobSelector()
        guard job != 0 || learnID() else { return busy }
        selector.job = job
        request.jobs = [selector]
        guard case .jobs(let list)? = try? session.ask(.listJobs(request), timeout: .seconds(5)).body,
            let reason = list.jobs.first?.reason
        else { return busy }
        switch reason {
        case "PartitionNodeLimit", "PartitionConfig":
            return "Job submit/allocate failed: Requested partition configuration not available now"
        case "BeginTime", "Dependency", "JobHeldUser", "JobHeldAdmin":
            return "Job submit/allocate failed: Job dependency problem"
        default: return isImmediate ? busy : "Unable to allocate resources: Connection timed out"
        }
    }

    private func received(_ connection: ControllerConnection) throws -> WireReply {
        do { return try connection.receive(timeout: .seconds(30)) } catch {
            let failure = Failure(error)
            if job != 0, failure.message == "Job allocation has been revoked" { throw Ended.revoked(failure) }
            throw failure
        }
    }

    /// A repeat with the same token that asks for the id alone.
    private mutating func learnID() -> Bool {
        var repeated = submission
        repeated.onlyID = true
        guard let reply = try? session.ask(.submit(repeated), timeout: .seconds(5)),
            case .submitted(let submitted)? = reply.body
        else { return false }
        job = submitted.job
        return true
    }

    private mutating func tellWaiting() {
        waited = true
        if isQuiet { return }
        if tellsPending { Console.info(command, "Pending job allocation \(job)") }
        Console.info(command, "job \(job) queued and waiting for resources")
    }

    /// The job is not wanted any more.
    mutating func cancel() {
        if job == 0, !learnID() { return }
        var cancel = WireCancelJobs()
        var selector = WireJobSelector()
        selector.job = job
        cancel.jobs = [selector]
        _ = try? session.ask(.cancel(cancel), timeout: .seconds(5))
    }

    /// The connection broke, as when the controller restarts: the job is claimed again before it is ended.
    mutating func claimAgain() {
        var request = WireRequest()
        request.submit = submission
        guard let connection = try? session.connect() else { return }
        self.connection = connection
        try? connection.send(request)
    }
}
