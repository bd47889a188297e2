// What every command does first: find the configuration, connect, ask, and tell the user what went wrong.

import ArgosyClient
import ArgosyConfig
import ArgosyDomain
import ArgosySystem
import ArgosyWire

/// A failure that ends a command: Slurm's text, and what else is known.
struct Failure: Error {
    var message: String
    var detail: String
    init(_ message: String, detail: String = "") {
        self.message = message
        self.detail = detail
    }

    /// With what the command says of such failures in front; what Slurm finds on the user's side stands alone, and what it
    /// finds at submission has a line before.
    func worded(_ prefix: String, for options: JobOptions, as command: String) -> Failure {
        if message == ResourceText.invalidGRES { return self }
        if message == "Invalid partition name specified" {
            // The detail names the one of several.
            let words = detail.split(separator: " ", maxSplits: 2)
            let isNamed = words.count == 3 && words[0] == "partition" && words[2].hasPrefix("is not configured")
            Console.error(command, "invalid partition specified: \(isNamed ? String(words[1]) : options.partition)")
        }
        if let line = unsatisfied(options) { Console.error(command, line) }
        return Failure(prefix + message, detail: detail)
    }

    /// What of a job no node has, as Slurm tells it first; nil: nothing it has words for.
    private func unsatisfied(_ options: JobOptions) -> String? {
        guard message == "Requested node configuration is not available" else { return nil }
        if detail[...].firstRange(of: "not so many CPUs") != nil { return "CPU count per node can not be satisfied" }
        if detail[...].firstRange(of: "not so much memory") != nil {
            return "Memory specification can not be satisfied"
        }
        if detail[...].firstRange(of: "not so much temporary disk") != nil {
            return "Temporary disk specification can not be satisfied"
        }
        let most = detail[...].firstRange(of: " at most ").flatMap {
            UInt64(detail[$0.upperBound...].prefix { $0.isNumber })
        }
        let (wanted, _) = UInt64(max(1, options.cpusPerTask)).multipliedReportingOverflow(
            by: UInt64(max(1, options.tasksPerNode)))
        return most.map { wanted > $0 } == true ? "CPU count per node can not be satisfied" : nil
    }

    init(_ error: any Error) {
        switch error {
        case let refusal as Refusal: self.init(refusal.message, detail: refusal.detail)
        case let failure as ClientError: self.init(failure.message, detail: failure.detail)
        case let failure as Failure: self = failure
        case let failure as OptionError: self.init(failure.message)
        default: self.init("\(error)")
        }
    }
}

struct Session {
    let configuration: ClusterConfiguration

    /// Inside a job the relay knows the way. The configuration is not needed then and not always at hand; where it is, what
    /// it says of steps (KillOnBadExit, TaskProlog ...) holds.
    init() throws(Failure) {
        if ControllerConnection.environment("ARGOSY_RELAY") != nil {
            configuration = (try? ConfigurationFile.load().configuration) ?? ClusterConfiguration()
            return
        }
        do { configuration = try ConfigurationFile.load().configuration } catch {
            throw Failure("Unable to process configuration file", detail: "\(error)")
        }
    }

    func connect() throws(Failure) -> ControllerConnection {
        do { return try ControllerConnection.open(configuration) } catch { throw Failure(error) }
    }

    /// One question, one answer.
    func ask(_ body: WireRequest.OneOf_Body, timeout: Duration? = .seconds(60)) throws(Failure) -> WireReply {
        var request = WireRequest()
        request.body = body
        do { return try connect().call(request, timeout: timeout) } catch { throw Failure(error) }
    }

    /// As `ask`, for requests that may be repeated: a reply that was lost is asked for again, for up to half a minute.
    func askAgain(_ body: WireRequest.OneOf_Body) throws(Failure) -> WireReply {
        var request = WireRequest()
        request.body = body
        var asked = false
        for attempt in 0..<60 {
            do {
                let connection = try ControllerConnection.open(configuration)
                asked = true
                return try connection.call(request, timeout: .seconds(60))
            } catch let error as ClientError {
                let lost = error.kind == .lostReply || error.kind == .unreachable && asked
                guard lost, attempt < 59 else { throw Failure(error) }
                pause(milliseconds: 500)
            } catch { throw Failure(error) }
        }
        throw Failure("Unable to contact slurm controller (connect failure)")
    }
}
