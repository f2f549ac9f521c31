#include "cphone.h"

#include <phonenumbers/phonenumberutil.h>

#include <cstring>
#include <string>

using i18n::phonenumbers::PhoneNumber;
using i18n::phonenumbers::PhoneNumberUtil;

extern "C" cphone_verdict cphone_e164(const char *text, size_t length, const char *region, char *out,
                                      size_t out_size) {
    if (out_size == 0) return CPHONE_TOO_LONG;
    out[0] = 0;
    // An exception must not cross into Swift: it would end the process.
    try {
        const PhoneNumberUtil &util = *PhoneNumberUtil::GetInstance();
        PhoneNumber number;
        if (util.Parse(std::string(text, length), region, &number) != PhoneNumberUtil::NO_PARSING_ERROR)
            return CPHONE_NOT_A_NUMBER;
        if (!util.IsValidNumber(number)) return CPHONE_IMPOSSIBLE;
        // E.164 leaves an extension out.
        std::string formatted;
        util.Format(number, PhoneNumberUtil::E164, &formatted);
        if (formatted.size() + 1 > out_size) return CPHONE_TOO_LONG;
        std::memcpy(out, formatted.c_str(), formatted.size() + 1);
        return CPHONE_VALID;
    } catch (...) {
        return CPHONE_NOT_A_NUMBER;
    }
}
