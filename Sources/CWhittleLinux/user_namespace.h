#ifndef USER_NAMESPACE_H
#define USER_NAMESPACE_H

/* User namespaces, in which an ordinary user has the rights of root over ids that the system has lent. */

#include <sys/types.h>

/* fork(2) with the child in a user namespace and a PID namespace of its own. The child has no ids yet and must wait for
 * map_user_namespace. */
pid_t fork_into_user_namespace(void);

enum mapping_failure {
    MAPPED,
    NO_RANGES,  /* /etc/subuid or /etc/subgid lends the user nothing */
    NO_PROGRAM, /* newuidmap or newgidmap is not installed */
    REFUSED,    /* one of them refused */
};

/* Gives the child of fork_into_user_namespace its ids: root is the user, the others are those that /etc/subuid and
 * /etc/subgid lend. To be called by the parent. */
enum mapping_failure map_user_namespace(pid_t process, int *error);

#endif
