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
        if let before = lineBefore(options) { Console.error(command, before) }
        return Failure(prefix + message, detail: detail)
    }

    /// Read from the detail, which names the one partition of several, or what nodes have too little of.
    private func lineBefore(_ options: JobOptions) -> String? {
        if message == "Invalid partition name specified" {
            let words = detail.split(separator: " ", maxSplits: 2)
            let named = words.count == 3 && words[0] == "partition" && words[2].hasPrefix("is not configured")
            return "invalid partition specified: \(named ? String(words[1]) : options.partition)"
        }
        guard message == "Requested node configuration is not available" else { return nil }
        if detail.contains("have not so much memory") { return "Memory specification can not be satisfied" }
        let most = detail.firstRange(of: " at most ").flatMap {
            UInt64(detail[$0.upperBound...].prefix { $0.isNumber })
        }
        let wanted = max(1, options.cpusPerTask) * max(1, UInt32(clamping: options.tasksPerNode))
        if let most, UInt64(wanted) > most { return "CPU count per node can not be satisfied" }
        return nil
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

    /// Inside a job no configuration is at hand, and none is needed: the relay knows the way.
    init() throws(Failure) {
        if ControllerConnection.environment("ARGOSY_RELAY") != nil {
            configuration = ClusterConfiguration()
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
