#define _GNU_SOURCE
#include "CWhittleTerminal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

static int make_raw(int terminal) {
    struct termios settings;
    if (tcgetattr(terminal, &settings) != 0) return -1;
    cfmakeraw(&settings);
    return tcsetattr(terminal, TCSANOW, &settings);
}

int whittle_open_terminal(int ends[2]) {
    int shown = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
    if (shown < 0) return -1;
    int program = -1;
    /* By descriptor, as the name may mean something else in the mount namespace of this process. */
    if (unlockpt(shown) == 0) program = ioctl(shown, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (program >= 0 && make_raw(program) == 0) {
        ends[0] = shown;
        ends[1] = program;
        return 0;
    }
    int error = errno;
    if (program >= 0) close(program);
    close(shown);
    errno = error;
    return -1;
}

int whittle_window_size(int terminal, unsigned short *rows, unsigned short *columns) {
    struct winsize size;
    if (ioctl(terminal, TIOCGWINSZ, &size) != 0) return -1;
    *rows = size.ws_row;
    *columns = size.ws_col;
    return 0;
}

int whittle_set_window_size(int terminal, unsigned short rows, unsigned short columns) {
    struct winsize size = {.ws_row = rows, .ws_col = columns};
    return ioctl(terminal, TIOCSWINSZ, &size);
}

int whittle_duplicate(int descriptor) { return fcntl(descriptor, F_DUPFD_CLOEXEC, 3); }
