// cgroup v2 has no devices file: a small BPF program decides about each open (BPF_PROG_TYPE_CGROUP_DEVICE).
#include <errno.h>
#include <linux/bpf.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "argosy_shim.h"

#define INSN(c, d, s, o, i) (struct bpf_insn){.code = (c), .dst_reg = (d), .src_reg = (s), .off = (o), .imm = (i)}
enum { MAX_RULES = 256, TYPE = 2, MAJOR = 3, MINOR = 4, ACCESS = 5 };

static struct bpf_insn load(int reg, int offset) { return INSN(BPF_LDX | BPF_MEM | BPF_W, reg, 1, (short)offset, 0); }
static struct bpf_insn unless_equal(int reg, uint32_t value, int skip) {
    return INSN(BPF_JMP | BPF_JNE | BPF_K, reg, 0, (short)skip, (int)value);
}
static struct bpf_insn answer(int value) { return INSN(BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, value); }

static size_t assemble(struct bpf_insn *out, const struct argosy_device_rule *rules, size_t count, int deny) {
    struct bpf_insn leave = INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
    size_t n = 0;
    out[n++] = load(TYPE, offsetof(struct bpf_cgroup_dev_ctx, access_type));
    out[n++] = load(MAJOR, offsetof(struct bpf_cgroup_dev_ctx, major));
    out[n++] = load(MINOR, offsetof(struct bpf_cgroup_dev_ctx, minor));
    out[n++] = INSN(BPF_ALU64 | BPF_MOV | BPF_X, ACCESS, TYPE, 0, 0);
    out[n++] = INSN(BPF_ALU64 | BPF_AND | BPF_K, TYPE, 0, 0, 0xffff);
    out[n++] = INSN(BPF_ALU64 | BPF_RSH | BPF_K, ACCESS, 0, 0, 16);
    out[n++] = INSN(BPF_ALU64 | BPF_AND | BPF_K, ACCESS, 0, 0, BPF_DEVCG_ACC_MKNOD);
    if (!deny) {
        out[n++] = unless_equal(ACCESS, BPF_DEVCG_ACC_MKNOD, 2);
        out[n++] = answer(0);
        out[n++] = leave;
    }
    for (size_t i = 0; i < count; i++) {
        int minor = rules[i].any_minor ? 0 : 1;
        out[n++] = unless_equal(TYPE, rules[i].block ? BPF_DEVCG_DEV_BLOCK : BPF_DEVCG_DEV_CHAR, 3 + minor);
        out[n++] = unless_equal(MAJOR, rules[i].major, 2 + minor);
        if (minor) out[n++] = unless_equal(MINOR, rules[i].minor, 2);
        out[n++] = answer(deny ? 0 : 1);
        out[n++] = leave;
    }
    out[n++] = answer(deny ? 1 : 0);
    out[n++] = leave;
    return n;
}

int argosy_cgroup_devices(int cgroup, const struct argosy_device_rule *rules, size_t count, int deny) {
    static const char licence[] = "Apache-2.0";
    if (count > MAX_RULES) return -E2BIG;
    struct bpf_insn program[16 + 5 * MAX_RULES];
    union bpf_attr attr;
    memset(&attr, 0, sizeof attr);
    attr.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE;
    attr.insns = (uint64_t)(uintptr_t)program;
    attr.insn_cnt = (uint32_t)assemble(program, rules, count, deny);
    attr.license = (uint64_t)(uintptr_t)licence;
    int loaded = (int)syscall(SYS_bpf, BPF_PROG_LOAD, &attr, sizeof attr);
    if (loaded < 0) return -errno;
    memset(&attr, 0, sizeof attr);
    attr.target_fd = (uint32_t)cgroup;
    attr.attach_bpf_fd = (uint32_t)loaded;
    attr.attach_type = BPF_CGROUP_DEVICE;
    attr.attach_flags = BPF_F_ALLOW_MULTI;
    int error = syscall(SYS_bpf, BPF_PROG_ATTACH, &attr, sizeof attr) < 0 ? -errno : 0;
    close(loaded);
    return error;
}
