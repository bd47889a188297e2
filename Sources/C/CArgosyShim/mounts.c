// The mount tree by descriptor, and loop devices.
#include <errno.h>
#include <fcntl.h>
#include <linux/loop.h>
#include <linux/mount.h>
#include <linux/openat2.h>
#include <sched.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "argosy_shim.h"

// sys/mount.h and linux/mount.h cannot be included together.
int mount(const char *, const char *, const char *, unsigned long, const void *);
int umount2(const char *, int);
enum { DETACH = 2, PRIVATE = 1 << 18 };

static int result(long r) { return r < 0 ? -errno : (int)r; }

int argosy_unshare(int flags) { return result(unshare(flags)); }

int argosy_mount(const char *source, const char *target, const char *type, unsigned long flags, const char *data) {
    return result(mount(source, target, type, flags, data));
}
int argosy_unmount_detach(const char *target) { return result(umount2(target, DETACH)); }

// Makes the working directory the root and drops the old one, which was stacked below it (pivot_root(2), NOTES).
int argosy_pivot_here(void) {
    if (syscall(SYS_pivot_root, ".", ".") < 0 || umount2(".", DETACH) < 0) return -errno;
    return result(chdir("/"));
}

int argosy_set_hostname(const char *name) {
    size_t length = 0;
    while (name[length]) length++;
    return result(sethostname(name, length));
}

int argosy_open_tree_clone(int fd, int recursive) {
    return result(syscall(SYS_open_tree, fd, "",
        OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0)));
}
int argosy_move_mount(int mount_fd, int directory, const char *path) {
    return result(syscall(SYS_move_mount, mount_fd, "", directory, path, MOVE_MOUNT_F_EMPTY_PATH));
}
int argosy_move_mount_onto(int mount_fd, int target_fd) {
    return result(syscall(
        SYS_move_mount, mount_fd, "", target_fd, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH));
}

int argosy_mount_attributes(int fd, uint64_t set, uint64_t clear, int recursive) {
    struct mount_attr attributes = {.attr_set = set, .attr_clr = clear, .propagation = PRIVATE};
    return result(syscall(SYS_mount_setattr, fd, "", AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0), &attributes,
        sizeof attributes));
}
const uint64_t argosy_attr_readonly = MOUNT_ATTR_RDONLY, argosy_attr_nosuid = MOUNT_ATTR_NOSUID,
               argosy_attr_nodev = MOUNT_ATTR_NODEV, argosy_attr_noexec = MOUNT_ATTR_NOEXEC;

int argosy_open_in_root(int root, const char *path, int flags, unsigned mode) {
    struct open_how how = {
        .flags = (uint64_t)(unsigned)(flags | O_CLOEXEC), .mode = mode,
        .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS};
    for (int tries = 0;; tries++) {
        long fd = syscall(SYS_openat2, root, path, &how, sizeof how);
        // EAGAIN: something was renamed meanwhile and the kernel could not be sure.
        if (fd >= 0 || errno != EAGAIN || tries > 100) return result(fd);
    }
}

int argosy_make_device(const char *path, int block, unsigned major, unsigned minor, unsigned mode) {
    if (mknod(path, (block ? S_IFBLK : S_IFCHR) | mode, makedev(major, minor)) < 0) return -errno;
    return result(chmod(path, mode));
}

// /dev may be somebody's tmpfs without the new device's node: a node of our own is used for a moment then.
static int open_loop(int number) {
    char path[64];
    snprintf(path, sizeof path, "/dev/loop%d", number);
    int fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd >= 0 || errno != ENOENT) return result(fd);
    if (mknod(path, S_IFBLK | 0600, makedev(7, number)) < 0 && errno != EEXIST) return -errno;
    return result(open(path, O_RDWR | O_CLOEXEC));
}

int argosy_loop_attach(int backing, int *number) {
    int control = open("/dev/loop-control", O_RDWR | O_CLOEXEC);
    if (control < 0) return -errno;
    int fd = -EBUSY;
    // Between "which is free" and taking it another process may be faster.
    for (int tries = 0; tries < 1000 && fd == -EBUSY; tries++) {
        *number = ioctl(control, LOOP_CTL_GET_FREE);
        if (*number < 0) {
            fd = -errno;
            break;
        }
        fd = open_loop(*number);
        if (fd < 0) break;
        struct loop_config config = {
            .fd = (unsigned)backing,
            .info = {.lo_flags = LO_FLAGS_READ_ONLY | LO_FLAGS_AUTOCLEAR},
        };
        if (ioctl(fd, LOOP_CONFIGURE, &config) == 0) break;
        int error = errno;
        close(fd);
        fd = -error;
        if (error == EBUSY) usleep(1000);
    }
    close(control);
    return fd;
}
