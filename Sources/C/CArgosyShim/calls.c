// Thin wrappers of calls that the Glibc module of Swift lacks.
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "argosy_shim.h"

static int result(long r) { return r < 0 ? -errno : (int)r; }

int argosy_strerror(int code, void *buffer, size_t size) {
    char space[256];
    const char *text = strerror_r(code, space, sizeof space);
    size_t length = strlen(text);
    if (length > size) length = size;
    memcpy(buffer, text, length);
    return (int)length;
}

int argosy_pidfd_open(pid_t pid) { return result(syscall(SYS_pidfd_open, pid, 0)); }
int argosy_pidfd_send_signal(int pidfd, int signal) {
    return result(syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, 0));
}

int argosy_wait(int pidfd, int block, int *code, int *signal) {
    siginfo_t info = {0};
    while (waitid(P_PIDFD, (id_t)pidfd, &info, WEXITED | (block ? 0 : WNOHANG)) < 0)
        if (errno != EINTR) return -errno;
    if (info.si_pid == 0) return 0;
    *code = info.si_code == CLD_EXITED ? info.si_status : 0;
    *signal = info.si_code == CLD_EXITED ? 0 : info.si_status;
    return 1;
}

int argosy_set_subreaper(int on) { return result(prctl(PR_SET_CHILD_SUBREAPER, on, 0, 0, 0)); }
int argosy_set_death_signal(int signal) { return result(prctl(PR_SET_PDEATHSIG, signal, 0, 0, 0)); }

int argosy_signalfd(uint64_t signals) {
    sigset_t set;
    sigemptyset(&set);
    for (int s = 1; s <= 64; s++)
        if (signals >> (s - 1) & 1) sigaddset(&set, s);
    int error = pthread_sigmask(SIG_BLOCK, &set, NULL);
    if (error) return -error;
    return result(signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
}
int argosy_signalfd_read(int fd) {
    struct signalfd_siginfo info;
    ssize_t n = read(fd, &info, sizeof info);
    return n < 0 ? -errno : (int)info.ssi_signo;
}

int argosy_timerfd(void) { return result(timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK)); }
int argosy_timerfd_set(int fd, uint64_t deadline) {
    struct itimerspec spec = {0};
    spec.it_value.tv_sec = (time_t)(deadline / 1000000000);
    spec.it_value.tv_nsec = (long)(deadline % 1000000000);
    return result(timerfd_settime(fd, TFD_TIMER_ABSTIME, &spec, NULL));
}
int64_t argosy_boot_nanoseconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_BOOTTIME, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int argosy_memfd(const char *name) { return result(memfd_create(name, MFD_CLOEXEC)); }
int argosy_lock(int fd) { return result(flock(fd, LOCK_EX | LOCK_NB)); }

int argosy_poll(struct pollfd *fds, size_t count, int64_t timeout) {
    int64_t end = timeout < 0 ? 0 : argosy_boot_nanoseconds() + timeout * 1000000;
    for (;;) {
        int64_t left = timeout < 0 ? 0 : end - argosy_boot_nanoseconds();
        if (left < 0) left = 0;
        struct timespec wait = {left / 1000000000, left % 1000000000};
        int ready = ppoll(fds, count, timeout < 0 ? NULL : &wait, NULL);
        if (ready >= 0) return ready;
        if (errno != EINTR) return -errno;
    }
}

int argosy_unix_pair(int seqpacket, int pair[2]) {
    return result(socketpair(AF_UNIX, (seqpacket ? SOCK_SEQPACKET : SOCK_STREAM) | SOCK_CLOEXEC, 0, pair));
}

int argosy_unix_socket(const char *path, int seqpacket, int listening, unsigned mode) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path) return -ENAMETOOLONG;
    strcpy(address.sun_path, path);
    int kind = (seqpacket ? SOCK_SEQPACKET : SOCK_STREAM) | SOCK_CLOEXEC | (listening ? SOCK_NONBLOCK : 0);
    int fd = socket(AF_UNIX, kind, 0);
    if (fd < 0) return -errno;
    int error = 0;
    if (listening) {
        if (unlink(path) < 0 && errno != ENOENT) error = errno;
        // The socket takes the descriptor's mode, so there is no moment at which others could connect.
        else if (fchmod(fd, mode) < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) < 0 ||
                 chmod(path, mode) < 0 || listen(fd, 128) < 0)
            error = errno;
    } else if (connect(fd, (struct sockaddr *)&address, sizeof address) < 0) {
        error = errno;
    }
    if (error == 0) return fd;
    close(fd);
    return -error;
}

int argosy_accept(int fd) { return result(accept4(fd, NULL, NULL, SOCK_CLOEXEC)); }

enum { MAX_FDS = 16 };

ssize_t argosy_send_fds(int socket, const void *bytes, size_t size, const int *fds, size_t count) {
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(MAX_FDS * sizeof(int))];
    } control = {0};
    if (count > MAX_FDS) return -EINVAL;
    struct iovec part = {(void *)bytes, size};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    if (count > 0) {
        message.msg_control = control.space;
        message.msg_controllen = CMSG_SPACE(count * sizeof(int));
        control.header.cmsg_level = SOL_SOCKET;
        control.header.cmsg_type = SCM_RIGHTS;
        control.header.cmsg_len = CMSG_LEN(count * sizeof(int));
        memcpy(CMSG_DATA(&control.header), fds, count * sizeof(int));
    }
    for (;;) {
        ssize_t n = sendmsg(socket, &message, MSG_NOSIGNAL);
        if (n >= 0) return n;
        if (errno != EINTR) return -errno;
    }
}

ssize_t argosy_receive_fds(int socket, void *bytes, size_t size, int *fds, size_t *count) {
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(MAX_FDS * sizeof(int))];
    } control = {0};
    size_t room = *count;
    *count = 0;
    struct iovec part = {bytes, size};
    struct msghdr message = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = control.space, .msg_controllen = sizeof control.space};
    ssize_t n;
    do n = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
    while (n < 0 && errno == EINTR);
    if (n < 0) return -errno;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(&message); c; c = CMSG_NXTHDR(&message, c)) {
        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS) continue;
        size_t came = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < came; i++) {
            int fd;
            memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof fd);
            if (*count < room) fds[(*count)++] = fd;
            else close(fd);
        }
    }
    if (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) {
        for (size_t i = 0; i < *count; i++) close(fds[i]);
        *count = 0;
        return -EMSGSIZE;
    }
    return n;
}

int argosy_affinity(void *bits, size_t size) {
    return result(syscall(SYS_sched_getaffinity, 0, size, bits));
}
