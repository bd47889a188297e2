/* allreduce [ROUNDS]: every rank adds up what all ranks contribute, checks the sum against the known one, and prints one
 * line about where it runs, so that a job's placement and isolation can be read from its output:
 *
 *   rank=R size=N sum=S expected=S node=NODENAME host=HOSTNAME uid=U cpus=LIST mnt=NS pid=NS uts=NS net=NS cgroup=PATH
 *
 * Exit status 1 when a sum is wrong. Needs nothing but MPI and /proc. */
#define _GNU_SOURCE
#include <mpi.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* "mnt" -> "4026531840" */
static void namespace_id(const char *name, char *text, size_t size)
{
    char path[64], target[64];
    snprintf(path, sizeof path, "/proc/self/ns/%s", name);
    ssize_t length = readlink(path, target, sizeof target - 1);
    target[length < 0 ? 0 : length] = 0;
    char *open = strchr(target, '[');
    snprintf(text, size, "%.*s", open ? (int)strcspn(open + 1, "]") : 1, open ? open + 1 : "-");
}

/* The cgroup with the longest path: on hosts with several hierarchies some may hold the root only. */
static void cgroup_path(char *text, size_t size)
{
    char line[4096];
    FILE *file = fopen("/proc/self/cgroup", "r");
    snprintf(text, size, "-");
    while (file && fgets(line, sizeof line, file)) {
        line[strcspn(line, "\n")] = 0;
        char *first = strchr(line, ':'), *path = first ? strchr(first + 1, ':') : NULL;
        if (path && strlen(path + 1) > strlen(text)) snprintf(text, size, "%s", path + 1);
    }
    if (file) fclose(file);
}

static void cpu_list(char *text, size_t size)
{
    cpu_set_t set;
    size_t used = 0;
    text[0] = 0;
    if (sched_getaffinity(0, sizeof set, &set) != 0) return;
    for (int cpu = 0; cpu < CPU_SETSIZE && used + 8 < size; cpu++)
        if (CPU_ISSET(cpu, &set)) used += (size_t)snprintf(text + used, size - used, "%s%d", used ? "," : "", cpu);
}

int main(int count, char **arguments)
{
    int rank, size, wrong = 0;
    int rounds = count > 1 ? atoi(arguments[1]) : 10;
    MPI_Init(&count, &arguments);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    long long expected = (long long)size * (size + 1) / 2, sum = 0;
    for (int round = 0; round < rounds; round++) {
        long long mine = rank + 1;
        MPI_Allreduce(&mine, &sum, 1, MPI_LONG_LONG, MPI_SUM, MPI_COMM_WORLD);
        wrong |= sum != expected;
    }
    char host[256] = "", mnt[32], pid[32], uts[32], net[32], cgroup[4096], cpus[1024];
    gethostname(host, sizeof host - 1);
    namespace_id("mnt", mnt, sizeof mnt);
    namespace_id("pid", pid, sizeof pid);
    namespace_id("uts", uts, sizeof uts);
    namespace_id("net", net, sizeof net);
    cgroup_path(cgroup, sizeof cgroup);
    cpu_list(cpus, sizeof cpus);
    const char *node = getenv("SLURMD_NODENAME");
    printf("rank=%d size=%d sum=%lld expected=%lld node=%s host=%s uid=%d cpus=%s mnt=%s pid=%s uts=%s net=%s cgroup=%s\n",
           rank, size, sum, expected, node ? node : "-", host, (int)getuid(), cpus, mnt, pid, uts, net, cgroup);
    fflush(stdout);
    MPI_Finalize();
    return wrong;
}
