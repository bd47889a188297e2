// What scontrol does with jobs: hold, release, requeue, suspend, resume, top, notify, wait, write out.

import ArgosyClient
import ArgosyDomain
import ArgosyWire
import Glibc

extension ScontrolShell {
    /// Job ids of words with commas between them; `jobname=NAME` is all jobs of that name.
    private func targets(_ words: [String]) throws -> [(text: String, selector: WireJobSelector?)] {
        var found: [(String, WireJobSelector?)] = []
        for word in words {
            let lower = word.lowercased()
            if lower.hasPrefix("jobname=") || lower.hasPrefix("name=") {
                let name = word[word.index(after: word.firstIndex(of: "=") ?? word.startIndex)...]
                let mine = ownUID()
                for record in try records(nil)
                where record.info.spec.name == name && !record.state.isEnded
                    && (mine == 0 || record.info.spec.identity.uid == mine)
                {
                    found.append((record.id, record.selector))
                }
                continue
            }
            let list = lower.hasPrefix("jobid=") ? String(word.dropFirst(6)) : word
            for text in JobName.words(list) { found.append((text, try selector(of: text))) }
        }
        return found
    }

    /// Nil: no id. A component of a heterogeneous job is looked up.
    func selector(of text: String) throws(Failure) -> WireJobSelector? {
        guard let name = JobName(text) else { return nil }
        guard name.offset != nil else { return name.identifier.selector }
        return try records(nil).first { $0.part(name) != nil }.map { record in
            var selector = WireJobSelector()
            selector.job = record.info.job
            return selector
        }
    }

    mutating func changeJobs(_ action: String, _ words: [String]) throws {
        let isHold = ["hold", "uhold", "release"].contains(action)
        for (text, selector) in try targets(words) {
            do throws(Failure) {
                guard let selector else { throw Failure("Invalid job id specified") }
                try change(selector, action)
            } catch {
                exitCode = 1
                if options.quiet { continue }
                Console.complain("\(error.message) for job \(text)\n")
                if isHold { Console.complain("slurm_suspend error: \(error.message)\n") }
                if !error.detail.isEmpty { Console.error("scontrol", error.detail) }
            }
        }
    }

    private func change(_ selector: WireJobSelector, _ action: String) throws(Failure) {
        var request = WireUpdateJob()
        request.job = selector
        request.action = action
        _ = try Session().ask(.updateJob(request))
    }

    /// `requeue [Incomplete] JOBS`, `requeuehold [Incomplete] [State=SpecialExit] JOBS`
    mutating func requeue(_ action: String, _ words: [String]) throws {
        var words = words
        var isIncompleteOnly = false
        var action = action
        while let option = words.first?.lowercased(), words.count > 1 {
            if option.hasPrefix("inc") {
                isIncompleteOnly = true
            } else if option.hasPrefix("state="), action == "requeuehold" {
                guard option.dropFirst(6) == "specialexit" else { throw Failure("Invalid state specified") }
                action = "specialexit"
            } else {
                break
            }
            words.removeFirst()
        }
        guard isIncompleteOnly else { return try changeJobs(action, words) }
        let ended = try records(nil).filter { $0.state.isEnded || $0.state == .completing }
        let live = try targets(words).filter { target in
            guard let selector = target.selector, let name = JobName(target.text) else { return true }
            return !ended.contains { $0.part(name) != nil || $0.info.job == selector.job }
        }
        if !live.isEmpty { try changeJobs(action, live.map(\.text)) }
    }

    mutating func moveToTop(_ words: [String]) throws {
        var request = WireMoveToTop()
        let targets = try targets(words)
        request.jobs = targets.compactMap(\.selector)
        let names = targets.map(\.text).joined(separator: ",")
        guard request.jobs.count == targets.count else { throw Failure("Invalid job id specified for job \(names)") }
        do throws(Failure) { _ = try Session().ask(.moveToTop(request)) } catch {
            throw Failure("\(error.message) for job \(names)", detail: error.detail)
        }
    }

    mutating func notify(_ words: [String]) throws {
        guard let id = JobName(words[0]) else { throw Failure("job notify failure: Invalid job id specified") }
        var request = WireNotifyJob()
        request.job = id.identifier.job
        request.message = words.dropFirst().joined(separator: " ")
        do throws(Failure) { _ = try Session().ask(.notifyJob(request)) } catch {
            throw Failure("job notify failure: \(error.message)", detail: error.detail)
        }
    }

