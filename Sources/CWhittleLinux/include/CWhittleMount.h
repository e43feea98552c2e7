#ifndef CWHITTLEMOUNT_H
#define CWHITTLEMOUNT_H

/* The mount calls of Linux 5.2 and later, and the older ones that they replace. */

#include <stdint.h>

/* fsopen(2). Returns a descriptor of a new file system context. */
int whittle_fsopen(const char *type);

/* fsconfig(2): FSCONFIG_SET_FLAG, FSCONFIG_SET_STRING, FSCONFIG_SET_FD and FSCONFIG_CMD_CREATE. */
int whittle_fsconfig_flag(int context, const char *key);
int whittle_fsconfig_string(int context, const char *key, const char *value);
int whittle_fsconfig_descriptor(int context, const char *key, int descriptor);
int whittle_fsconfig_create(int context);

/* fsmount(2). Returns a descriptor of a detached mount. `attributes` is a set of MOUNT_ATTR_* bits. */
int whittle_fsmount(int context, uint32_t attributes);

/* open_tree(2) with OPEN_TREE_CLONE. Returns a descriptor of a detached copy of the mount at `path`. */
int whittle_clone_tree(int directory, const char *path, int recursive);

/* move_mount(2) of a detached mount to `path`. */
int whittle_move_mount(int mount, const char *path);

/* mount_setattr(2) on a mount descriptor: sets and clears MOUNT_ATTR_* bits. */
int whittle_mount_setattr(int mount, uint64_t set, uint64_t clear, int recursive);

/* Makes `path` and all below it private: no mount event enters or leaves. */
int whittle_make_private(const char *path);

/* mount(2), and umount2(2). */
int whittle_mount(const char *source, const char *target, const char *type, uint64_t flags, const char *options);
int whittle_unmount(const char *path, int flags);

#endif
