// argosy dev: a whole cluster on this one machine, to try Argosy out and to test it.
//
// Nothing is pretended: a controller and one node daemon for each node, each in its own network namespace with its own
// address on a private bridge, its own spool and its own part of the cgroup tree, and a munged of their own. What
// belongs to a cluster is named after its directory, so several live side by side, and `down` finds everything again
// even when `up` was cut short: nothing is remembered that is not in a file before it exists in the kernel.

import ArgosyConfig
import ArgosySystem
import Glibc

struct DevOptions: CommandSettings {
    var showsHelp = false
    var showsUsage = false
    var showsVersion = false
    var nodes = 4
    var cpus = 2
    /// Of a node; nil: a share of the machine's.
    var memoryMiB: UInt64?
    var directory = DevCluster.defaultDirectory
    /// An existing slurm.conf to bring up instead of a cluster of our making.
    var configuration: String?
    var clean = false
    var hostNetwork = false
}

public enum Dev {
    typealias Row = Option<DevOptions>

    static let description = CommandDescription(
        name: "argosy dev", synopsis: "up|env|status|down [OPTIONS]", options: options)

    static let options: [Row] =
        [
            Row("nodes", nil, .required, "count", "nodes to start (up; default 4)") {
                options, text throws(OptionError) in
                options.nodes = try number(text, "--nodes", 1...DevCluster.maxNodes)
            },
            Row("cpus", nil, .required, "count", "CPUs each node declares, there or not (up; default 2)") {
                options, text throws(OptionError) in
                options.cpus = try number(text, "--cpus", 1...1024)
            },
            Row("memory", nil, .required, "size[KMGT]", "memory of each node (up; default: its share of 3/4 of all)") {
                options, text throws(OptionError) in
                guard let size = SlurmText.mebibytes(text), size >= 64 else {
                    throw OptionError(
                        "--memory=\(text): must be at least 64M, a number of MiB or one with K, M, G or T")
                }
                options.memoryMiB = size
            },
            Row("config", nil, .required, "file", "start what this slurm.conf describes for this machine (up)") {
                options, text throws(OptionError) in
                options.configuration = text.hasPrefix("/") ? text : Process.directory + "/" + text
            },
            Row("dir", nil, .required, "path", "the cluster's directory (default \(DevCluster.defaultDirectory))") {
                options, text throws(OptionError) in
                options.directory = try directory(text)
            },
            Row("host-network", "no network of its own: one port for each node (up)") {
                options, _ throws(OptionError) in
                options.hostNetwork = true
            },
            Row("clean", "remove the cluster's directory too, with state and logs (down)") {
                options, _ throws(OptionError) in
                options.clean = true
            },
        ] + informationOptions()

    static let explanation = """

        A cluster of several nodes on this machine, to try things out:
          up      start it, or what has died of it; needs root. With --config FILE: the controller and a node daemon
                  for every NodeName whose host is this one, as the file says
          env     print what makes the commands use it: eval "$(argosy dev env)"
          status  show its daemons and nodes
          down    end its jobs and daemons, give everything back; state and logs stay without --clean

        """

    /// `arguments` are those after "argosy dev". Returns the exit status: 0 fine, 1 failed, 3 not running (status, env).
    public static func run(_ arguments: [String]) -> Int32 {
        var options = DevOptions()
        var exitCode: Int32 = 0
        guard let operands = description.parse(arguments, into: &options, exitCode: &exitCode) else {
            if options.showsHelp { Console.print(explanation) }
            return exitCode
        }
        guard operands.count == 1, let verb = operands.first else {
            Console.complain("Usage: argosy dev up|env|status|down [OPTIONS]; argosy dev --help tells more\n")
            return 1
        }
        do throws(DevError) {
            return try run(verb, options)
        } catch {
            Console.error("argosy dev", error.message, detail: error.detail)
            return 1
        }
    }

    private static func run(_ verb: String, _ options: DevOptions) throws(DevError) -> Int32 {
        let cluster = DevCluster(directory: options.directory)
        switch verb {
        case "up":
            try requireRoot(verb)
            return try DevUp(cluster: cluster, options: options).run()
        case "down":
            try requireRoot(verb)
            return try DevDown(cluster: cluster, clean: options.clean).run()
        case "env": return DevStatus(cluster: cluster).printEnvironment()
        case "status": return DevStatus(cluster: cluster).run()
        default: throw DevError("\(verb) is nothing argosy dev can do", "say up, env, status or down")
        }
    }

    private static func requireRoot(_ verb: String) throws(DevError) {
        guard geteuid() != 0 else { return }
        throw DevError(
            "argosy dev \(verb) needs root: it makes network namespaces and cgroups and starts jobs as their users",
            "run it with sudo; env and status, and all commands, work for everybody")
    }

    private static func number(
        _ text: String, _ name: String, _ range: ClosedRange<Int>
    ) throws(OptionError) -> Int {
        guard let number = Int(text), range.contains(number) else {
            throw OptionError("\(name)=\(text): must be a number from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    /// Absolute, without a slash at the end; the text of a configuration file has no room for more than plain names.
    static func directory(_ text: String) throws(OptionError) -> String {
        var path = text.hasPrefix("/") ? text : Process.directory + "/" + text
        while path.count > 1, path.hasSuffix("/") { path.removeLast() }
        let plain = path.utf8.allSatisfy { $0 > 32 && $0 < 127 && !"#\"'\\,=%()[]$`;&|<>*?!".utf8.contains($0) }
        guard plain, path.count > 1, !path.contains("/../"), !path.hasSuffix("/..") else {
            throw OptionError("--dir=\(text): must be a directory whose path is letters, digits and -_./ only")
        }
        // A unix socket's path has 108 bytes, and the longest below it is a node's.
        guard path.utf8.count <= 48 else {
            throw OptionError("--dir=\(text): too long, sockets below it could not be named; use at most 48 bytes")
        }
        return path
    }
}

/// What went wrong, and what to do about it.
struct DevError: Error {
    var message: String
    var detail: String
    init(_ message: String, _ detail: String = "") {
        self.message = message
        self.detail = detail
    }

    init(_ what: String, _ cause: SystemError) { self.init("\(what): \(cause)") }
}
