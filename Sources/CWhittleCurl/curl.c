#define CURL_DISABLE_TYPECHECK
#define CURL_DISABLE_DEPRECATION
#include "CWhittleCurl.h"

#include <curl/curl.h>
#include <dlfcn.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

// The functions of libcurl that are used, found once.
static struct {
    __typeof__(&curl_global_init) global_init;
    __typeof__(&curl_easy_init) easy_init;
    __typeof__(&curl_easy_cleanup) easy_cleanup;
    __typeof__(&curl_easy_reset) easy_reset;
    CURLcode (*easy_setopt)(CURL *, CURLoption, ...);
    CURLcode (*easy_getinfo)(CURL *, CURLINFO, ...);
    __typeof__(&curl_easy_strerror) easy_strerror;
    __typeof__(&curl_multi_init) multi_init;
    __typeof__(&curl_multi_cleanup) multi_cleanup;
    __typeof__(&curl_multi_add_handle) multi_add_handle;
    __typeof__(&curl_multi_remove_handle) multi_remove_handle;
    __typeof__(&curl_multi_perform) multi_perform;
    __typeof__(&curl_multi_poll) multi_poll;
    __typeof__(&curl_multi_wakeup) multi_wakeup;
    __typeof__(&curl_multi_info_read) multi_info_read;
    __typeof__(&curl_multi_strerror) multi_strerror;
    __typeof__(&curl_slist_append) slist_append;
    __typeof__(&curl_slist_free_all) slist_free_all;
} api;

static pthread_once_t load_once = PTHREAD_ONCE_INIT;
static char load_failure[256];

static bool find(void *library, const char *name, void *slot) {
    void *symbol = dlsym(library, name);
    if (symbol == NULL) {
        snprintf(load_failure, sizeof load_failure, "libcurl.so.4 has no %s: it is older than 7.77", name);
        return false;
    }
    memcpy(slot, &symbol, sizeof symbol);
    return true;
}

static void load(void) {
    void *library = dlopen("libcurl.so.4", RTLD_NOW | RTLD_LOCAL);
    if (library == NULL) {
        const char *reason = dlerror();
        snprintf(load_failure, sizeof load_failure, "%s", reason != NULL ? reason : "libcurl.so.4 cannot be loaded");
        return;
    }
    bool found = find(library, "curl_global_init", &api.global_init)
        && find(library, "curl_easy_init", &api.easy_init)
        && find(library, "curl_easy_cleanup", &api.easy_cleanup)
        && find(library, "curl_easy_reset", &api.easy_reset)
        && find(library, "curl_easy_setopt", &api.easy_setopt)
        && find(library, "curl_easy_getinfo", &api.easy_getinfo)
        && find(library, "curl_easy_strerror", &api.easy_strerror)
        && find(library, "curl_multi_init", &api.multi_init)
        && find(library, "curl_multi_cleanup", &api.multi_cleanup)
        && find(library, "curl_multi_add_handle", &api.multi_add_handle)
        && find(library, "curl_multi_remove_handle", &api.multi_remove_handle)
        && find(library, "curl_multi_perform", &api.multi_perform)
        && find(library, "curl_multi_poll", &api.multi_poll)
        && find(library, "curl_multi_wakeup", &api.multi_wakeup)
        && find(library, "curl_multi_info_read", &api.multi_info_read)
        && find(library, "curl_multi_strerror", &api.multi_strerror)
        && find(library, "curl_slist_append", &api.slist_append)
        && find(library, "curl_slist_free_all", &api.slist_free_all);
    if (found && api.global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        snprintf(load_failure, sizeof load_failure, "libcurl.so.4 could not be initialised");
    }
}

const char *whittle_curl_load(void) {
    pthread_once(&load_once, load);
    return load_failure[0] == '\0' ? NULL : load_failure;
}

struct whittle_curl {
    // Owns the connections.
    CURLM *multi;
    CURL *easy;
};

whittle_curl *whittle_curl_create(void) {
    if (whittle_curl_load() != NULL) return NULL;
    whittle_curl *curl = calloc(1, sizeof *curl);
    if (curl == NULL) return NULL;
    curl->multi = api.multi_init();
    curl->easy = api.easy_init();
    if (curl->multi == NULL || curl->easy == NULL) {
        whittle_curl_destroy(curl);
        return NULL;
    }
    return curl;
}

void whittle_curl_destroy(whittle_curl *curl) {
    if (curl == NULL) return;
    if (curl->easy != NULL) api.easy_cleanup(curl->easy);
    if (curl->multi != NULL) api.multi_cleanup(curl->multi);
    free(curl);
}

void whittle_curl_wake(whittle_curl *curl) { api.multi_wakeup(curl->multi); }

static size_t on_header(char *bytes, size_t size, size_t count, void *context) {
    const whittle_curl_request *request = context;
    request->on_header(request->context, bytes, size * count);
    return size * count;
}

