// From clone to exec. The child shares our memory until it execs (CLONE_VM | CLONE_VFORK: the cost does not grow with our
// size), so it touches nothing but its own stack, and uses raw calls for ids: glibc's would change all of "its" threads,
// which are ours. Only signal-safe C here.
//
// The order matters: cgroups are joined before anything is charged or the namespaces change; descriptors are arranged
// while we may open anything; limits are set while we may; then capabilities, groups and ids go; the working directory is
// entered and the program opened with what the user may do.
//
// Entering a pid namespace takes effect for children only, so the calling thread enters it before it clones and returns
// afterwards. The new process is then our own child, with a pidfd and an exit status for us.
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "argosy_shim.h"

enum { STACK = 64 * 1024, KERNEL_SIGSET = 8, MAX_KEPT = 512 };

static void block_all(uint64_t *old) {
    uint64_t all = ~0ull;
    syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, old, KERNEL_SIGSET);
}
static void set_mask(uint64_t mask) { syscall(SYS_rt_sigprocmask, SIG_SETMASK, &mask, NULL, KERNEL_SIGSET); }

// By the raw call: glibc's refuses the two signals it keeps for itself, which a parent may have left ignored.
static void reset_handlers(void) {
    struct { void *handler; unsigned long flags; void *restorer; uint64_t mask; } standard = {0};
    for (int s = 1; s < NSIG; s++) syscall(SYS_rt_sigaction, s, &standard, NULL, KERNEL_SIGSET);
}

static int set_ids(uid_t uid, gid_t gid, const gid_t *groups, size_t count, int *stage) {
    *stage = ARGOSY_STAGE_GROUPS;
    if (syscall(SYS_setgroups, count, groups) < 0) return -1;
    *stage = ARGOSY_STAGE_IDS;
    if (syscall(SYS_setresgid, gid, gid, gid) < 0) return -1;
    return syscall(SYS_setresuid, uid, uid, uid) < 0 ? -1 : 0;
}

static int set_limit(const struct argosy_limit *limit) {
    struct rlimit now, wanted = {limit->soft, limit->hard};
    if (setrlimit(limit->resource, &wanted) == 0) return 0;
    if (errno != EPERM || getrlimit(limit->resource, &now) < 0) return -1;
    if (wanted.rlim_max > now.rlim_max) wanted.rlim_max = now.rlim_max;
    if (wanted.rlim_cur > wanted.rlim_max) wanted.rlim_cur = wanted.rlim_max;
    return setrlimit(limit->resource, &wanted);
}

static int drop_bounding_set(void) {
    for (int cap = 0; prctl(PR_CAPBSET_READ, cap, 0, 0, 0) >= 0; cap++)
        if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) < 0) return -1;
    return prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
}
static int drop_capabilities(void) {
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct none[2] = {{0}};
    return (int)syscall(SYS_capset, &header, none);
}

// Sources may be numbers that are also targets: first all go above every target, then down to their places. What is not
// kept closes on exec.
static int arrange_descriptors(const struct argosy_spawn_plan *p, int null) {
    int high[3 + MAX_KEPT], floor = 3;
    if (p->kept_count > MAX_KEPT) return errno = E2BIG, -1;
    for (size_t i = 0; i < p->kept_count; i++)
        if (p->kept_to[i] >= floor) floor = p->kept_to[i] + 1;
    for (size_t i = 0; i < 3 + p->kept_count; i++) {
        int from = i < 3 ? (p->stdio[i] < 0 ? null : p->stdio[i]) : p->kept_from[i - 3];
        if ((high[i] = fcntl(from, F_DUPFD_CLOEXEC, floor)) < 0) return -1;
    }
    if (syscall(SYS_close_range, 3, ~0u, 4 /* CLOSE_RANGE_CLOEXEC */) < 0) return -1;
    for (size_t i = 0; i < 3 + p->kept_count; i++)
        if (dup2(high[i], i < 3 ? (int)i : p->kept_to[i - 3]) < 0) return -1;
    return 0;
}

static void reset_oom_score(void) {
    int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
    if (fd < 0) return;
    ssize_t ignored = write(fd, "0", 1);
    (void)ignored;
    close(fd);
}

