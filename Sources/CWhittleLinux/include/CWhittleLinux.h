#ifndef CWHITTLELINUX_H
#define CWHITTLELINUX_H

/* Calls of Linux that Glibc's Swift module lacks or cannot express. No logic lives here. */

#include <stddef.h>
#include <stdint.h>

/* openat2(2). Returns a descriptor, or -1 with errno set. `resolve` is a set of RESOLVE_* bits. */
int whittle_openat2(int directory, const char *path, uint64_t flags, uint64_t mode, uint64_t resolve);

#endif
