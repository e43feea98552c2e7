#ifndef CWHITTLENAMESPACES_H
#define CWHITTLENAMESPACES_H

/* The private PID and mount namespaces in which whittle runs build steps. */

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
 * Returns 0 where the kernel does not allow it: the caller goes on outside, as if it had not asked, and
 * whittle_namespaces_refusal says why. */
int whittle_enter_namespaces(void);

/* Whether this process is the program inside the namespaces. */
int whittle_namespaces_entered(void);

/* The errno that whittle_enter_namespaces met, with the name of the failed operation in *operation; 0 if it was not
 * called or did not fail. */
int whittle_namespaces_refusal(const char **operation);

#endif
