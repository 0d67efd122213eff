#pragma once

// A TOML document as a flat list of nodes, each with its place in the source.
// C alone in the interface; toml++ inside.

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum ctoml_kind {
    CTOML_TABLE = 1,
    CTOML_ARRAY = 2,
    CTOML_STRING = 3,
    CTOML_INTEGER = 4,
    CTOML_FLOAT = 5,
    CTOML_BOOLEAN = 6,
    CTOML_DATE_TIME = 7,
};

struct ctoml_node {
    enum ctoml_kind kind;
    // From 1; where the key stands for a member of a table, where the value stands for an element
    // of an array.
    uint32_t line;
    uint32_t column;
    // Not terminated; empty for elements of arrays. Owned by the document.
    const char *key;
    size_t key_length;
    const char *text;
    size_t text_length;
    int64_t integer;
    double floating;
    bool boolean;
    // Members and elements follow their parent, depth first: how many nodes belong to this one,
    // itself excluded.
    size_t descendants;
};

struct ctoml_document;

// Never null, unless memory is short. A document that cannot be read has an error and no nodes.
struct ctoml_document *ctoml_parse(const char *bytes, size_t length);
void ctoml_free(struct ctoml_document *document);

// Node 0 is the root table.
size_t ctoml_node_count(const struct ctoml_document *document);
const struct ctoml_node *ctoml_nodes(const struct ctoml_document *document);

// Null where the document was read; else the parser's words, with their place.
const char *ctoml_error(const struct ctoml_document *document, uint32_t *line, uint32_t *column);

#ifdef __cplusplus
}
#endif
