// Debian builds libgnutls.a with p11-kit, which has no .a. Ballast talks to libvirtd without
// PKCS#11 tokens, so each of these calls is answered with "not available".
#include <p11-kit/p11-kit.h>
#include <p11-kit/pin.h>
#include <p11-kit/uri.h>
#include <stddef.h>

// Modules
CK_FUNCTION_LIST** p11_kit_modules_load(const char*, int) { return NULL; }
CK_FUNCTION_LIST* p11_kit_module_load(const char*, int) { return NULL; }
CK_RV p11_kit_module_finalize(CK_FUNCTION_LIST*) { return CKR_GENERAL_ERROR; }
void p11_kit_module_release(CK_FUNCTION_LIST*) {}
char* p11_kit_module_get_name(CK_FUNCTION_LIST*) { return NULL; }
int p11_kit_module_get_flags(CK_FUNCTION_LIST*) { return 0; }
char* p11_kit_config_option(CK_FUNCTION_LIST*, const char*) { return NULL; }
const char* p11_kit_strerror(CK_RV) { return "PKCS#11 is not available in this static build"; }
const char* p11_kit_message(void) { return NULL; }
size_t p11_kit_space_strlen(const unsigned char*, size_t) { return 0; }
char* p11_kit_space_strdup(const unsigned char*, size_t) { return NULL; }

// URIs
P11KitUri* p11_kit_uri_new(void) { return NULL; }
void p11_kit_uri_free(P11KitUri*) {}
int p11_kit_uri_parse(const char*, P11KitUriType, P11KitUri*) { return P11_KIT_URI_UNEXPECTED; }
int p11_kit_uri_format(P11KitUri*, P11KitUriType, char**) { return P11_KIT_URI_UNEXPECTED; }
CK_INFO_PTR p11_kit_uri_get_module_info(P11KitUri*) { return NULL; }
CK_TOKEN_INFO_PTR p11_kit_uri_get_token_info(P11KitUri*) { return NULL; }
int p11_kit_uri_match_module_info(const P11KitUri*, const CK_INFO*) { return 0; }
int p11_kit_uri_match_token_info(const P11KitUri*, const CK_TOKEN_INFO*) { return 0; }
CK_ATTRIBUTE_PTR p11_kit_uri_get_attribute(P11KitUri*, CK_ATTRIBUTE_TYPE) { return NULL; }
CK_ATTRIBUTE_PTR p11_kit_uri_get_attributes(P11KitUri*, CK_ULONG_PTR count) {
  if (count) *count = 0;
  return NULL;
}
int p11_kit_uri_set_attribute(P11KitUri*, CK_ATTRIBUTE_PTR) { return P11_KIT_URI_UNEXPECTED; }
const char* p11_kit_uri_get_pin_value(const P11KitUri*) { return NULL; }
const char* p11_kit_uri_get_pin_source(const P11KitUri*) { return NULL; }

// PINs
P11KitPin* p11_kit_pin_new_for_string(const char*) { return NULL; }
P11KitPin* p11_kit_pin_file_callback(const char*, P11KitUri*, const char*, P11KitPinFlags, void*) {
  return NULL;
}
P11KitPin* p11_kit_pin_request(const char*, P11KitUri*, const char*, P11KitPinFlags) {
  return NULL;
}
void p11_kit_pin_unref(P11KitPin*) {}
const unsigned char* p11_kit_pin_get_value(P11KitPin*, size_t* length) {
  if (length) *length = 0;
  return NULL;
}
size_t p11_kit_pin_get_length(P11KitPin*) { return 0; }
int p11_kit_pin_register_callback(const char*, p11_kit_pin_callback, void*,
                                  p11_kit_pin_destroy_func) {
  return -1;
}
void p11_kit_pin_unregister_callback(const char*, p11_kit_pin_callback, void*) {}
