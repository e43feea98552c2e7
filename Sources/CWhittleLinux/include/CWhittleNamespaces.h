#ifndef CWHITTLENAMESPACES_H
#define CWHITTLENAMESPACES_H

/* The private PID and mount namespaces in which whittle runs build steps. */

#include <sys/types.h>

/* Puts the calling program into namespaces of its own. To be called first thing in main, while there is one thread.
 *
 * Three processes come of it:
 *   the caller     keeps the process id that the user knows; hands signals down, waits, and ends as the program ended.
 *                  For it, this function does not return.
 *   PID 1          of the new PID namespace: hands signals down and reaps orphans.
 *   the program    its child, for which this function returns 1.
 *
 * When the caller or PID 1 ends, however it ends, the kernel kills everything in the PID namespace; with the last
 * process the mount namespace goes, and every mount in it.
 *
 * In the mount namespace, mounts of the host keep arriving but none leaves; /proc is that of the PID namespace; and
 * where the machine has cgroups of both versions, /sys/fs/cgroup/unified is detached, which crun does not bear.
 *
 * An ordinary user may make such namespaces only in a user namespace: PID 1 is then in one of those as well, where root is the
 * user, and the other ids are those that /etc/subuid and /etc/subgid lend, in their order from 1 on. The setuid programs
 * newuidmap and newgidmap write that down.
 *
 * Where the program is killed, the caller gives the terminal the modes that it had.
 *
 * Returns 0 where the kernel does not allow it: the caller goes on outside, as if it had not asked, and
 * whittle_namespaces_refusal says why. */
int whittle_enter_namespaces(void);

/* Whether this process is the program inside the namespaces. */
int whittle_namespaces_entered(void);

/* The errno that whittle_enter_namespaces met, with the name of the failed operation in *operation; 0 if it was not
 * called or did not fail. */
int whittle_namespaces_refusal(const char **operation);

/* Why the namespaces could not be made, as far as it tells what to change. */
enum whittle_namespaces_obstacle {
    WHITTLE_OTHER_OBSTACLE,
    WHITTLE_USER_NAMESPACES_FORBIDDEN,
    WHITTLE_NO_SUBORDINATE_IDS,
    WHITTLE_NO_UIDMAP,
    WHITTLE_UIDMAP_REFUSED,
};
enum whittle_namespaces_obstacle whittle_namespaces_obstacle(void);

/* The user who started the program, by the number that the machine knows. */
uid_t whittle_outer_user(void);

#endif
