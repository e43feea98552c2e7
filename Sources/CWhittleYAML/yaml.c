#include "CWhittleYAML.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

// The functions of libyaml that are used, found once.
static struct {
    __typeof__(&yaml_parser_initialize) initialize;
    __typeof__(&yaml_parser_set_input_string) set_input;
    __typeof__(&yaml_parser_parse) parse;
    __typeof__(&yaml_event_delete) event_delete;
    __typeof__(&yaml_parser_delete) parser_delete;
} api;

static pthread_once_t load_once = PTHREAD_ONCE_INIT;
static char load_failure[256];

static bool find(void *library, const char *name, void *slot) {
    void *symbol = dlsym(library, name);
    if (symbol == NULL) {
        snprintf(load_failure, sizeof load_failure, "libyaml-0.so.2 has no %s", name);
        return false;
    }
    memcpy(slot, &symbol, sizeof symbol);
    return true;
}

static void load(void) {
    void *library = dlopen("libyaml-0.so.2", RTLD_NOW | RTLD_LOCAL);
    if (library == NULL) {
        const char *reason = dlerror();
        snprintf(load_failure, sizeof load_failure, "%s", reason != NULL ? reason : "libyaml-0.so.2 cannot be loaded");
        return;
    }
    // Short-circuit: the first that is missing is named.
    (void)(find(library, "yaml_parser_initialize", &api.initialize)
        && find(library, "yaml_parser_set_input_string", &api.set_input)
        && find(library, "yaml_parser_parse", &api.parse)
        && find(library, "yaml_event_delete", &api.event_delete)
        && find(library, "yaml_parser_delete", &api.parser_delete));
}

const char *whittle_yaml_load(void) {
    pthread_once(&load_once, load);
    return load_failure[0] == '\0' ? NULL : load_failure;
}

struct whittle_yaml {
    yaml_parser_t parser;
    // The one that was handed out last.
    yaml_event_t event;
    bool has_event;
};

whittle_yaml *whittle_yaml_create(const unsigned char *bytes, size_t count) {
    if (whittle_yaml_load() != NULL) return NULL;
    whittle_yaml *yaml = calloc(1, sizeof *yaml);
    if (yaml == NULL) return NULL;
    if (!api.initialize(&yaml->parser)) {
        free(yaml);
        return NULL;
    }
    api.set_input(&yaml->parser, bytes, count);
    return yaml;
}

void whittle_yaml_destroy(whittle_yaml *yaml) {
    if (yaml == NULL) return;
    if (yaml->has_event) api.event_delete(&yaml->event);
    api.parser_delete(&yaml->parser);
    free(yaml);
}

static void fail(const yaml_parser_t *parser, whittle_yaml_event *event) {
    event->kind = WHITTLE_YAML_FAILED;
    event->text = parser->problem != NULL ? parser->problem : "out of memory";
    event->length = strlen(event->text);
    // Errors of the reader have no mark, only an offset: that of the mark is where it had got to.
    yaml_mark_t mark = parser->problem != NULL && parser->error != YAML_READER_ERROR ? parser->problem_mark : parser->mark;
    event->line = event->end_line = mark.line;
    event->column = event->end_column = mark.column;
}

void whittle_yaml_next(whittle_yaml *yaml, whittle_yaml_event *event) {
    memset(event, 0, sizeof *event);
    if (yaml->has_event) {
        api.event_delete(&yaml->event);
        yaml->has_event = false;
    }
    if (!api.parse(&yaml->parser, &yaml->event)) {
        fail(&yaml->parser, event);
        return;
    }
    yaml->has_event = true;
    event->line = yaml->event.start_mark.line;
    event->column = yaml->event.start_mark.column;
    event->end_line = yaml->event.end_mark.line;
    event->end_column = yaml->event.end_mark.column;
    switch (yaml->event.type) {
    case YAML_STREAM_END_EVENT: event->kind = WHITTLE_YAML_END; break;
    case YAML_DOCUMENT_START_EVENT: event->kind = WHITTLE_YAML_DOCUMENT; break;
    case YAML_SCALAR_EVENT:
        event->kind = WHITTLE_YAML_SCALAR;
        event->text = (const char *)yaml->event.data.scalar.value;
        event->length = yaml->event.data.scalar.length;
        event->anchor = (const char *)yaml->event.data.scalar.anchor;
        event->tag = (const char *)yaml->event.data.scalar.tag;
        event->is_plain = yaml->event.data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
        break;
    case YAML_SEQUENCE_START_EVENT:
        event->kind = WHITTLE_YAML_SEQUENCE;
        event->anchor = (const char *)yaml->event.data.sequence_start.anchor;
        event->tag = (const char *)yaml->event.data.sequence_start.tag;
        break;
    case YAML_SEQUENCE_END_EVENT: event->kind = WHITTLE_YAML_SEQUENCE_END; break;
    case YAML_MAPPING_START_EVENT:
        event->kind = WHITTLE_YAML_MAPPING;
        event->anchor = (const char *)yaml->event.data.mapping_start.anchor;
        event->tag = (const char *)yaml->event.data.mapping_start.tag;
        break;
    case YAML_MAPPING_END_EVENT: event->kind = WHITTLE_YAML_MAPPING_END; break;
    case YAML_ALIAS_EVENT:
        event->kind = WHITTLE_YAML_ALIAS;
        event->anchor = (const char *)yaml->event.data.alias.anchor;
        break;
    default: event->kind = WHITTLE_YAML_OTHER; break;
    }
}
