import Foundation
import Testing

/// An MPI of the host, with its compiler and its launcher.
struct HostMPI: Sendable, CustomTestStringConvertible {
    var name: String
    var compiler: String
    /// Starts the ranks of a batch job: the launcher asks srun for its daemons.
    var launcher: String
    var testDescription: String { name }

    static let all = [
        HostMPI(name: "Open MPI", compiler: "mpicc.openmpi", launcher: "mpirun.openmpi"),
        // The nodes of `argosy dev` have addresses, but no resolver knows their names.
        HostMPI(name: "MPICH", compiler: "mpicc.mpich", launcher: "mpiexec.mpich -iface eth0"),
    ]
    static let here = all.filter { mpi in
        let launcher = mpi.launcher.split(separator: " ")[0]
        return Shell.runBlocking("command -v \(mpi.compiler) && command -v \(launcher)").status == 0
    }

    static let program = """
        #include <mpi.h>
        #include <stdio.h>
        int main(int argc, char **argv) {
            int rank, size, sum;
            MPI_Init(&argc, &argv);
            MPI_Comm_rank(MPI_COMM_WORLD, &rank);
            MPI_Comm_size(MPI_COMM_WORLD, &size);
            MPI_Allreduce(&rank, &sum, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
            printf("rank %d of %d, sum %d\\n", rank, size, sum);
            MPI_Finalize();
            return 0;
        }
        """
}

extension EndToEnd {
    @Suite(
        .enabled(
            if: !HostMPI.here.isEmpty,
            "no MPI to compile with: apt-get install openmpi-bin libopenmpi-dev mpich libmpich-dev gcc"))
    struct HostMPIJobs {
        @Test(arguments: HostMPI.here)
        func `a program of the host's MPI runs over two nodes by its own launcher`(mpi: HostMPI) async throws {
            let cluster = try await Cluster.shared()
            let place = "\(Cluster.home)/mpi-\(mpi.compiler)"
            let made = await cluster.run(
                """
                mkdir -p \(place) && cd \(place) && cat >sum.c <<'PROGRAM'
                \(HostMPI.program)
                PROGRAM
                \(mpi.compiler) sum.c -o sum
                """)
            #expect(made.status == 0, "\(made)")
            let job = try await cluster.submit(
                "-N2 -n4 -o \(place)/out.txt", "#!/bin/sh\ncd \(place) && exec \(mpi.launcher) ./sum")
            #expect(await cluster.ended(job, within: 90) == "COMPLETED", "\(Shell.text(place + "/out.txt"))")
            let lines = Set(Shell.text(place + "/out.txt").split(separator: "\n").map(String.init))
            #expect(lines.isSuperset(of: (0..<4).map { "rank \($0) of 4, sum 6" }), "\(lines)")
            let steps = await cluster.run("sacct -n -P -j \(job) -o JobName,NNodes,State").lines
            #expect(steps.contains { !$0.hasPrefix("batch") && $0.hasSuffix("COMPLETED") }, "\(steps)")
        }
    }
}
