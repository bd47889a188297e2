// `scontrol update job`: keys and values to changes. Which of them a job's state and its owner's rights allow is for the
// controller to say.

import ArgosyConfig
import ArgosyDomain
import ArgosyWire

enum JobUpdate {
    typealias Reader = @Sendable (inout JobChanges, String) throws(OptionError) -> Void

    /// Full names, as `scontrol show job` has them, and what they may be shortened to.
    private static let keys: [(name: String, least: Int, read: Reader)] = [
        ("timemin", 5, { changes, text throws(OptionError) in changes.timeMin = try JobValue.time(text) }),
        (
            "priority", 2,
            { changes, text throws(OptionError) in
                guard let priority = UInt32(text) else {
                    throw OptionError("scontrol: error: Invalid Priority value: \(text)")
                }
                changes.priority = priority
            }
        ),
        (
            "nice", 2,
            { changes, text throws(OptionError) in changes.nice = text.isEmpty ? 100 : try JobValue.nice(text) }
        ),
        ("partition", 2, { changes, text throws(OptionError) in changes.partition = text }),
        ("qos", 1, { changes, text throws(OptionError) in changes.qos = text }),
        ("account", 1, { changes, text throws(OptionError) in changes.account = text }),
        ("features", 1, { changes, text throws(OptionError) in changes.constraint = text }),
        ("gres", 2, { changes, text throws(OptionError) in changes.gres = try ResourceText.gres(text) }),
        ("numnodes", 5, readNodes), ("reqnodes", 8, readNodes),
        ("numtasks", 5, { changes, text throws(OptionError) in changes.tasks = try JobValue.count(text, "NumTasks") }),
        ("cpus/task", 4, readCPUsPerTask), ("cpuspertask", 5, readCPUsPerTask),
        (
            "minmemorynode", 10,
            { changes, text throws(OptionError) in changes.memoryPerNodeMiB = try JobValue.memory(text, "MinMemoryNode")
            }
        ),
        (
            "minmemorycpu", 10,
            { changes, text throws(OptionError) in changes.memoryPerCPUMiB = try JobValue.memory(text, "MinMemoryCPU") }
        ),
        ("dependency", 1, { changes, text throws(OptionError) in changes.dependency = text }),
        ("starttime", 2, readStart), ("eligibletime", 2, readStart),
        (
            "deadline", 3,
            { changes, text throws(OptionError) in changes.deadline = try JobValue.moment(text, "Deadline") }
        ),
        (
            "licenses", 1,
            { changes, text throws(OptionError) in
                let read = try ResourceText.licenses(text)
                (changes.licenses, changes.anyLicense) = (read.all, read.any)
            }
        ),
        ("reservationname", 3, { changes, text throws(OptionError) in changes.reservation = text }),
        ("jobname", 4, readName), ("name", 1, readName),
        ("comment", 3, { changes, text throws(OptionError) in changes.comment = text }),
        ("wckey", 1, { changes, text throws(OptionError) in changes.wckey = text }),
        ("reqnodelist", 8, { changes, text throws(OptionError) in changes.nodeList = try JobValue.hosts(text) }),
        ("nodelist", 5, { changes, text throws(OptionError) in changes.nodeList = try JobValue.hosts(text) }),
        ("excnodelist", 2, { changes, text throws(OptionError) in changes.exclude = try JobValue.hosts(text) }),
        (
            "requeue", 4,
            { changes, text throws(OptionError) in
                guard let flag = UInt32(text) else {
                    throw OptionError("scontrol: error: Invalid Requeue value: \(text)")
                }
                changes.requeue = flag > 0
            }
        ),
        ("admincomment", 3, { changes, text throws(OptionError) in changes.adminComment = text }),
        (
            "numcpus", 6,
            { changes, text throws(OptionError) in
                changes.minCPUs = try JobValue.count(String(text.prefix { $0 != "-" }), "NumCPUs")
            }
        ),
        ("reqprocs", 4, { changes, text throws(OptionError) in changes.tasks = try JobValue.count(text, "ReqProcs") }),
        (
            "mincpusnode", 4,
            { changes, text throws(OptionError) in
                changes.minCPUsPerNode = try JobValue.count(text, "MinCPUsNode", from: 0)
            }
        ),
        (
            "mintmpdisknode", 5,
            { changes, text throws(OptionError) in changes.minTmpDiskMiB = try JobValue.memory(text, "MinTmpDiskNode") }
        ),
        ("contiguous", 3, { changes, text throws(OptionError) in changes.contiguous = try isYes(text, "Contiguous") }),
        ("oversubscribe", 1, readSharing), ("shared", 2, readSharing),
        (
            "corespec", 4,
            { changes, text throws(OptionError) in changes.coreSpec = try JobValue.count(text, "CoreSpec", from: 0) }
        ),
        (
            "threadspec", 4,
            { changes, text throws(OptionError) in
                changes.coreSpec = try JobValue.count(text, "ThreadSpec", from: 0) | JobOptions.threadSpec
            }
        ),
        (
            "tasksperNode".lowercased(), 2,
            { changes, text throws(OptionError) in changes.tasksPerNode = try JobValue.count(text, "TasksPerNode") }
        ),
        ("prefer", 3, { changes, text throws(OptionError) in changes.prefer = text }),
        (
            "reqsockets", 4,
            { changes, text throws(OptionError) in changes.sockets = try JobValue.count(text, "ReqSockets") }
        ),
        ("reqcores", 4, { changes, text throws(OptionError) in changes.cores = try JobValue.count(text, "ReqCores") }),
        (
            "reqthreads", 4,
            { changes, text throws(OptionError) in changes.threads = try JobValue.count(text, "ReqThreads") }
        ),
        ("switches", 5, readSwitches),
        (
            "wait-for-switch", 5,
            { changes, text throws(OptionError) in
                changes.switchWait = try JobValue.count(text, "wait-for-switch", from: 0)
            }
        ),
        ("workdir", 2, { changes, text throws(OptionError) in changes.workDirectory = text }),
        ("stdout", 6, { changes, text throws(OptionError) in changes.stdoutPath = text }),
        ("endtime", 2, { changes, text throws(OptionError) in changes.end = try JobValue.moment(text, "EndTime") }),
        ("resetaccruetime", 5, { changes, _ throws(OptionError) in changes.resetsAccrueTime = true }),
        (
            "mailtype", 5,
            { changes, text throws(OptionError) in
                guard let types = MailTypes(text: text) else { throw OptionError("Invalid MailType: \(text)") }
                changes.mailTypes = types
            }
        ),
        ("mailuser", 5, { changes, text throws(OptionError) in changes.mailUser = text }),
        ("delayboot", 5, { changes, text throws(OptionError) in changes.delayBoot = try JobValue.time(text).rawValue }),
        ("reboot", 3, { changes, text throws(OptionError) in changes.reboot = try isYes(text, "Reboot") }),
        ("burstbuffer", 1, unsupported("BurstBuffer")), ("clusters", 7, unsupported("Clusters")),
        ("clusterfeatures", 8, unsupported("ClusterFeatures")), ("sitefactor", 3, unsupported("SiteFactor")),
        (
            "arraytaskthrottle", 10,
            { changes, text throws(OptionError) in
                changes.arrayThrottle = try JobValue.count(text, "ArrayTaskThrottle", from: 0)
            }
        ),
    ]

