#ifndef CWHITTLELINUX_H
#define CWHITTLELINUX_H

/* Calls of Linux that Glibc's Swift module lacks or cannot express. No logic lives here.
 *
 * Every function returns what the call returns: -1 with errno set on failure. None retries on EINTR. */

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "CWhittleMount.h"
#include "CWhittleNamespaces.h"
#include "CWhittleProcess.h"
#include "CWhittleTerminal.h"

/* openat2(2). Returns a descriptor. `resolve` is a set of RESOLVE_* bits. */
int whittle_openat2(int directory, const char *path, uint64_t flags, uint64_t mode, uint64_t resolve);

/* What statx(2) tells, without padding and spare fields. */
struct whittle_status {
    uint64_t inode;
    uint64_t device;
    uint64_t special_device;
    uint64_t size;
    uint64_t blocks;
    int64_t modified_seconds;
    int64_t changed_seconds;
    uint32_t modified_nanoseconds;
    uint32_t changed_nanoseconds;
    uint32_t mode;
    uint32_t links;
    uint32_t uid;
    uint32_t gid;
};

/* statx(2) for the basic fields. `flags` is a set of AT_* bits. */
int whittle_status_at(int directory, const char *path, int flags, struct whittle_status *status);

/* getdents64(2). Returns the number of bytes of `struct linux_dirent64` records, 0 at the end. */
ssize_t whittle_getdents(int directory, void *buffer, size_t size);

/* renameat2(2) with RENAME_NOREPLACE. */
int whittle_rename_new(int from_directory, const char *from, int to_directory, const char *to);

/* copy_file_range(2) at the current offsets. */
ssize_t whittle_copy_range(int from, int to, size_t size);

/* fcntl F_OFD_SETLK: takes a lock on one byte, which need not exist, for the open file; EAGAIN where it is taken. */
int whittle_try_lock_byte(int file, int64_t offset);

/* ioctl FICLONE: `to` shares the blocks of `from`. */
int whittle_clone_file(int from, int to);

/* syncfs(2). */
int whittle_sync_file_system(int descriptor);

/* sync_file_range(2) with SYNC_FILE_RANGE_WRITE. */
int whittle_start_write_back(int file, int64_t offset, int64_t count);

/* fchmodat(2) that never follows a link. */
int whittle_chmod_at(int directory, const char *name, uint32_t mode);

/* Extended attributes of a descriptor, and of a path whose last component is not followed. */
ssize_t whittle_list_attributes(int descriptor, char *names, size_t size);
ssize_t whittle_get_attribute(int descriptor, const char *name, void *value, size_t size);
int whittle_set_attribute(int descriptor, const char *name, const void *value, size_t size);
int whittle_remove_attribute(int descriptor, const char *name);
ssize_t whittle_list_path_attributes(const char *path, char *names, size_t size);
ssize_t whittle_get_path_attribute(const char *path, const char *name, void *value, size_t size);
int whittle_set_path_attribute(const char *path, const char *name, const void *value, size_t size);

#endif
