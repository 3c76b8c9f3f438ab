// Debian builds libxml2.a with ICU: 31 MB of tables for encodings. libvirt speaks UTF-8, so every
// converter is answered with "not available". <unicode/ucnv.h> renames these names as in libxml2.a.
#include <stddef.h>
#include <unicode/ucnv.h>
#include <unicode/ucnv_err.h>

UConverter* ucnv_open(const char*, UErrorCode* error) {
  *error = U_FILE_ACCESS_ERROR;
  return NULL;
}
void ucnv_close(UConverter*) {}
void ucnv_convertEx(UConverter*, UConverter*, char**, const char*, const char**, const char*,
                    UChar*, UChar**, UChar**, const UChar*, UBool, UBool, UErrorCode* error) {
  *error = U_UNSUPPORTED_ERROR;
}
void ucnv_setToUCallBack(UConverter*, UConverterToUCallback, const void*, UConverterToUCallback*,
                         const void**, UErrorCode* error) {
  *error = U_UNSUPPORTED_ERROR;
}
void ucnv_setFromUCallBack(UConverter*, UConverterFromUCallback, const void*,
                           UConverterFromUCallback*, const void**, UErrorCode* error) {
  *error = U_UNSUPPORTED_ERROR;
}
void UCNV_TO_U_CALLBACK_STOP(const void*, UConverterToUnicodeArgs*, const char*, int32_t,
                             UConverterCallbackReason, UErrorCode* error) {
  *error = U_UNSUPPORTED_ERROR;
}
void UCNV_FROM_U_CALLBACK_STOP(const void*, UConverterFromUnicodeArgs*, const UChar*, int32_t,
                               UChar32, UConverterCallbackReason, UErrorCode* error) {
  *error = U_UNSUPPORTED_ERROR;
}
