/* allreduce.c: a small MPI program that checks its own result and says where each rank ran.
 *
 * Rank 0 prints one line per rank, in rank order, so that the output never depends on timing:
 *   rank=0 size=4 node=node1 host=node1 cpus=0,1 mnt=4026532201 pid=4026532204 uts=4026532202 cgroup=/argosy/...
 * then "allreduce: OK size=4 nodes=2 sum=6", or "allreduce: WRONG ..." and exit status 1.
 * ALLREDUCE_SECONDS=N keeps the ranks there for N seconds, for whoever wants to look at them from outside.
 * `node` is SLURMD_NODENAME, "-" when it is not set; mnt, pid and uts are namespace ids.
 */
#define _GNU_SOURCE
#include <mpi.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LINE = 1024, COUNT = 1000, ROUNDS = 10 };

static void namespace_id(const char *kind, char *out, size_t size) {
    char path[64], link[64];
    snprintf(path, sizeof path, "/proc/self/ns/%s", kind);
    ssize_t n = readlink(path, link, sizeof link - 1);
    link[n > 0 ? n : 0] = 0;
    char *open = strchr(link, '[');
    snprintf(out, size, "%s", open ? open + 1 : "-");
    out[strcspn(out, "]")] = 0;
}

/* The memory controller's path, or that of cgroup v2. */
static void cgroup_path(char *out, size_t size) {
    char line[512];
    snprintf(out, size, "-");
    FILE *file = fopen("/proc/self/cgroup", "r");
    if (!file) return;
    while (fgets(line, sizeof line, file)) {
        line[strcspn(line, "\n")] = 0;
        char *controllers = strchr(line, ':'), *path = controllers ? strchr(controllers + 1, ':') : NULL;
        if (!path) continue;
        *path++ = 0;
        int unified = controllers[1] == 0, memory = strcmp(controllers + 1, "memory") == 0;
        if (memory || (unified && out[0] == '-')) snprintf(out, size, "%s", path);
        if (memory) break;
    }
    fclose(file);
}

static void cpu_list(char *out, size_t size) {
    cpu_set_t set;
    size_t used = 0;
    out[0] = 0;
    if (sched_getaffinity(0, sizeof set, &set)) return;
    for (int cpu = 0; cpu < CPU_SETSIZE && used + 8 < size; cpu++)
        if (CPU_ISSET(cpu, &set)) used += snprintf(out + used, size - used, "%s%d", used ? "," : "", cpu);
}

static void describe(int rank, int size, char *line) {
    char host[128] = "-", cpus[256], mnt[24], pid[24], uts[24], cgroup[400];
    const char *node = getenv("SLURMD_NODENAME");
    gethostname(host, sizeof host - 1);
    cpu_list(cpus, sizeof cpus);
    namespace_id("mnt", mnt, sizeof mnt);
    namespace_id("pid", pid, sizeof pid);
    namespace_id("uts", uts, sizeof uts);
    cgroup_path(cgroup, sizeof cgroup);
    snprintf(line, LINE, "rank=%d size=%d node=%s host=%s cpus=%s mnt=%s pid=%s uts=%s cgroup=%s", rank, size,
             node ? node : "-", host, cpus, mnt, pid, uts, cgroup);
}

/* How many different values of "host=" there are among the lines. */
static int count_nodes(const char *lines, int size) {
    int nodes = 0;
    for (int i = 0; i < size; i++) {
        int seen = 0;
        const char *mine = strstr(lines + (size_t)i * LINE, " host=");
        size_t length = strcspn(mine + 1, " ") + 1;
        for (int j = 0; j < i && !seen; j++) {
            const char *other = strstr(lines + (size_t)j * LINE, " host=");
            seen = strncmp(mine, other, length + 1) == 0;
        }
        nodes += !seen;
    }
    return nodes;
}

int main(int argc, char **argv) {
    int rank, size, wrong = 0, any = 0;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);

    static double mine[COUNT], sum[COUNT];
    double ranks = size * (size - 1) / 2.0;
    for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < COUNT; i++) mine[i] = rank + (double)i * round;
        MPI_Allreduce(mine, sum, COUNT, MPI_DOUBLE, MPI_SUM, MPI_COMM_WORLD);
        for (int i = 0; i < COUNT; i++) wrong += sum[i] != ranks + (double)size * i * round;
    }
    MPI_Allreduce(&wrong, &any, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);

    const char *seconds = getenv("ALLREDUCE_SECONDS");
    if (seconds) sleep((unsigned)atoi(seconds));
    MPI_Barrier(MPI_COMM_WORLD);

    char line[LINE], *lines = rank == 0 ? malloc((size_t)size * LINE) : NULL;
    memset(line, 0, sizeof line);
    describe(rank, size, line);
    MPI_Gather(line, LINE, MPI_CHAR, lines, LINE, MPI_CHAR, 0, MPI_COMM_WORLD);
    if (rank == 0) {
        for (int i = 0; i < size; i++) puts(lines + (size_t)i * LINE);
        printf("allreduce: %s size=%d nodes=%d sum=%g\n", any ? "WRONG" : "OK", size, count_nodes(lines, size), ranks);
        fflush(stdout);
    }
    MPI_Finalize();
    return any != 0;
}
