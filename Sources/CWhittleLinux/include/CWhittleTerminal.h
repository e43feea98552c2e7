#ifndef CWHITTLETERMINAL_H
#define CWHITTLETERMINAL_H

/* Calls about terminals, and about the sockets that they come over, that Swift cannot make: ioctl(2) takes a variable
 * argument. Each returns -1 with errno set on failure. */

/* A pseudo-terminal: `ends[0]` is the side of whoever shows it, without waiting; `ends[1]` that of the program, in raw
 * mode. Both with close-on-exec; neither becomes the controlling terminal of this process. */
int whittle_open_terminal(int ends[2]);

/* A Unix socket that listens at `path`, and does not wait. */
int whittle_listen(const char *path);

/* A connection to the Unix socket at `path`, and one that is accepted; neither waits. */
int whittle_connect(const char *path);
int whittle_accept(int listener);

/* The terminal that somebody sends over a connection to `listener`, with close-on-exec and without waiting. Waits for the
 * message once the connection is there; EAGAIN where there is none. */
int whittle_receive_terminal(int listener);

/* The size of a terminal's window in characters. */
int whittle_window_size(int terminal, unsigned short *rows, unsigned short *columns);
int whittle_set_window_size(int terminal, unsigned short rows, unsigned short columns);

/* fcntl(2) with F_DUPFD_CLOEXEC. */
int whittle_duplicate(int descriptor);

#endif