    private static let readSharing: Reader = { changes, text throws(OptionError) in
        changes.sharing = try isYes(text, "OverSubscribe") ? .oversubscribe : .exclusive
    }
    /// `1`, `1@30`
    private static let readSwitches: Reader = { changes, text throws(OptionError) in
        let parts = text.split(separator: "@", maxSplits: 1).map(String.init)
        changes.switches = try JobValue.count(parts.first ?? "", "Switches", from: 0)
        if parts.count == 2 {
            guard let seconds = SlurmText.seconds(parts[1]) else {
                throw OptionError("Invalid Switches value: \(text)")
            }
            changes.switchWait = UInt32(clamping: seconds)
        }
    }
    private static func unsupported(_ name: String) -> Reader {
        { _, _ throws(OptionError) in
            throw OptionError(
                "Requested operation not supported on this system\nscontrol: error: \(name) has no meaning here")
        }
    }
    private static let readNodes: Reader = { changes, text throws(OptionError) in
        let (least, most) = try JobValue.nodes(text)
        (changes.minNodes, changes.maxNodes) = (least, most)
    }
    private static let readCPUsPerTask: Reader = { changes, text throws(OptionError) in
        changes.cpusPerTask = try JobValue.count(text, "CPUs/Task")
    }
    private static let readStart: Reader = { changes, text throws(OptionError) in
        changes.begin = try JobValue.moment(text, "StartTime")
    }
    private static let readName: Reader = { changes, text throws(OptionError) in changes.name = text }

    /// A limit, or (`+` or `-` before it or before the equals sign) a change of one.
    static func limit(_ pair: ScontrolShell.Pair) throws(Failure) -> JobChanges.LimitChange {
        var (sign, text) = (pair.sign, pair.value)
        if sign == nil, let first = text.first, first == "+" || first == "-", text != "-1" {
            sign = first
            text = String(text.dropFirst())
        }
        do throws(OptionError) {
            let limit = text == "-1" ? .unlimited : try JobValue.time(text)
            switch sign {
            case "+": return .longer(limit.rawValue)
            case "-": return .shorter(limit.rawValue)
            default: return .set(limit)
            }
        } catch { throw Failure("scontrol: error: Invalid TimeLimit value") }
    }

    static func changes(_ pairs: [ScontrolShell.Pair]) throws(Failure) -> JobChanges {
        var changes = JobChanges()
        for pair in pairs {
            if pair.means("timelimit", 5) {
                changes.timeLimit = try limit(pair)
                continue
            }
            let known =
                keys.first { $0.name == pair.key }
                ?? keys.first { pair.key.count >= $0.least && $0.name.hasPrefix(pair.key) }
            guard let known else {
                throw Failure("Update of this parameter is not supported: \(pair.word)\nRequest aborted")
            }
            do throws(OptionError) { try known.read(&changes, pair.value) } catch { throw Failure(error.message) }
        }
        if changes == JobChanges() { throw Failure("No changes specified") }
        return changes
    }

    private static func isYes(_ text: String, _ name: String) throws(OptionError) -> Bool {
        switch text.uppercased() {
        case "YES", "Y", "1": return true
        case "NO", "N", "0": return false
        default: throw OptionError("Invalid \(name) value: \(text)")
        }
    }
}
