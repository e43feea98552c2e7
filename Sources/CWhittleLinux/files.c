#define _GNU_SOURCE
#include "CWhittleLinux.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

int whittle_openat2(int directory, const char *path, uint64_t flags, uint64_t mode, uint64_t resolve) {
    struct open_how how = {.flags = flags, .mode = mode, .resolve = resolve};
    return (int)syscall(SYS_openat2, directory, path, &how, sizeof how);
}

int whittle_status_at(int directory, const char *path, int flags, struct whittle_status *status) {
    struct statx found;
    if (statx(directory, path, flags, STATX_BASIC_STATS, &found) != 0) return -1;
    status->inode = found.stx_ino;
    status->device = makedev(found.stx_dev_major, found.stx_dev_minor);
    status->special_device = makedev(found.stx_rdev_major, found.stx_rdev_minor);
    status->size = found.stx_size;
    status->blocks = found.stx_blocks;
    status->modified_seconds = found.stx_mtime.tv_sec;
    status->changed_seconds = found.stx_ctime.tv_sec;
    status->modified_nanoseconds = found.stx_mtime.tv_nsec;
    status->changed_nanoseconds = found.stx_ctime.tv_nsec;
    status->mode = found.stx_mode;
    status->links = found.stx_nlink;
    status->uid = found.stx_uid;
    status->gid = found.stx_gid;
    return 0;
}

ssize_t whittle_getdents(int directory, void *buffer, size_t size) {
    return syscall(SYS_getdents64, directory, buffer, size);
}

int whittle_rename_new(int from_directory, const char *from, int to_directory, const char *to) {
    return renameat2(from_directory, from, to_directory, to, RENAME_NOREPLACE);
}

ssize_t whittle_copy_range(int from, int to, size_t size) {
    return copy_file_range(from, NULL, to, NULL, size, 0);
}

int whittle_try_lock_byte(int file, int64_t offset) {
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = offset, .l_len = 1};
    return fcntl(file, F_OFD_SETLK, &lock);
}

int whittle_clone_file(int from, int to) { return ioctl(to, FICLONE, from); }

int whittle_sync_file_system(int descriptor) { return syncfs(descriptor); }

int whittle_start_write_back(int file, int64_t offset, int64_t count) {
    return sync_file_range(file, offset, count, SYNC_FILE_RANGE_WRITE);
}

int whittle_chmod_at(int directory, const char *name, uint32_t mode) {
    return fchmodat(directory, name, mode, AT_SYMLINK_NOFOLLOW);
}

ssize_t whittle_list_attributes(int descriptor, char *names, size_t size) {
    return flistxattr(descriptor, names, size);
}

ssize_t whittle_get_attribute(int descriptor, const char *name, void *value, size_t size) {
    return fgetxattr(descriptor, name, value, size);
}

int whittle_set_attribute(int descriptor, const char *name, const void *value, size_t size) {
    return fsetxattr(descriptor, name, value, size, 0);
}

int whittle_remove_attribute(int descriptor, const char *name) { return fremovexattr(descriptor, name); }

ssize_t whittle_list_path_attributes(const char *path, char *names, size_t size) {
    return llistxattr(path, names, size);
}

ssize_t whittle_get_path_attribute(const char *path, const char *name, void *value, size_t size) {
    return lgetxattr(path, name, value, size);
}

int whittle_set_path_attribute(const char *path, const char *name, const void *value, size_t size) {
    return lsetxattr(path, name, value, size, 0);
}
