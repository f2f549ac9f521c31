// A C door to libphonenumber, which is C++ only.
#ifndef KONTOR_CPHONE_H
#define KONTOR_CPHONE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// What cphone_e164 made of a text.
enum cphone_verdict {
    CPHONE_VALID = 0,      // a number that can be dialled; out holds it in E.164
    CPHONE_IMPOSSIBLE = 1, // reads as a number, but no such number exists; out is empty
    CPHONE_NOT_A_NUMBER = 2,
    CPHONE_TOO_LONG = 3 // the answer does not fit out_size
};

// Reads a phone number and writes it in E.164 form ("+48221234567"), ended by a zero byte.
// text, length: UTF-8, need not end in zero. region: ISO 3166 alpha-2 country of numbers written
// without a country code, ended by a zero byte; "ZZ" for none. Safe to call from any thread.
enum cphone_verdict cphone_e164(const char *text, size_t length, const char *region, char *out, size_t out_size);

#ifdef __cplusplus
}
#endif

#endif