    /// Until the job's nodes are ready, which they are when it runs; an error when it has not started, or has ended.
    mutating func waitForJob(_ text: String) throws {
        guard let id = JobName(text) else { throw Failure("scontrol: Problem running job \(text)") }
        let found: [JobRecord]
        do throws(Failure) { found = try records(id.identifier.selector) } catch {
            throw Failure("scontrol: Problem running job \(text)", detail: error.detail)
        }
        guard let record = found.first else { throw Failure("scontrol: Problem running job \(text)") }
        guard record.state == .running || record.state == .suspended else {
            throw Failure("scontrol: Job \(text) no longer running")
        }
        if !options.quiet { Console.info("scontrol", "Nodes are ready for job \(text)") }
    }

    // MARK: Files

    mutating func write(_ words: [String]) throws {
        let what = words[0].lowercased()
        if what.count >= 1, "batch_script".hasPrefix(what) {
            guard words.count > 1 else { return }
            return writeScript(words[1], words.count > 2 ? words[2] : nil)
        }
        if what.count >= 1, "config".hasPrefix(what) { return try writeConfiguration(words.count > 1 ? words[1] : nil) }
        throw Failure("invalid entity:\(words[0]) for keyword:write")
    }

    /// Slurm's scontrol ends with 0 even where there is no such script.
    private func writeScript(_ text: String, _ path: String?) {
        func fail(_ failure: Failure) {
            complain(Failure("job script retrieval failed: \(failure.message)", detail: failure.detail))
        }
        guard let id = JobName(text) else { return fail(Failure("Invalid job id specified")) }
        var request = WireListJobs()
        request.jobs = [id.identifier.selector]
        request.withScript = true
        do throws(Failure) {
            guard case .jobs(let list)? = try Session().ask(.listJobs(request)).body, let job = list.jobs.first else {
                throw Failure("Invalid job id specified")
            }
            let mine = ownUID()
            if mine != 0, job.spec.identity.uid != mine, job.spec.script.isEmpty {
                throw Failure("Invalid user id")
            }
            if job.spec.script.isEmpty {
                throw Failure("Job script not specified", detail: "job \(text) has no batch script")
            }
            let bytes = Array(job.spec.script)
            if path == "-" {
                Console.write(bytes + (bytes.last == 10 ? [] : [10]), to: 1)
                return
            }
            let file = path ?? "slurm-\(text).sh"
            let descriptor = open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o700)
            guard descriptor >= 0 else {
                throw Failure("\(String(cString: strerror(errno)))", detail: "\(file) cannot be written")
            }
            Console.write(bytes, to: descriptor)
            close(descriptor)
            if !options.quiet { Console.print("batch script for job \(text) written to \(file)\n") }
        } catch { fail(error) }
    }

    private func writeConfiguration(_ path: String?) throws {
        guard case .configuration(let found)? = try Session().ask(.configuration(.init())).body else { return }
        let (parts, _) = Times.local(Times.now())
        let stamp =
            "\(parts.tm_year + 1900)\(two(parts.tm_mon + 1))\(two(parts.tm_mday))"
            + "T\(two(parts.tm_hour))\(two(parts.tm_min))\(two(parts.tm_sec))"
        let base = path ?? Process.variable("SLURM_CONF_OUT") ?? Process.variable("SLURM_CONF") ?? "slurm.conf"
        let file = "\(base).\(stamp)"
        let descriptor = open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else {
            throw Failure("Could not create file \(file): \(String(cString: strerror(errno)))")
        }
        let text = found.entries.filter { !$0.key.isEmpty && $0.value != "(null)" }.map { "\($0.key)=\($0.value)\n" }
        Console.write(Array(text.joined().utf8), to: descriptor)
        close(descriptor)
        Console.print("Slurm config saved to \(file)\n")
    }

    // MARK: Processes of this node

    /// Lines of processes in the cgroups of jobs on this machine.
    mutating func listPIDs(_ words: [String]) throws {
        var job: UInt32?
        var step: String?
        if let word = words.first, word != "*" {
            let parts = word.split(separator: ".", maxSplits: 1)
            guard let number = parts.first.flatMap({ UInt32($0) }) else { throw Failure("Invalid jobid \(word)") }
            job = number
            step = parts.count > 1 ? String(parts[1]) : nil
        }
        Console.print("PID      JOBID    STEPID   LOCALID GLOBALID\n")
        let found = JobProcesses.all().filter { (job == nil || $0.job == job) && (step == nil || $0.step == step) }
        if found.isEmpty {
            if let step, let job { throw Failure("Job step \(job).\(step) does not exist on this node.") }
            if let job { throw Failure("Job \(job) does not exist on this node.") }
            throw Failure("No job steps exist on this node.")
        }
        for process in found {
            let task = process.task.map { "\($0)" } ?? "-"
            Console.print(
                "\(pad("\(process.pid)", 8)) \(pad("\(process.job)", 8)) \(pad(process.step, 8)) "
                    + "\(pad(task, 7)) \(pad(task, 8))\n")
        }
    }

    mutating func pidInfo(_ tag: String, _ words: [String]) throws {
        guard let word = words.first else { throw Failure("missing argument for keyword:\(tag)") }
        guard let pid = Int32(word), let process = JobProcesses.all().first(where: { $0.pid == pid }) else {
            throw Failure("Failed to locate job for requested pid")
        }
        var selector = WireJobSelector()
        selector.job = process.job
        guard let record = try records(selector, "slurm_get_end_time").first else { return }
        Console.print("Slurm JobId=\(process.job) ends at \(Times.dateLine(record.info.endUs / 1_000_000))\n")
    }

    // MARK: The controller

    func reconfigure() throws {
        do throws(Failure) {
            let body = try Session().ask(.reconfigure(.init()), timeout: .seconds(60)).body
            guard case .reconfigured(let found)? = body else { throw Failure("Invalid reply of the controller") }
            if options.quiet { return }
            for note in found.notes { Console.error("scontrol", note) }
        } catch { throw Failure("slurm_reconfigure error: \(error.message)", detail: error.detail) }
    }

    private static let levels = [
        "quiet", "fatal", "error", "info", "verbose", "debug", "debug2", "debug3", "debug4", "debug5",
    ]

    private static let flags: Set<String> = [
        "accrue", "agent", "backfill", "backfillmap", "burstbuffer", "cgroup", "cpu_bind", "cpufrequency", "data",
        "dbd_agent", "dependency", "elasticsearch", "energy", "extsensors", "federation", "frontend", "gres", "hetjob",
        "gang", "jobaccountgather", "jobcontainer", "license", "network", "networkraw", "nodefeatures", "no_conf_hash",
        "power", "priority", "profile", "protocol", "reservation", "route", "script", "selecttype", "steps", "switch",
        "timecray", "tracejobs", "triggers", "workqueue",
    ]

    func set(_ what: String, _ tag: String, _ words: [String]) throws {
        let value = words.joined(separator: ",").lowercased()
        switch what {
        case "debug":
            let isKnown = Self.levels.contains(value) || UInt8(value).map { $0 <= 9 } ?? false
            guard isKnown else { throw Failure("invalid debug level: \(words[0])") }
            var request = WireSetController()
            (request.what, request.value) = (what, UInt8(value).map { Self.levels[Int($0)] } ?? value)
            do throws(Failure) { _ = try Session().ask(.setController(request)) } catch {
                throw Failure("slurm_set_debug_level error: \(error.message)", detail: error.detail)
            }
        case "schedlog":
            // As with Slurm where SlurmSchedLogFile is not set.
            guard ["0", "1", "enable", "disable"].contains(value) else {
                throw Failure("invalid schedlog level: \(words[0])")
            }
            throw Failure(
                "slurm_set_schedlog_level error: Requested operation is presently disabled",
                detail: "the scheduler has no log of its own; `argosy why JOB` tells what it thinks of a job")
        case "debugflags":
            guard let sign = value.first, sign == "+" || sign == "-" else {
                throw Failure("invalid debug flag: \(words[0])\nUsage: setdebugflags [+|-]NAME")
            }
            let flags = commaList(String(value.dropFirst()))
            if let wrong = flags.first(where: { !Self.flags.contains($0) }) {
                throw Failure("scontrol: error: Invalid DebugFlag: \(wrong)\ninvalid debug flag: \(words[0])")
            }
            throw Failure(
                "slurm_set_debugflags error: Requested operation is presently disabled",
                detail: "the controller's log has no parts to switch on; `scontrol setdebug debug` tells more of all")
        default:
            guard UInt16(value) != nil else { throw Failure("invalid dampening factor: \(words[0])") }
            throw Failure(
                "slurm_set_fs_dampeningfactor error: Requested operation is presently disabled",
                detail: "set FairShareDampeningFactor in the configuration")
        }
    }

    mutating func reboot(_ words: [String]) throws {
        let nodes = words.filter { $0.lowercased() != "asap" && !$0.contains("=") }
        guard let list = nodes.first else { throw Failure("Missing node list. Specify ALL|<NodeList>") }
        throw Failure(
            "scontrol_reboot_nodes error: Requested operation not supported on this system",
            detail: "\(list): drain the nodes and reboot them by other means; they come back by themselves")
    }

    mutating func cancelReboot(_ tag: String, _ words: [String]) throws {
        guard words.first != nil else { throw Failure("missing argument for keyword:\(tag)") }
        throw Failure("slurm_update error: Invalid node state specified", detail: "no reboot of it was asked for")
    }
}

extension JobRecord {
    var selector: WireJobSelector {
        var selector = WireJobSelector()
        selector.job = info.job
        return selector
    }
}
