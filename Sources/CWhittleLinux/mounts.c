#define _GNU_SOURCE
#include "CWhittleMount.h"

#include <fcntl.h>
#include <stddef.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Glibc before 2.36 has neither these calls nor their constants; the kernel's numbers never change. */
#define WHITTLE_FSOPEN_CLOEXEC 0x1
#define WHITTLE_FSMOUNT_CLOEXEC 0x1
#define WHITTLE_OPEN_TREE_CLONE 0x1
#define WHITTLE_MOVE_MOUNT_F_EMPTY_PATH 0x4
#define WHITTLE_AT_RECURSIVE 0x8000

enum { SET_FLAG = 0, SET_STRING = 1, SET_FD = 5, CMD_CREATE = 6 };

struct mount_attributes {
    uint64_t set;
    uint64_t clear;
    uint64_t propagation;
    uint64_t user_namespace;
};

int whittle_fsopen(const char *type) { return (int)syscall(SYS_fsopen, type, WHITTLE_FSOPEN_CLOEXEC); }

int whittle_fsconfig_flag(int context, const char *key) {
    return (int)syscall(SYS_fsconfig, context, SET_FLAG, key, NULL, 0);
}

int whittle_fsconfig_string(int context, const char *key, const char *value) {
    return (int)syscall(SYS_fsconfig, context, SET_STRING, key, value, 0);
}

int whittle_fsconfig_descriptor(int context, const char *key, int descriptor) {
    return (int)syscall(SYS_fsconfig, context, SET_FD, key, NULL, descriptor);
}

int whittle_fsconfig_create(int context) {
    return (int)syscall(SYS_fsconfig, context, CMD_CREATE, NULL, NULL, 0);
}

int whittle_fsmount(int context, uint32_t attributes) {
    return (int)syscall(SYS_fsmount, context, WHITTLE_FSMOUNT_CLOEXEC, attributes);
}

int whittle_clone_tree(int directory, const char *path, int recursive) {
    unsigned flags = WHITTLE_OPEN_TREE_CLONE | O_CLOEXEC | AT_EMPTY_PATH;
    if (recursive) flags |= WHITTLE_AT_RECURSIVE;
    return (int)syscall(SYS_open_tree, directory, path, flags);
}

int whittle_move_mount(int mount, const char *path) {
    return (int)syscall(SYS_move_mount, mount, "", AT_FDCWD, path, WHITTLE_MOVE_MOUNT_F_EMPTY_PATH);
}

int whittle_mount_setattr(int mount, uint64_t set, uint64_t clear, int recursive) {
    struct mount_attributes attributes = {.set = set, .clear = clear};
    unsigned flags = AT_EMPTY_PATH | (recursive ? WHITTLE_AT_RECURSIVE : 0);
    return (int)syscall(SYS_mount_setattr, mount, "", flags, &attributes, sizeof attributes);
}

int whittle_make_private(const char *path) { return mount(NULL, path, NULL, MS_REC | MS_PRIVATE, NULL); }

int whittle_mount(const char *source, const char *target, const char *type, uint64_t flags, const char *options) {
    return mount(source, target, type, flags, options);
}

int whittle_unmount(const char *path, int flags) { return umount2(path, flags); }
