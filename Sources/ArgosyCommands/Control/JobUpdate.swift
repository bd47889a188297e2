// `scontrol update job`: keys and values to changes. Which of them a job's state and its owner's rights allow is for the
// controller to say.

import ArgosyConfig
import ArgosyDomain
import ArgosyWire

enum JobUpdate {
    typealias Reader = @Sendable (inout JobChanges, String) throws(OptionError) -> Void

    /// Full names, as `scontrol show job` has them, and what they may be shortened to.
    private static let keys: [(name: String, least: Int, read: Reader)] = [
        ("timelimit", 5, { changes, text throws(OptionError) in changes.timeLimit = try limit(text) }),
        ("timemin", 5, { changes, text throws(OptionError) in changes.timeMin = try JobValue.time(text) }),
        (
            "priority", 2,
            { changes, text throws(OptionError) in changes.priority = text == "-1" ? .max : try JobValue.priority(text)
            }
        ),
        ("nice", 4, { changes, text throws(OptionError) in changes.nice = try JobValue.nice(text) }),
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
            { changes, text throws(OptionError) in changes.requeue = try JobValue.count(text, "Requeue", from: 0) > 0 }
        ),
        (
            "arraytaskthrottle", 10,
            { changes, text throws(OptionError) in
                changes.arrayThrottle = try JobValue.count(text, "ArrayTaskThrottle", from: 0)
            }
        ),
    ]

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

    /// A limit, or (`+` or `-` before it) a change of one.
    private static func limit(_ text: String) throws(OptionError) -> JobChanges.LimitChange {
        guard let sign = text.first, sign == "+" || sign == "-", text != "-1" else {
            return .set(try JobValue.time(text))
        }
        let minutes = try JobValue.time(String(text.dropFirst())).rawValue
        return sign == "+" ? .longer(minutes) : .shorter(minutes)
    }

    static func changes(_ values: [(key: String, value: String)]) throws(Failure) -> JobChanges {
        var changes = JobChanges()
        for (key, value) in values {
            let known =
                keys.first { $0.name == key }
                ?? keys.first { key.count >= $0.least && $0.name.hasPrefix(key) }
            guard let known else {
                throw Failure("Update of this parameter is not supported: \(key)=\(value)\nRequest aborted")
            }
            do throws(OptionError) { try known.read(&changes, value) } catch { throw Failure(error.message) }
        }
        if changes == JobChanges() { throw Failure("No changes specified") }
        return changes
    }

    static func run(_ values: [(key: String, value: String)]) throws -> Int32 {
        var wire = WireUpdateJob()
        wire.changes = WireJobChanges(try changes(Array(values.dropFirst())))
        let session = try Session()
        var failed = false
        for job in try JobIdentifier.list(values[0].value) {
            wire.job = job.selector
            do throws(Failure) { _ = try session.ask(.updateJob(wire)) } catch {
                failed = true
                Console.complain("\(error.message) for job \(job.text)\n")
                if !error.detail.isEmpty { Console.error("scontrol", error.detail) }
            }
        }
        return failed ? 1 : 0
    }
}
