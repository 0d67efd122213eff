#define _GNU_SOURCE
#include "connection.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

static int connect_to(const char *address) {
    char host[64];
    const char *colon = strrchr(address, ':');
    if (!colon || (size_t)(colon - address) >= sizeof host) die("an address looks like 127.0.0.1:8080");
    memcpy(host, address, (size_t)(colon - address));
    host[colon - address] = 0;
    struct sockaddr_in peer = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(colon + 1))};
    if (inet_pton(AF_INET, host, &peer.sin_addr) != 1) die("not an IPv4 address: %s", host);
    int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (descriptor < 0 || connect(descriptor, (struct sockaddr *)&peer, sizeof peer) < 0)
        die("connect to %s: %s", address, strerror(errno));
    int on = 1;
    setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return descriptor;
}

static const char filling[] =
    "The quick brown fox jumps over the lazy dog and packs five dozen liquor jugs with it, then does the "
    "same again until the text is long enough for a fair test of the whole way from a client to a disk.";

/* The request is made once; only the digits of its number and time change from send to send. */
static void make_request(struct connection *connection, const struct options *options, int index) {
    char body[1024], group[64] = "";
    int fill = options->description;
    if (fill < 0 || fill > (int)sizeof filling - 1) die("0 to %zu bytes of filling", sizeof filling - 1);
    int length = snprintf(
        body, sizeof body,
        "{\"title\": \"bench task\", \"description\": \"bench %0*d %0*d %.*s\", \"priority\": \"low\"}",
        NUMBER_DIGITS, 0, STAMP_DIGITS, 0, fill, filling);
    if (options->groups > 0)
        snprintf(group, sizeof group, "Taskq-Group: group-%d\r\n", index % options->groups);
    int total = asprintf(
        &connection->request,
        "POST %s HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\n%sContent-Length: %d\r\n\r\n%s",
        options->path, options->address, group, length, body);
    if (total < 0) die("out of memory");
    connection->request_length = (size_t)total;
    connection->number = strstr(connection->request, "bench 0") + 6;
    connection->stamp = connection->number + NUMBER_DIGITS + 1;
}

struct connection *connections_open(const struct options *options, int epoll) {
    struct connection *connections = calloc((size_t)options->connections, sizeof *connections);
    if (!connections) die("out of memory");
    for (int index = 0; index < options->connections; index++) {
        struct connection *connection = &connections[index];
        connection->descriptor = connect_to(options->address);
        make_request(connection, options, index);
        struct epoll_event event = {.events = EPOLLIN, .data.u32 = (uint32_t)index};
        if (epoll_ctl(epoll, EPOLL_CTL_ADD, connection->descriptor, &event) < 0) die("epoll_ctl");
    }
    return connections;
}

static void write_digits(char *place, int width, uint64_t value) {
    for (int digit = width - 1; digit >= 0; digit--) {
        place[digit] = (char)('0' + value % 10);
        value /= 10;
    }
}

void connection_send(struct connection *connection, uint64_t number, uint64_t at) {
    write_digits(connection->number, NUMBER_DIGITS, number);
    write_digits(connection->stamp, STAMP_DIGITS, at);
    connection->sent_at = at;
    connection->busy = true;
    connection->received = 0;
    size_t length = connection->request_length;
    ssize_t sent = send(connection->descriptor, connection->request, length, MSG_NOSIGNAL);
    if (sent != (ssize_t)length) die("send: %s", sent < 0 ? strerror(errno) : "cut short");
}

/* Bytes of the body as the header says; 0 without one. */
static size_t content_length(const char *head, const char *end) {
    for (const char *line = head; line < end;) {
        if (strncasecmp(line, "content-length:", 15) == 0) return strtoul(line + 15, NULL, 10);
        line = memchr(line, '\n', (size_t)(end - line));
        if (!line) break;
        line++;
    }
    return 0;
}

bool connection_receive(struct connection *connection) {
    size_t room = sizeof connection->response - 1 - connection->received;
    if (room == 0) die("a response of more than %zu bytes", sizeof connection->response);
    char *place = connection->response + connection->received;
    ssize_t count = recv(connection->descriptor, place, room, MSG_DONTWAIT);
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) return false;
    if (count <= 0) die("the server closed a connection: %s", count < 0 ? strerror(errno) : "end of file");
    connection->received += (size_t)count;
    connection->response[connection->received] = 0;
    char *end = strstr(connection->response, "\r\n\r\n");
    if (!end) return false;
    size_t length = (size_t)(end + 4 - connection->response) + content_length(connection->response, end);
    if (connection->received < length) return false;
    if (strncmp(connection->response, "HTTP/1.1 201", 12) != 0) die("not 201:\n%s", connection->response);
    connection->busy = false;
    return true;
}
