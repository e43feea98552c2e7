#ifndef CWHITTLEPROCESS_H
#define CWHITTLEPROCESS_H

/* Calls about processes, and about waiting for them. Each returns -1 with errno set on failure. */

#include <sys/types.h>

/* posix_spawn(3), whose cost does not grow with the memory of this process, as that of fork(2) does.
 *
 * The child has a session of its own, no blocked and no ignored signals, and no open descriptors but `standard`: its
 * standard input, output and error. Returns its process id. */
pid_t whittle_spawn(const char *path, char *const arguments[], char *const environment[], const int standard[3]);

/* The same with vfork(2), for a child that enters control groups before it becomes the program: it writes "0" to each of the
 * `entrances`, a list of paths that ends with NULL. */
pid_t whittle_spawn_inside(const char *path, char *const arguments[], char *const environment[], const int standard[3],
                           char *const entrances[]);

/* pidfd_open(2). Returns a descriptor, which has close-on-exec set. */
int whittle_pidfd_open(pid_t process);

/* pidfd_send_signal(2). */
int whittle_pidfd_signal(int process, int signal);

/* pipe2(2) for what a child writes or reads: the reading end first; both with close-on-exec. The end of this process does
 * not wait: the reading one for output, the writing one for input. */
int whittle_output_pipe(int ends[2]);
int whittle_input_pipe(int ends[2]);

/* eventfd(2), with close-on-exec and without waiting; and a write of 1 to it. */
int whittle_event(void);
int whittle_raise_event(int event);

#endif