#define TRY(name, condition)                      \
    do {                                          \
        p->stage = ARGOSY_STAGE_##name;           \
        if ((long)(condition) < 0) return -errno; \
    } while (0)

// Memory is the parent's (see `clone_child`), which waits: the string is ours alone until exec copies it.
static void write_pid(char *text) {
    char digits[12];
    int count = 0;
    for (unsigned pid = (unsigned)syscall(SYS_getpid); pid || !count; pid /= 10) digits[count++] = (char)('0' + pid % 10);
    while (count) *text++ = digits[--count];
    *text = 0;
}

static int prepare(struct argosy_spawn_plan *p) {
    reset_handlers();
    if (p->new_session) TRY(SESSION, setsid());
    if (p->reset_oom_score) reset_oom_score();
    for (size_t i = 0; i < p->cgroup_count; i++) TRY(CGROUP, write(p->cgroup_fds[i], "0", 1));
    int null;
    TRY(DESCRIPTORS, null = open("/dev/null", O_RDWR | O_CLOEXEC));
    if (p->holder >= 0)
        TRY(NAMESPACES, setns(p->holder, CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWCGROUP));
    TRY(DESCRIPTORS, arrange_descriptors(p, null));
    if (p->control_terminal) TRY(SESSION, ioctl(0, TIOCSCTTY, 0));
    if (p->memory_mode >= 0)
        syscall(SYS_set_mempolicy, p->memory_mode, p->memory_nodes ? &p->memory_nodes : NULL, p->memory_nodes ? 65 : 0);
    if (p->pid_text) write_pid(p->pid_text);
    if (p->affinity_size) TRY(AFFINITY, syscall(SYS_sched_setaffinity, 0, p->affinity_size, p->affinity));
    for (size_t i = 0; i < p->limit_count; i++) TRY(LIMITS, set_limit(&p->limits[i]));
    if (p->umask >= 0) umask((mode_t)p->umask);
    if (p->drop_capabilities) TRY(CAPABILITIES, drop_bounding_set());
    if (p->set_ids && set_ids(p->uid, p->gid, p->groups, p->group_count, &p->stage) < 0) return -errno;
    if (p->drop_capabilities) TRY(CAPABILITIES, drop_capabilities());
    if (p->death_signal) TRY(DEATH_SIGNAL, prctl(PR_SET_PDEATHSIG, p->death_signal, 0, 0, 0));
    if (p->directory) TRY(CHDIR, chdir(p->directory));
    if (p->no_new_privileges) TRY(NO_NEW_PRIVILEGES, prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
    if (p->filter_count) {
        struct sock_fprog program = {(unsigned short)p->filter_count, (struct sock_filter *)p->filter};
        TRY(SECCOMP, syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program));
    }
    set_mask(0);
    return 0;
}

static int is_there(const char *path) {
    struct stat status;
    return stat(path, &status) == 0 && !S_ISDIR(status.st_mode);
}

// As execvp: a candidate that is not there or may not be run does not hide a later one, and "not permitted" is the
// better answer of the two, but only for a file that is there: a directory of PATH that the user may not search tells
// nothing. A path that was given as one always gets its own answer.
static int execute(struct argosy_spawn_plan *p) {
    int error = ENOENT;
    p->stage = ARGOSY_STAGE_EXEC;
    for (size_t i = 0; p->candidates[i]; i++) {
        execve(p->candidates[i], (char *const *)p->arguments, (char *const *)p->environment);
        if (errno == EACCES) {
            if (!p->searched || is_there(p->candidates[i])) error = EACCES;
        } else if (errno != ENOENT && errno != ENOTDIR) {
            return -errno;
        }
    }
    return -error;
}

struct child_argument {
    struct argosy_spawn_plan *plan;
    volatile int error;
};

static int child(void *argument) {
    struct child_argument *a = argument;
    int error = prepare(a->plan);
    a->error = error < 0 ? error : execute(a->plan);
    _exit(127);
}