static size_t on_body(char *bytes, size_t size, size_t count, void *context) {
    const whittle_curl_request *request = context;
    // Anything but the whole number ends the transfer with CURLE_WRITE_ERROR; no piece is empty.
    return request->on_body(request->context, bytes, size * count) ? size * count : 0;
}

static size_t read_body(char *buffer, size_t size, size_t count, void *context) {
    const whittle_curl_request *request = context;
    ptrdiff_t got = request->read_body(request->context, buffer, size * count);
    return got < 0 ? CURL_READFUNC_ABORT : (size_t)got;
}

static int seek_body(void *context, curl_off_t offset, int origin) {
    const whittle_curl_request *request = context;
    if (offset != 0 || origin != SEEK_SET || request->rewind_body == NULL) return CURL_SEEKFUNC_CANTSEEK;
    return request->rewind_body(request->context) ? CURL_SEEKFUNC_OK : CURL_SEEKFUNC_FAIL;
}

static CURLcode set_security(CURL *easy, const whittle_curl_request *request) {
    CURLcode code = CURLE_OK;
#define SET(option, value) if (code == CURLE_OK) code = api.easy_setopt(easy, option, value)
    if (request->authorities != NULL) {
        struct curl_blob blob = {
            .data = (void *)request->authorities, .len = request->authorities_length, .flags = CURL_BLOB_COPY};
        SET(CURLOPT_CAINFO_BLOB, &blob);
    }
    if (request->client_certificate_file != NULL) SET(CURLOPT_SSLCERT, request->client_certificate_file);
    if (request->client_key_file != NULL) SET(CURLOPT_SSLKEY, request->client_key_file);
    if (request->skips_verification) {
        SET(CURLOPT_SSL_VERIFYPEER, 0L);
        SET(CURLOPT_SSL_VERIFYHOST, 0L);
    }
    SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    if (request->bypasses_proxy) SET(CURLOPT_NOPROXY, "*");
    return code;
}

static CURLcode set_body(CURL *easy, const whittle_curl_request *request) {
    CURLcode code = CURLE_OK;
    SET(CURLOPT_HEADERFUNCTION, on_header);
    SET(CURLOPT_HEADERDATA, request);
    SET(CURLOPT_WRITEFUNCTION, on_body);
    SET(CURLOPT_WRITEDATA, request);
    if (request->read_body != NULL) {
        SET(CURLOPT_UPLOAD, 1L);
        // As with the buffer for reading.
        if (code == CURLE_OK) api.easy_setopt(easy, CURLOPT_UPLOAD_BUFFERSIZE, 512L << 10);
        SET(CURLOPT_INFILESIZE_LARGE, (curl_off_t)request->body_size);
        SET(CURLOPT_READFUNCTION, read_body);
        SET(CURLOPT_READDATA, request);
        SET(CURLOPT_SEEKFUNCTION, seek_body);
        SET(CURLOPT_SEEKDATA, request);
        SET(CURLOPT_CUSTOMREQUEST, request->method);
    } else if (strcmp(request->method, "HEAD") == 0) {
        SET(CURLOPT_NOBODY, 1L);
    } else if (strcmp(request->method, "GET") != 0) {
        SET(CURLOPT_CUSTOMREQUEST, request->method);
    }
    return code;
}

