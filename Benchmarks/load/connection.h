#pragma once
#include "load.h"

#include <stddef.h>
#include <stdbool.h>

/* One keep-alive connection with at most one request under way. */
struct connection {
    int descriptor;
    bool busy;
    uint64_t sent_at; /* when the request went out, or was due in an open loop */
    char *request;
    size_t request_length;
    char *number; /* where the ten digits of the task's number stand in the request */
    char *stamp;  /* where the twenty digits of its time stand */
    size_t received;
    char response[16384];
};

/* Widths of the two numbers in a description "bench NUMBER STAMP xxx…": fixed, to be written in place. */
enum { NUMBER_DIGITS = 10, STAMP_DIGITS = 20 };

/* Connects all of them, non-blocking, and adds each to the epoll instance with its index as data. */
struct connection *connections_open(const struct options *options, int epoll);

/* Sends the task with that number. Requests are far smaller than a socket buffer: a short write is fatal. */
void connection_send(struct connection *connection, uint64_t number, uint64_t at);

/* Reads what came. True when the response is complete; anything but 201 ends the program with its text. */
bool connection_receive(struct connection *connection);
