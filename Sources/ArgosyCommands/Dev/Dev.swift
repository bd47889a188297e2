// `argosy dev`: a whole cluster on one machine, for trying Argosy out, for developing it and for its own tests.
//
// What `up` makes, all of it below one directory and one name, so that several clusters live side by side and `down`
// can take away exactly what was made:
//   DIR/argosy.conf registries.conf cluster   configuration; `cluster` remembers name, addresses and ports
//   DIR/bin                                   the commands under their Slurm names
//   DIR/log DIR/run                           a log and a pid file (with the process's start time) per daemon
//   DIR/state DIR/spool/NODE                  the controller's store; each node's spool and image cache
//   a bridge, and per node a network namespace with an address of its own
//   a munged with a key of its own; argosyctld; one argosyd per node
// Everything is done through ip(8), nsenter(1) and munged(8); nothing on the machine is configured by it.

import Glibc

/// The command `argosy dev up|env|status|down`.
public enum Dev {
    static let usage = """
        Usage: argosy dev up [--nodes N] [--cpus C] [--memory MIB] [--network private|host] [--dir DIR]
               argosy dev env [--dir DIR]
               argosy dev status [--dir DIR]
               argosy dev down [--clean] [--dir DIR]

        up      start a cluster of N nodes (default 4) on this machine. Each node declares C CPUs, also more
                than the machine has, and MIB mebibytes of memory. Running it again starts what is missing.
        env     print shell lines that point a shell at the cluster: eval "$(argosy dev env)"
        status  say what runs
        down    end the jobs and stop the cluster; --clean also deletes DIR

        DIR is /run/argosy-dev unless --dir or ARGOSY_DEV_DIR says otherwise.

        """

    /// Runs the subcommand in `arguments` (what follows `dev`).
    /// - Returns: the exit status: 0 done, 1 failed, 2 wrong usage.
    public static func run(_ arguments: [String]) -> Int32 {
        do {
            let options = try DevOptions(arguments)
            switch options.action {
            case .help:
                DevConsole.write(usage, to: 1)
            case .up:
                try DevCluster(options).up()
            case .env:
                DevConsole.write(try DevCluster(options).shellLines(), to: 1)
            case .status:
                return try DevCluster(options).status() ? 0 : 1
            case .down:
                try DevCluster(options).down()
            }
            return 0
        } catch let error as DevOptions.Wrong {
            DevConsole.write("argosy dev: \(error)\n\n\(usage)", to: 2)
            return 2
        } catch {
            DevConsole.write("argosy dev: error: \(error)\n", to: 2)
            return 1
        }
    }
}

/// Something that keeps a dev cluster from starting or stopping: what, why, and what to do.
struct DevError: Error, CustomStringConvertible {
    var description: String
    init(_ description: String) { self.description = description }
}
