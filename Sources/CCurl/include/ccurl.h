#ifndef CCURL_H
#define CCURL_H

#include <curl/curl.h>
#include <stddef.h>
#include <stdio.h>

/* What Swift cannot call of libcurl itself: variadic functions, and callbacks with awkward types. */

CURLcode ccurl_set_long(CURL *easy, CURLoption option, long value);
CURLcode ccurl_set_offset(CURL *easy, CURLoption option, curl_off_t value);
/* libcurl copies the text. */
CURLcode ccurl_set_text(CURL *easy, CURLoption option, const char *value);
/* Where libcurl writes what went wrong: CURL_ERROR_SIZE bytes, which must live as long as the transfer. */
CURLcode ccurl_set_errors(CURL *easy, char *buffer);
/* libcurl copies the bytes. */
CURLcode ccurl_set_body(CURL *easy, const void *bytes, size_t count);
/* Sends `count` bytes of the open file, which must live as long as the transfer. */
CURLcode ccurl_set_file(CURL *easy, FILE *file, curl_off_t count);
/* The list must live as long as the transfer. */
CURLcode ccurl_set_list(CURL *easy, CURLoption option, struct curl_slist *list);
CURLMcode ccurl_multi_set_long(CURLM *multi, CURLMoption option, long value);
CURLcode ccurl_get_long(CURL *easy, CURLINFO info, long *value);
CURLcode ccurl_get_offset(CURL *easy, CURLINFO info, curl_off_t *value);

/* Takes bytes of the answer; anything but their count ends the transfer. */
typedef size_t (*ccurl_take)(char *bytes, size_t size, size_t count, void *context);
/* Judges an address before a socket to it is opened: 0 refuses it. `address` is 4 or 16 bytes in network order. */
typedef int (*ccurl_judge)(void *context, const unsigned char *address, size_t length);
/* Called with the peer's address in text just before a request goes out on a new or reused connection: 0 stops it. */
typedef int (*ccurl_before_request)(void *context, const char *peer);

struct ccurl_handlers {
    ccurl_take body;
    ccurl_take header;
    ccurl_judge judge;
    ccurl_before_request before_request;
    void *context;
};

/* `handlers` must live as long as the transfer. */
CURLcode ccurl_set_handlers(CURL *easy, struct ccurl_handlers *handlers);

#endif