static int clone_child(struct argosy_spawn_plan *p, struct child_argument *argument) {
    char *stack = mmap(NULL, STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
    if (stack == MAP_FAILED) return -errno;
    int flags = CLONE_VM | CLONE_VFORK | CLONE_PIDFD | SIGCHLD | (int)p->new_namespaces;
    int pid = clone(child, stack + STACK, flags, argument, &p->pidfd);
    int error = errno;
    munmap(stack, STACK);
    return pid < 0 ? -error : pid;
}

// -1 where there is nothing to return to.
static int enter_pid_namespace(int holder, int *own) {
    *own = -1;
    if (holder < 0) return 0;
    *own = open("/proc/self/ns/pid", O_RDONLY | O_CLOEXEC);
    if (*own < 0) return -errno;
    return setns(holder, CLONE_NEWPID) < 0 ? -errno : 0;
}

int argosy_spawn(struct argosy_spawn_plan *p) {
    struct child_argument argument = {p, 0};
    uint64_t mask;
    int own, pid;
    p->pidfd = -1;
    block_all(&mask);
    p->stage = ARGOSY_STAGE_PID_NAMESPACE;
    pid = enter_pid_namespace(p->holder, &own);
    if (pid == 0) {
        p->stage = ARGOSY_STAGE_CLONE;
        pid = clone_child(p, &argument);
        if (own >= 0) setns(own, CLONE_NEWPID);
    }
    if (own >= 0) close(own);
    set_mask(mask);
    if (pid < 0) return pid;
    if (argument.error == 0) return pid;
    int code, signal;
    argosy_wait(p->pidfd, 1, &code, &signal);
    close(p->pidfd);
    p->pidfd = -1;
    return argument.error;
}

static _Noreturn void open_child(struct argosy_open_plan *p, int socket) {
    int answer[2] = {0, 0}, fd = -1;
    if (set_ids(p->uid, p->gid, p->groups, p->group_count, &answer[0]) < 0) {
        answer[1] = errno;
    } else {
        umask(p->umask);
        answer[0] = ARGOSY_STAGE_CHDIR;
        if (p->directory && chdir(p->directory) < 0) {
            answer[1] = errno;
        } else {
            answer[0] = ARGOSY_STAGE_OPEN;
            fd = open(p->path, p->flags | O_CLOEXEC | O_NOCTTY, p->mode);
            if (fd < 0) answer[1] = errno;
        }
    }
    argosy_send_fds(socket, answer, sizeof answer, &fd, fd >= 0 ? 1 : 0);
    _exit(0);
}

static int receive_opened(struct argosy_open_plan *p, int socket) {
    int answer[2], fd = -1;
    size_t count = 1;
    struct pollfd ready = {.fd = socket, .events = POLLIN};
    p->stage = ARGOSY_STAGE_TIMEOUT;
    if (argosy_poll(&ready, 1, p->timeout_ms) == 0) return -ETIMEDOUT;
    p->stage = ARGOSY_STAGE_CLONE;
    ssize_t n = argosy_receive_fds(socket, answer, sizeof answer, &fd, &count);
    if (n != sizeof answer) return n < 0 ? (int)n : -ECHILD;
    p->stage = answer[0];
    if (answer[1]) return -answer[1];
    return count == 1 ? fd : -ECHILD;
}

int argosy_open_as(struct argosy_open_plan *p) {
    int pair[2], pidfd = -1;
    uint64_t mask;
    p->stage = ARGOSY_STAGE_CLONE;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0) return -errno;
    block_all(&mask);
    long pid = syscall(SYS_clone, CLONE_PIDFD | SIGCHLD, NULL, &pidfd, NULL, NULL);
    if (pid == 0) open_child(p, pair[1]);
    int error = errno;
    set_mask(mask);
    close(pair[1]);
    if (pid < 0) {
        close(pair[0]);
        return -error;
    }
    int fd = receive_opened(p, pair[0]);
    close(pair[0]);
    if (fd == -ETIMEDOUT) argosy_pidfd_send_signal(pidfd, SIGKILL);
    // One that not even SIGKILL ends (a dead NFS server) is left to whoever reaps us.
    struct pollfd ended = {.fd = pidfd, .events = POLLIN};
    int code, signal;
    if (argosy_poll(&ended, 1, 1000) > 0) argosy_wait(pidfd, 0, &code, &signal);
    close(pidfd);
    return fd;
}
