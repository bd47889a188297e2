import Foundation
import Testing

/// Packages of PyPI that drive Slurm by its commands, as their users install them.
enum Clients {
    /// Kept from run to run.
    static let folder = ProcessInfo.processInfo.environment["ARGOSY_TEST_CLIENTS"] ?? "/var/cache/argosy/clients"
    static let python = folder + "/bin/python"

    /// Nil when they are there; fetches them once.
    static let missing: String? = {
        if Shell.runBlocking("'\(python)' -c 'import simple_slurm, pysqa'").status == 0 { return nil }
        let made = Shell.runBlocking(
            """
            python3 -m venv --clear '\(folder)' &&
                '\(folder)/bin/pip' install -q --timeout 10 --retries 1 simple-slurm pysqa
            """, seconds: 150)
        guard made.status != 0 else { return nil }
        return "pip cannot install simple-slurm and pysqa here: \(made.errors.suffix(200))"
    }()

    /// Runs a program of theirs as root, whose Python it may be; in an empty directory.
    static func run(_ program: String, on cluster: Cluster) async throws -> Outcome {
        let place = Cluster.root + "/client-\(UUID().uuidString.prefix(8))"
        try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: true)
        try program.write(toFile: place + "/client.py", atomically: true, encoding: .utf8)
        return await cluster.run("'\(python)' client.py", as: nil, in: place, seconds: 90)
    }
}

extension EndToEnd {
    @Suite(.enabled(if: Clients.missing == nil, Comment(rawValue: Clients.missing ?? "")))
    struct PythonClients {
        @Test func `simple-slurm submits arrays and dependencies, follows the queue and cancels`() async throws {
            let outcome = try await Clients.run(
                """
                import datetime, time
                from simple_slurm import Slurm
                array = Slurm(array=range(3), cpus_per_task=2, job_name='many', time=datetime.timedelta(minutes=1),
                              output=f'{Slurm.JOB_ARRAY_MASTER_ID}_{Slurm.JOB_ARRAY_ID}.out')
                first = array.sbatch('echo task ' + Slurm.SLURM_ARRAY_TASK_ID)
                after = Slurm(dependency=dict(afterok=first), output='after.out')
                second = after.sbatch('cat ' + f'{first}_*.out')
                stays = Slurm(output='/dev/null', job_name='stays').sbatch('sleep 300')
                def queue():
                    after.squeue.update_squeue()
                    return {str(key): value for key, value in after.squeue.jobs.items()}
                print('seen', str(stays) in queue())
                end = time.time() + 60
                while str(second) in queue() and time.time() < end:
                    time.sleep(0.5)
                print(open('after.out').read())
                after.scancel.cancel_job(stays)
                while str(stays) in queue() and time.time() < end:
                    time.sleep(0.5)
                print('left', str(stays) in queue())
                print('status', Slurm(ntasks=2).srun('echo from srun'))
                """, on: try await Cluster.shared())
            #expect(outcome.status == 0, "\(outcome)")
            let lines = outcome.lines
            #expect(["task 0", "task 1", "task 2"].allSatisfy(lines.contains), "\(outcome)")
            #expect(lines.contains("seen True") && lines.contains("left False"), "\(outcome)")
            #expect(lines.filter { $0 == "from srun" }.count == 2 && lines.contains("status 0"), "\(outcome)")
        }

        @Test func `pysqa submits, follows and deletes jobs`() async throws {
            let outcome = try await Clients.run(
                """
                import os, time
                from pysqa import QueueAdapter
                queue = QueueAdapter(queue_type='slurm')
                def submit(name, command, **more):
                    os.makedirs(name)
                    return queue.submit_job(job_name=name, working_directory=os.path.abspath(name), cores=1,
                                            command=command, **more)
                def wait(job, states):
                    end = time.time() + 60
                    while queue.get_status_of_job(process_id=job) not in states and time.time() < end:
                        time.sleep(0.5)
                    return queue.get_status_of_job(process_id=job)
                first = submit('first', 'sleep 1; echo made > made.txt')
                second = submit('second', 'cat ../first/made.txt > seen.txt', dependency_list=[str(first)])
                stays = submit('stays', 'sleep 300')
                print('status', wait(stays, ['running']))
                print('table', stays in list(queue.get_queue_status()['jobid']))
                queue.delete_job(process_id=stays)
                wait(second, [None, 'finished', 'error'])
                wait(stays, [None, 'finished', 'error'])
                print('after', open('second/seen.txt').read().strip())
                print('gone', queue.get_status_of_job(process_id=stays))
                """, on: try await Cluster.shared())
            #expect(outcome.status == 0, "\(outcome)")
            #expect(outcome.lines.contains("status running") && outcome.lines.contains("table True"), "\(outcome)")
            #expect(outcome.lines.contains("after made") && outcome.lines.contains("gone None"), "\(outcome)")
        }
    }
}
