// HTTP transfers through libcurl, which is loaded only when the first one is made, so that programs which make none
// do not pay for it at start-up. Without variadic functions, so that Swift can call it.
#ifndef CWHITTLECURL_H
#define CWHITTLECURL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// What to transfer. Strings are read during whittle_curl_perform only; NULL leaves an option at libcurl's default.
typedef struct whittle_curl_request {
    const char *method;
    const char *url;
    const char *user_agent;
    // `Name: value`, without line ends.
    const char *const *headers;
    size_t header_count;

    // PEM text of certificate authorities that are trusted besides the system's.
    const char *authorities;
    size_t authorities_length;
    const char *client_certificate_file;
    const char *client_key_file;
    bool skips_verification;
    // Proxies of the environment (http_proxy, https_proxy, no_proxy) are used unless this is set.
    bool bypasses_proxy;
    bool allows_http2;
    // The socket file to connect to instead of the host of the URL.
    const char *unix_socket;

    // 0 stands for no limit.
    long connect_timeout_milliseconds;
    long total_timeout_milliseconds;
    // The transfer fails when fewer bytes a second than this moved for so many seconds.
    long low_speed_bytes;
    long low_speed_seconds;

    // Called on the thread of whittle_curl_perform, never at once.
    void *context;
    // One line of the response's head, with its line end; also those of interim responses.
    void (*on_header)(void *context, const char *bytes, size_t count);
    // A piece of the body; false ends the transfer.
    bool (*on_body)(void *context, const char *bytes, size_t count);
    // Whether to end the transfer; asked often, and after whittle_curl_wake.
    bool (*should_stop)(void *context);

    // The request's body: NULL for none. `read_body` fills up to `capacity` bytes and gives their number, 0 at the end,
    // or -1 to end the transfer; `rewind_body` starts it over.
    ptrdiff_t (*read_body)(void *context, char *buffer, size_t capacity);
    bool (*rewind_body)(void *context);
    // -1 where it is unknown.
    int64_t body_size;
} whittle_curl_request;

// What became of a transfer that did not end with a whole response.
typedef enum whittle_curl_outcome {
    WHITTLE_CURL_DONE,
    // should_stop, on_body or read_body said so.
    WHITTLE_CURL_STOPPED,
    WHITTLE_CURL_HOST_UNKNOWN,
    WHITTLE_CURL_NOT_CONNECTED,
    WHITTLE_CURL_TIMED_OUT,
    // The TLS handshake failed, for example because the server does not speak TLS.
    WHITTLE_CURL_TLS_FAILED,
    // The server's certificate is not trusted.
    WHITTLE_CURL_UNTRUSTED,
    // The connection ended before the response did.
    WHITTLE_CURL_CUT,
    WHITTLE_CURL_PROXY_FAILED,
    WHITTLE_CURL_OTHER,
} whittle_curl_outcome;

typedef struct whittle_curl_result {
    whittle_curl_outcome outcome;
    // libcurl's sentence, with a terminating zero; empty where it has none.
    char message[256];
} whittle_curl_result;

// A connection pool and the transfer that runs on it. Not to be used by two threads at once, except for
// whittle_curl_wake.
typedef struct whittle_curl whittle_curl;

// Loads libcurl. NULL when it is there, else why it is not, valid for ever. Safe to call from many threads.
const char *whittle_curl_load(void);

// NULL where libcurl could not be loaded or memory is short.
whittle_curl *whittle_curl_create(void);
void whittle_curl_destroy(whittle_curl *curl);

// Makes one transfer and waits for its end. Redirects are not followed. Connections are kept for the next transfer.
void whittle_curl_perform(whittle_curl *curl, const whittle_curl_request *request, whittle_curl_result *result);

// Makes a running whittle_curl_perform ask should_stop at once. Safe to call from any thread, before
// whittle_curl_destroy.
void whittle_curl_wake(whittle_curl *curl);

#endif
