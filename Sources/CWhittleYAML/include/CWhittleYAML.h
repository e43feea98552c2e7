// The events of a YAML document through libyaml, which is loaded only when the first document is read, so that programs
// which read none do not pay for it at start-up.
#ifndef CWHITTLEYAML_H
#define CWHITTLEYAML_H

#include <stdbool.h>
#include <stddef.h>

// NULL when libyaml is there, else why it is not.
const char *whittle_yaml_load(void);

typedef enum {
    // Of the stream and of documents: nothing to do.
    WHITTLE_YAML_OTHER,
    WHITTLE_YAML_DOCUMENT,
    WHITTLE_YAML_END,
    WHITTLE_YAML_SCALAR,
    WHITTLE_YAML_SEQUENCE,
    WHITTLE_YAML_SEQUENCE_END,
    WHITTLE_YAML_MAPPING,
    WHITTLE_YAML_MAPPING_END,
    WHITTLE_YAML_ALIAS,
    WHITTLE_YAML_FAILED,
} whittle_yaml_kind;

// Strings are valid until the next call.
typedef struct {
    whittle_yaml_kind kind;
    // The value of a scalar; what is wrong, where the document is.
    const char *text;
    size_t length;
    // That of an alias, or NULL.
    const char *anchor;
    // NULL where none is written.
    const char *tag;
    // A scalar without quotes.
    bool is_plain;
    // Counted from 0; columns in characters.
    size_t line, column, end_line, end_column;
} whittle_yaml_event;

typedef struct whittle_yaml whittle_yaml;

// `bytes` has to stay until whittle_yaml_destroy. NULL where memory is short, or libyaml is not there.
whittle_yaml *whittle_yaml_create(const unsigned char *bytes, size_t count);

// The next event; after WHITTLE_YAML_END and WHITTLE_YAML_FAILED there is none.
void whittle_yaml_next(whittle_yaml *yaml, whittle_yaml_event *event);

void whittle_yaml_destroy(whittle_yaml *yaml);

#endif