static CURLcode set_options(CURL *easy, const whittle_curl_request *request, struct curl_slist *headers, char *message) {
    CURLcode code = CURLE_OK;
    SET(CURLOPT_ERRORBUFFER, message);
    SET(CURLOPT_URL, request->url);
    SET(CURLOPT_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
    SET(CURLOPT_HTTPHEADER, headers);
    SET(CURLOPT_USERAGENT, request->user_agent);
    if (request->unix_socket != NULL) SET(CURLOPT_UNIX_SOCKET_PATH, request->unix_socket);
    SET(CURLOPT_FOLLOWLOCATION, 0L);
    // Timeouts of name resolution must not use signals: there are other threads.
    SET(CURLOPT_NOSIGNAL, 1L);
    SET(CURLOPT_TCP_KEEPALIVE, 1L);
    SET(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    // Only a wish: a handle whose last transfer failed keeps its buffer and refuses another size.
    if (code == CURLE_OK) api.easy_setopt(easy, CURLOPT_BUFFERSIZE, 256L << 10);
    SET(CURLOPT_HTTP_VERSION, (long)(request->allows_http2 ? CURL_HTTP_VERSION_2TLS : CURL_HTTP_VERSION_1_1));
    SET(CURLOPT_CONNECTTIMEOUT_MS, request->connect_timeout_milliseconds);
    SET(CURLOPT_TIMEOUT_MS, request->total_timeout_milliseconds);
    SET(CURLOPT_LOW_SPEED_LIMIT, request->low_speed_bytes);
    SET(CURLOPT_LOW_SPEED_TIME, request->low_speed_seconds);
    if (code == CURLE_OK) code = set_security(easy, request);
    if (code == CURLE_OK) code = set_body(easy, request);
    return code;
}
#undef SET

// Whether a connection had come about when the time ran out.
static bool was_connected(CURL *easy) {
    curl_off_t microseconds = 0;
    return api.easy_getinfo(easy, CURLINFO_CONNECT_TIME_T, &microseconds) == CURLE_OK && microseconds > 0;
}

static whittle_curl_outcome classify(CURLcode code, CURL *easy) {
    switch (code) {
    case CURLE_OK: return WHITTLE_CURL_DONE;
    case CURLE_WRITE_ERROR:
    case CURLE_ABORTED_BY_CALLBACK: return WHITTLE_CURL_STOPPED;
    case CURLE_COULDNT_RESOLVE_HOST: return WHITTLE_CURL_HOST_UNKNOWN;
    case CURLE_COULDNT_CONNECT: return WHITTLE_CURL_NOT_CONNECTED;
    case CURLE_OPERATION_TIMEDOUT:
        return was_connected(easy) ? WHITTLE_CURL_TIMED_OUT : WHITTLE_CURL_NOT_CONNECTED;
    case CURLE_SSL_CONNECT_ERROR: return WHITTLE_CURL_TLS_FAILED;
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_INVALIDCERTSTATUS: return WHITTLE_CURL_UNTRUSTED;
    case CURLE_PARTIAL_FILE:
    case CURLE_GOT_NOTHING:
    case CURLE_SEND_ERROR:
    case CURLE_SEND_FAIL_REWIND:
    case CURLE_RECV_ERROR:
    case CURLE_HTTP2:
    case CURLE_HTTP2_STREAM: return WHITTLE_CURL_CUT;
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_PROXY: return WHITTLE_CURL_PROXY_FAILED;
    default: return WHITTLE_CURL_OTHER;
    }
}

// Runs the transfer that is set up on `easy`; false where should_stop ended it.
static bool run(whittle_curl *curl, const whittle_curl_request *request, CURLcode *code, CURLMcode *failure) {
    int running = 1;
    while (running > 0) {
        if (request->should_stop(request->context)) return false;
        *failure = api.multi_perform(curl->multi, &running);
        if (*failure != CURLM_OK) return true;
        // A second is an upper bound: data, libcurl's own timers and whittle_curl_wake end the wait before.
        if (running > 0) *failure = api.multi_poll(curl->multi, NULL, 0, 1000, NULL);
        if (*failure != CURLM_OK) return true;
    }
    int left;
    CURLMsg *message;
    while ((message = api.multi_info_read(curl->multi, &left)) != NULL) {
        if (message->msg == CURLMSG_DONE) *code = message->data.result;
    }
    return true;
}

static void perform(whittle_curl *curl, const whittle_curl_request *request, whittle_curl_result *result) {
    memset(result, 0, sizeof *result);
    char message[CURL_ERROR_SIZE] = "";
    struct curl_slist *headers = NULL;
    CURLcode code = CURLE_OK;
    CURLMcode failure = CURLM_OK;
    bool stopped = false;
    for (size_t index = 0; index < request->header_count && code == CURLE_OK; index++) {
        struct curl_slist *longer = api.slist_append(headers, request->headers[index]);
        if (longer == NULL) code = CURLE_OUT_OF_MEMORY;
        else headers = longer;
    }
    api.easy_reset(curl->easy);
    if (code == CURLE_OK) code = set_options(curl->easy, request, headers, message);
    if (code == CURLE_OK) {
        failure = api.multi_add_handle(curl->multi, curl->easy);
        if (failure == CURLM_OK) {
            stopped = !run(curl, request, &code, &failure);
            api.multi_remove_handle(curl->multi, curl->easy);
        }
    }
    result->outcome = stopped ? WHITTLE_CURL_STOPPED
        : failure != CURLM_OK  ? WHITTLE_CURL_OTHER
                               : classify(code, curl->easy);
    // The options point to memory of this call.
    api.easy_reset(curl->easy);
    api.slist_free_all(headers);
    if (result->outcome == WHITTLE_CURL_DONE || result->outcome == WHITTLE_CURL_STOPPED) return;
    const char *text = message[0] != '\0' ? message
        : failure != CURLM_OK             ? api.multi_strerror(failure)
                                          : api.easy_strerror(code);
    snprintf(result->message, sizeof result->message, "%s", text);
}

void whittle_curl_perform(whittle_curl *curl, const whittle_curl_request *request, whittle_curl_result *result) {
    // With CURLOPT_NOSIGNAL libcurl leaves SIGPIPE to its caller: a TLS library that writes to a closed connection must
    // not end the process. It stays blocked for this thread during the transfer, and one that came is taken away.
    sigset_t pipe_signal, pending, before;
    sigemptyset(&pipe_signal);
    sigaddset(&pipe_signal, SIGPIPE);
    bool was_pending = sigpending(&pending) == 0 && sigismember(&pending, SIGPIPE) == 1;
    pthread_sigmask(SIG_BLOCK, &pipe_signal, &before);
    perform(curl, request, result);
    if (!was_pending) {
        struct timespec no_wait = {0, 0};
        sigtimedwait(&pipe_signal, NULL, &no_wait);
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}
