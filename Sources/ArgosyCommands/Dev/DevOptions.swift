import Glibc

/// What the command line of `argosy dev` asks for.
struct DevOptions {
    enum Action: String { case up, env, status, down, help }
    enum Network: String { case `private`, host }

    struct Wrong: Error, CustomStringConvertible { var description: String }

    var action: Action
    var nodes = 4
    /// CPUs that each node declares.
    var cpus: Int
    /// Nil: the machine's memory shared out among the nodes.
    var memoryMiB: Int?
    /// Nil: private where that is permitted, else host.
    var network: Network?
    var directory: String
    var clean = false

    init(_ arguments: [String]) throws(Wrong) {
        var rest = arguments[...]
        guard let word = rest.popFirst() else { throw Wrong(description: "say what to do: up, env, status or down") }
        let helps = ["-h", "--help", "help"]
        guard let action = helps.contains(word) ? .help : Action(rawValue: word) else {
            throw Wrong(description: "\"\(word)\" is not one of up, env, status, down")
        }
        self.action = action
        cpus = max(2, DevMachine.cpus)
        directory = getenv("ARGOSY_DEV_DIR").map { String(cString: $0) } ?? "/run/argosy-dev"
        while let argument = rest.popFirst() {
            try take(argument, from: &rest)
        }
        guard directory.hasPrefix("/") else {
            throw Wrong(description: "--dir needs an absolute path, not \(directory)")
        }
        while directory.count > 1, directory.hasSuffix("/") { directory.removeLast() }
        // The longest path below it is a unix socket, whose name the kernel limits to 107 bytes.
        guard directory.utf8.count <= 60, directory != "/" else {
            throw Wrong(description: "--dir \(directory) is too long (60 bytes at most) or the root; choose another")
        }
    }

    private mutating func take(_ argument: String, from rest: inout ArraySlice<String>) throws(Wrong) {
        var name = argument
        var attached: String?
        if argument.hasPrefix("--"), let equals = argument.firstIndex(of: "=") {
            name = String(argument[..<equals])
            attached = String(argument[argument.index(after: equals)...])
        }
        if name == "-h" || name == "--help" { return action = .help }
        if name == "--clean", action == .down { return clean = true }
        guard ["--nodes", "--cpus", "--memory", "--network", "--dir"].contains(name) else {
            throw Wrong(description: "unknown option \(argument)")
        }
        guard name == "--dir" || action == .up else { throw Wrong(description: "\(name) belongs to `argosy dev up`") }
        guard let value = attached ?? rest.popFirst() else { throw Wrong(description: "\(name) needs a value") }
        switch name {
        case "--nodes": nodes = try Self.count(value, name, 1...200)
        case "--cpus": cpus = try Self.count(value, name, 1...4096)
        case "--memory": memoryMiB = try Self.count(value, name, 64...(1 << 24))
        case "--network":
            guard let network = Network(rawValue: value) else {
                throw Wrong(description: "--network is private or host, not \(value)")
            }
            self.network = network
        default: directory = value
        }
    }

    private static func count(_ text: String, _ option: String, _ range: ClosedRange<Int>) throws(Wrong) -> Int {
        guard let number = Int(text), range.contains(number) else {
            throw Wrong(description: "\(option) takes \(range.lowerBound) to \(range.upperBound), not \"\(text)\"")
        }
        return number
    }
}

/// The machine the dev cluster runs on.
enum DevMachine {
    static var cpus: Int { max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))) }
    static var memoryMiB: Int { sysconf(Int32(_SC_PHYS_PAGES)) / 1024 * sysconf(Int32(_SC_PAGESIZE)) / 1024 }
    static var hostname: String {
        guard let name = DevFiles.read("/proc/sys/kernel/hostname").map(DevCommand.trimmed), !name.isEmpty else {
            return "localhost"
        }
        return name
    }
}
