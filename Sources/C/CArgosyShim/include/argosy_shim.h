#pragma once
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

// What Swift cannot do: calls the Glibc module lacks (it is built without _GNU_SOURCE), and children between clone and
// exec. Calls return a result of 0 or more, or a negative errno.

// --- calls.c: thin wrappers ---

// Text of an errno, not terminated; its length.
int argosy_strerror(int code, void *buffer, size_t size);
int argosy_pidfd_open(pid_t pid);
int argosy_pidfd_send_signal(int pidfd, int signal);
// 1 and *code, *signal when it has ended (reaped), 0 when not (only without block).
int argosy_wait(int pidfd, int block, int *code, int *signal);
int argosy_set_subreaper(int on);
int argosy_set_death_signal(int signal);
// Blocks the signals given as bits (bit n-1 for signal n) in this thread; a signalfd for them.
int argosy_signalfd(uint64_t signals);
// Number of the next signal; -EAGAIN when none is pending.
int argosy_signalfd_read(int fd);
int argosy_timerfd(void);
// Absolute CLOCK_BOOTTIME nanoseconds; 0: disarmed.
int argosy_timerfd_set(int fd, uint64_t deadline);
int64_t argosy_boot_nanoseconds(void);
int argosy_memfd(const char *name);
int argosy_lock(int fd);
// Times in milliseconds, -1 for ever. Restarts after EINTR with what is left.
struct pollfd;
int argosy_poll(struct pollfd *fds, size_t count, int64_t timeout);
// Stream or seqpacket, close-on-exec.
int argosy_unix_pair(int seqpacket, int pair[2]);
int argosy_unix_socket(const char *path, int seqpacket, int listening, unsigned mode);
int argosy_accept(int fd);
ssize_t argosy_send_fds(int socket, const void *bytes, size_t size, const int *fds, size_t count);
// *count: room in fds, then how many came. -EMSGSIZE when the message was longer than size.
ssize_t argosy_receive_fds(int socket, void *bytes, size_t size, int *fds, size_t *count);
// CPU numbers of this thread's affinity as bits; bytes used.
int argosy_affinity(void *bits, size_t size);

// --- mounts.c: mount tree by descriptor, loop devices ---

int argosy_unshare(int flags);
int argosy_mount(const char *source, const char *target, const char *type, unsigned long flags, const char *data);
int argosy_unmount_detach(const char *target);
int argosy_pivot_here(void);
int argosy_set_hostname(const char *name);
// A detached copy of the mount tree at fd (recursive: with what is mounted below).
int argosy_open_tree_clone(int fd, int recursive);
int argosy_move_mount(int mount_fd, int directory, const char *path);
int argosy_move_mount_onto(int mount_fd, int target_fd);
// Sets (and clears) MOUNT_ATTR_* on a mount, recursively, and makes it private.
int argosy_mount_attributes(int fd, uint64_t set, uint64_t clear, int recursive);
extern const uint64_t argosy_attr_readonly, argosy_attr_nosuid, argosy_attr_nodev, argosy_attr_noexec;
// openat2 with RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS: links of the tree cannot lead out of it.
int argosy_open_in_root(int root, const char *path, int flags, unsigned mode);
int argosy_make_device(const char *path, int block, unsigned major, unsigned minor, unsigned mode);
// Attaches a file read-only, cleared by itself when the last user goes. The device's descriptor; *number its number.
int argosy_loop_attach(int backing, int *number);

// --- devices.c ---

// v2: lets processes below the cgroup directory open only these devices, mknod none.
struct argosy_device_rule {
    int block;
    uint32_t major, minor;
    int any_minor;
};
// With `deny` the rules name what is refused, and everything else (mknod too) is as the cgroups above say.
int argosy_cgroup_devices(int cgroup, const struct argosy_device_rule *rules, size_t count, int deny);

// --- spawn.c ---

struct argosy_limit {
    int resource;
    uint64_t soft, hard;
};

enum argosy_stage {
    ARGOSY_STAGE_CLONE = 1, ARGOSY_STAGE_PID_NAMESPACE, ARGOSY_STAGE_SESSION, ARGOSY_STAGE_CGROUP,
    ARGOSY_STAGE_NAMESPACES, ARGOSY_STAGE_DESCRIPTORS, ARGOSY_STAGE_AFFINITY, ARGOSY_STAGE_LIMITS,
    ARGOSY_STAGE_CAPABILITIES, ARGOSY_STAGE_GROUPS, ARGOSY_STAGE_IDS, ARGOSY_STAGE_DEATH_SIGNAL,
    ARGOSY_STAGE_CHDIR, ARGOSY_STAGE_NO_NEW_PRIVILEGES, ARGOSY_STAGE_SECCOMP, ARGOSY_STAGE_EXEC,
    ARGOSY_STAGE_OPEN, ARGOSY_STAGE_TIMEOUT,
};

// All the child needs, made ready by the parent. Pointers may be NULL where a count is 0.
struct argosy_spawn_plan {
    const char *const *candidates;    // paths tried one after another; NULL at the end
    int searched;                     // they come from PATH: one that cannot be looked at counts as missing
    const char *const *arguments;
    const char *const *environment;
    const char *directory;            // NULL: stay
    const gid_t *groups;
    const int *kept_from, *kept_to;
    const int *cgroup_fds;
    const void *affinity;             // CPU bits
    const struct argosy_limit *limits;
    const void *filter;               // struct sock_filter[]
    size_t group_count, kept_count, cgroup_count, affinity_size, limit_count, filter_count;
    uid_t uid;
    gid_t gid;
    int set_ids, stdio[3], umask, new_session, holder, drop_capabilities, no_new_privileges, death_signal;
    int reset_oom_score;
    int control_terminal;             // standard input becomes the new session's terminal
    int memory_mode;                  // MPOL_* for set_mempolicy; -1: leave. Where it cannot be set, it is not
    uint64_t memory_nodes;
    char *pid_text;                   // where in `environment` the child writes its number; NULL: nowhere
    unsigned new_namespaces;
    // Results.
    int pidfd, stage;
};
// The child's pid; plan->pidfd is set. Or a negative errno and plan->stage.
int argosy_spawn(struct argosy_spawn_plan *plan);

// Opens path with another's ids in a child (a real fork: a file system that hangs must not hold us up). A descriptor, or
// a negative errno and *stage.
struct argosy_open_plan {
    const char *directory, *path;
    const gid_t *groups;
    size_t group_count;
    uid_t uid;
    gid_t gid;
    int flags;
    unsigned mode, umask;
    int timeout_ms, stage;
};
int argosy_open_as(struct argosy_open_plan *plan);

// --- init.c ---

// Pid 1 of a container: reaps, ends on SIGTERM. Never returns.
void argosy_init_loop(void) __attribute__((noreturn));
