#define TOML_EXCEPTIONS 0
#define TOML_HEADER_ONLY 1
#define TOML_ENABLE_FORMATTERS 0

#include "CToml.h"

#include <new>
#include <string>
#include <toml++/toml.h>
#include <vector>

struct ctoml_document {
    toml::table root;
    std::vector<ctoml_node> nodes;
    bool failed = false;
    std::string error;
    uint32_t error_line = 0;
    uint32_t error_column = 0;
};

namespace {

void append(ctoml_document &document, const toml::node &value, const toml::key *key);

void append_members(ctoml_document &document, const toml::node &value) {
    if (const toml::table *table = value.as_table()) {
        for (const auto &[key, member] : *table) append(document, member, &key);
    } else if (const toml::array *array = value.as_array()) {
        for (const toml::node &element : *array) append(document, element, nullptr);
    }
}

void fill_value(ctoml_node &node, const toml::node &value) {
    switch (value.type()) {
    case toml::node_type::table: node.kind = CTOML_TABLE; break;
    case toml::node_type::array: node.kind = CTOML_ARRAY; break;
    case toml::node_type::string:
        node.kind = CTOML_STRING;
        node.text = value.as_string()->get().data();
        node.text_length = value.as_string()->get().size();
        break;
    case toml::node_type::integer:
        node.kind = CTOML_INTEGER;
        node.integer = value.as_integer()->get();
        break;
    case toml::node_type::floating_point:
        node.kind = CTOML_FLOAT;
        node.floating = value.as_floating_point()->get();
        break;
    case toml::node_type::boolean:
        node.kind = CTOML_BOOLEAN;
        node.boolean = value.as_boolean()->get();
        break;
    default: node.kind = CTOML_DATE_TIME; break;
    }
}

void append(ctoml_document &document, const toml::node &value, const toml::key *key) {
    ctoml_node node = {};
    fill_value(node, value);
    toml::source_position place = key ? key->source().begin : value.source().begin;
    node.line = place.line;
    node.column = place.column;
    if (key) {
        node.key = key->data();
        node.key_length = key->length();
    }
    size_t index = document.nodes.size();
    document.nodes.push_back(node);
    append_members(document, value);
    document.nodes[index].descendants = document.nodes.size() - index - 1;
}

} // namespace

extern "C" struct ctoml_document *ctoml_parse(const char *bytes, size_t length) {
    auto *document = new (std::nothrow) ctoml_document;
    if (!document) return nullptr;
    toml::parse_result result = toml::parse(std::string_view(bytes, length));
    if (!result) {
        document->failed = true;
        document->error = std::string(result.error().description());
        document->error_line = result.error().source().begin.line;
        document->error_column = result.error().source().begin.column;
        return document;
    }
    document->root = std::move(result).table();
    append(*document, document->root, nullptr);
    return document;
}

extern "C" void ctoml_free(struct ctoml_document *document) {
    delete document;
}

extern "C" size_t ctoml_node_count(const struct ctoml_document *document) {
    return document->nodes.size();
}

extern "C" const struct ctoml_node *ctoml_nodes(const struct ctoml_document *document) {
    return document->nodes.data();
}

extern "C" const char *ctoml_error(const struct ctoml_document *document, uint32_t *line, uint32_t *column) {
    if (!document->failed) return nullptr;
    *line = document->error_line;
    *column = document->error_column;
    return document->error.c_str();
}
