#define _GNU_SOURCE
#include "ccurl.h"

#include <netinet/in.h>
#include <sys/socket.h>

CURLcode ccurl_set_long(CURL *easy, CURLoption option, long value) { return curl_easy_setopt(easy, option, value); }

CURLcode ccurl_set_offset(CURL *easy, CURLoption option, curl_off_t value) {
    return curl_easy_setopt(easy, option, value);
}

CURLcode ccurl_set_text(CURL *easy, CURLoption option, const char *value) {
    return curl_easy_setopt(easy, option, value);
}

CURLcode ccurl_set_errors(CURL *easy, char *buffer) { return curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, buffer); }

CURLcode ccurl_set_body(CURL *easy, const void *bytes, size_t count) {
    CURLcode done = curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)count);
    if (done != CURLE_OK) return done;
    return curl_easy_setopt(easy, CURLOPT_COPYPOSTFIELDS, count == 0 ? "" : bytes);
}

CURLcode ccurl_set_file(CURL *easy, FILE *file, curl_off_t count) {
    CURLcode done = curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L);
    if (done == CURLE_OK) done = curl_easy_setopt(easy, CURLOPT_READDATA, file);
    if (done == CURLE_OK) done = curl_easy_setopt(easy, CURLOPT_INFILESIZE_LARGE, count);
    return done;
}

CURLcode ccurl_set_list(CURL *easy, CURLoption option, struct curl_slist *list) {
    return curl_easy_setopt(easy, option, list);
}

CURLMcode ccurl_multi_set_long(CURLM *multi, CURLMoption option, long value) {
    return curl_multi_setopt(multi, option, value);
}

CURLcode ccurl_get_long(CURL *easy, CURLINFO info, long *value) { return curl_easy_getinfo(easy, info, value); }

CURLcode ccurl_get_offset(CURL *easy, CURLINFO info, curl_off_t *value) {
    return curl_easy_getinfo(easy, info, value);
}

static int is_allowed(const struct ccurl_handlers *handlers, const struct sockaddr *address) {
    switch (address->sa_family) {
    case AF_INET: {
        const struct sockaddr_in *v4 = (const struct sockaddr_in *)address;
        return handlers->judge(handlers->context, (const unsigned char *)&v4->sin_addr, 4);
    }
    case AF_INET6: {
        const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)address;
        return handlers->judge(handlers->context, (const unsigned char *)&v6->sin6_addr, 16);
    }
    default:
        return 0;
    }
}

static curl_socket_t open_socket(void *context, curlsocktype purpose, struct curl_sockaddr *address) {
    if (purpose != CURLSOCKTYPE_IPCXN || !is_allowed(context, &address->addr)) return CURL_SOCKET_BAD;
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

static int before_request(void *context, char *peer, char *local, int peer_port, int local_port) {
    const struct ccurl_handlers *handlers = context;
    (void)local;
    (void)peer_port;
    (void)local_port;
    return handlers->before_request(handlers->context, peer) ? CURL_PREREQFUNC_OK : CURL_PREREQFUNC_ABORT;
}

CURLcode ccurl_set_handlers(CURL *easy, struct ccurl_handlers *handlers) {
    CURLcode done = CURLE_OK;
#define SET(option, value) if (done == CURLE_OK) done = curl_easy_setopt(easy, option, value)
    SET(CURLOPT_WRITEFUNCTION, handlers->body);
    SET(CURLOPT_WRITEDATA, handlers->context);
    SET(CURLOPT_HEADERFUNCTION, handlers->header);
    SET(CURLOPT_HEADERDATA, handlers->context);
    SET(CURLOPT_OPENSOCKETFUNCTION, open_socket);
    SET(CURLOPT_OPENSOCKETDATA, handlers);
    SET(CURLOPT_PREREQFUNCTION, before_request);
    SET(CURLOPT_PREREQDATA, handlers);
#undef SET
    return done;
}
