import Foundation
import Testing

extension Cluster {
    static let home = root + "/home/" + user

    /// Runs a script with the cluster's commands in PATH, as the ordinary user unless another is named.
    func run(
        _ script: String, as user: String? = Cluster.user, in directory: String = Cluster.home, seconds: Int = 60
    ) async -> Outcome {
        let home = user.map { "\(Cluster.root)/home/\($0)" } ?? "/root"
        let lines = prelude + "export HOME='\(home)' USER='\(user ?? "root")' LOGNAME='\(user ?? "root")'\n" + script
        return await Shell.run(lines, as: user, in: directory, seconds: seconds)
    }

    func asRoot(_ script: String, seconds: Int = 60) async -> Outcome {
        await run(script, as: nil, in: "/", seconds: seconds)
    }

    /// Submits `script` and returns the job's id.
    func submit(_ options: String, _ script: String, as user: String = Cluster.user) async throws -> Int {
        let outcome = await run("sbatch --parsable \(options) <<'ENDOFJOB'\n\(script)\nENDOFJOB", as: user)
        guard outcome.status == 0, let id = Int(outcome.word) else {
            throw ClusterError("sbatch \(options): \(outcome)")
        }
        return id
    }

    /// A job that only waits, which any test may cancel.
    func sleeper(_ options: String = "", seconds: Int = 300) async throws -> Int {
        try await submit("-o /dev/null \(options)", "#!/bin/sh\nexec sleep \(seconds)")
    }

    /// The job's state as accounting shows it, first word only; empty when it knows no such job.
    func state(_ job: String) async -> String {
        let outcome = await asRoot("sacct -X -n -P -j \(job) -o State")
        return outcome.lines.first?.split(separator: " ").first.map(String.init) ?? ""
    }
    func state(_ job: Int) async -> String { await state(String(job)) }

    /// Waits until the job has ended; its state then, or the state it hangs in.
    func ended(_ job: String, within seconds: Double = 60) async -> String {
        let open: Set<String> = ["", "PENDING", "CONFIGURING", "RUNNING", "COMPLETING", "REQUEUED", "SUSPENDED"]
        var last = ""
        _ = await waitFor(seconds) {
            last = await state(job)
            return !open.contains(last)
        }
        if open.contains(last) { await explain(job) }
        return last
    }
    func ended(_ job: Int, within seconds: Double = 60) async -> String { await ended(String(job), within: seconds) }

    /// Waits until the job runs; false when it does not within `seconds`.
    func running(_ job: Int, within seconds: Double = 30) async -> Bool {
        let runs = await waitFor(seconds) { await asRoot("squeue -h -j \(job) -o %T").word == "RUNNING" }
        if !runs { await explain(String(job)) }
        return runs
    }

    /// Records what the cluster knows of a job that did not do as expected, and ends it, so that it is not in the way.
    private func explain(_ job: String) async {
        let facts = await asRoot(
            """
            scontrol show job \(job) 2>&1 | grep -E 'State|Reason|NodeList'; squeue -s -j \(job) 2>&1; sinfo -N 2>&1
            cd '\(Cluster.directory)/log'; grep -hE '(attempt|job)=\(job)[. ]' *.log | tail -n 30
            scancel \(job)
            """)
        Issue.record("job \(job) is stuck and was cancelled:\n\(facts.output)")
    }

    func cancel(_ jobs: Int...) async {
        let list = jobs.map(String.init).joined(separator: " ")
        _ = await asRoot("scancel \(list) 2>/dev/null")
        _ = await waitFor(20) {
            await asRoot("squeue -h -j \(list.replacingOccurrences(of: " ", with: ","))").word == ""
        }
    }

    /// Waits for a file to have text.
    func text(of path: String, within seconds: Double = 20) async -> String {
        _ = await waitFor(seconds) { !Shell.text(path).isEmpty }
        return Shell.text(path)
    }

    /// Processes in the job's cgroups, in any hierarchy, on any node.
    func processes(of job: Int) async -> [String] {
        await Shell.run(
            """
            find /sys/fs/cgroup -type d -path '*argosy*/job_\(job).*' 2>/dev/null |
                while read -r group; do cat "$group/cgroup.procs" 2>/dev/null; done | sort -u
            """
        ).lines
    }

    /// Pids of a daemon of this cluster, by name and a word on its command line.
    func daemons(_ name: String, having word: String = Cluster.directory) async -> [Int] {
        await Shell.run(
            """
            for place in /proc/[0-9]*; do
                line=$(tr '\\0' ' ' <"$place/cmdline" 2>/dev/null) || continue
                set -- $line
                case "${1##*/} $line " in "\(name) "*'\(word)'*) echo "${place##*/}" ;; esac
            done
            """
        ).lines.compactMap { Int($0) }
    }

    /// Starts again what is not running.
    func mend() async {
        let outcome = await Shell.run(Cluster.up, seconds: 90)
        #expect(outcome.status == 0, "argosy dev up on a half-dead cluster: \(outcome)")
    }
}
