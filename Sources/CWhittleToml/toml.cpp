#define TOML_HEADER_ONLY 1
#define TOML_EXCEPTIONS 0
#define TOML_ENABLE_UNRELEASED_FEATURES 0
#include <toml++/toml.h>

#include "CWhittleToml.h"

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <sstream>
#include <string>
#include <string_view>

namespace {

void write_string(std::string &out, std::string_view text) {
    out += '"';
    for (char character : text) {
        auto byte = static_cast<unsigned char>(character);
        if (character == '"' || character == '\\') {
            out += '\\';
            out += character;
        } else if (byte < 0x20) {
            char escape[8];
            std::snprintf(escape, sizeof escape, "\\u%04x", static_cast<unsigned>(byte));
            out += escape;
        } else {
            out += character;
        }
    }
    out += '"';
}

// toml++ bounds the nesting of what it reads (TOML_MAX_NESTED_VALUES, 256), so this recursion is bounded too.
void write(std::string &out, const toml::node &node) {
    if (const auto *table = node.as_table()) {
        out += '{';
        bool first = true;
        for (const auto &[key, value] : *table) {
            if (!first) out += ',';
            first = false;
            write_string(out, std::string_view(key));
            out += ':';
            write(out, value);
        }
        out += '}';
    } else if (const auto *array = node.as_array()) {
        out += '[';
        bool first = true;
        for (const auto &value : *array) {
            if (!first) out += ',';
            first = false;
            write(out, value);
        }
        out += ']';
    } else if (const auto *string = node.as_string()) {
        write_string(out, string->get());
    } else if (const auto *integer = node.as_integer()) {
        out += std::to_string(integer->get());
    } else if (const auto *boolean = node.as_boolean()) {
        out += boolean->get() ? "true" : "false";
    } else if (const auto *number = node.as_floating_point()) {
        char text[40];
        std::snprintf(text, sizeof text, "%.17g", number->get());
        if (std::isfinite(number->get())) out += text;
        else write_string(out, text);
    } else {
        std::ostringstream text;
        if (const auto *date = node.as_date()) text << date->get();
        else if (const auto *time = node.as_time()) text << time->get();
        else if (const auto *moment = node.as_date_time()) text << moment->get();
        write_string(out, text.str());
    }
}

void fail(whittle_toml_result *result, std::string_view message) {
    auto length = std::min(message.size(), sizeof result->message - 1);
    std::memcpy(result->message, message.data(), length);
    result->message[length] = '\0';
}

}  // namespace

extern "C" void whittle_toml_parse(const char *text, size_t length, whittle_toml_result *result) {
    *result = whittle_toml_result{};
    try {
        auto parsed = toml::parse(std::string_view(text, length));
        if (!parsed) {
            result->line = static_cast<unsigned>(parsed.error().source().begin.line);
            result->column = static_cast<unsigned>(parsed.error().source().begin.column);
            fail(result, parsed.error().description());
            return;
        }
        std::string out;
        write(out, parsed.table());
        result->json = static_cast<char *>(std::malloc(out.size() + 1));
        if (result->json == nullptr) {
            fail(result, "out of memory");
            return;
        }
        std::memcpy(result->json, out.c_str(), out.size() + 1);
        result->json_length = out.size();
    } catch (const std::exception &error) {
        // toml++ throws nothing here, but the standard library may (std::bad_alloc).
        fail(result, error.what());
    } catch (...) {
        fail(result, "unknown failure");
    }
}

extern "C" void whittle_toml_free(whittle_toml_result *result) {
    std::free(result->json);
    result->json = nullptr;
}
