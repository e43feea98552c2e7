// TOML through toml++, as JSON text.
#ifndef CWHITTLETOML_H
#define CWHITTLETOML_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct whittle_toml_result {
    // The document as JSON, or NULL where it is no TOML. To be freed with whittle_toml_free.
    char *json;
    size_t json_length;
    // Where and why reading failed, both counted from 1; 0 where the place is unknown.
    unsigned line;
    unsigned column;
    char message[256];
} whittle_toml_result;

// Parses TOML 1.0. Dates and times become strings, as do infinities and NaN. Never throws.
void whittle_toml_parse(const char *text, size_t length, whittle_toml_result *result);
void whittle_toml_free(whittle_toml_result *result);

#ifdef __cplusplus
}
#endif

#endif
