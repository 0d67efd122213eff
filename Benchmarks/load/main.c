#include "load.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>

static const char usage[] =
    "usage: load post  --address A [--path P] [--connections N] [--groups N] [--description BYTES]\n"
    "                  [--warmup S] [--seconds S] [--count N]\n"
    "       load rate  --address A --rate R [--path P] [--connections N] [--warmup S] [--seconds S]\n"
    "       load syncs --file F [--seconds S]";

int main(int argc, char **argv) {
    struct options options = {
        .path = "/tasks", .connections = 1, .description = 90, .warmup = 1, .seconds = 4, .rate = 1000,
    };
    static const struct option names[] = {
        {"address", 1, 0, 'a'}, {"path", 1, 0, 'p'},    {"file", 1, 0, 'f'},  {"connections", 1, 0, 'c'},
        {"groups", 1, 0, 'g'},  {"warmup", 1, 0, 'w'},  {"rate", 1, 0, 'r'},  {"seconds", 1, 0, 's'},
        {"count", 1, 0, 'n'},   {"description", 1, 0, 'd'}, {0, 0, 0, 0},
    };
    if (argc < 2) die("%s", usage);
    optind = 2;
    for (int option; (option = getopt_long(argc, argv, "", names, 0)) != -1;) {
        switch (option) {
        case 'a': options.address = optarg; break;
        case 'p': options.path = optarg; break;
        case 'f': options.file = optarg; break;
        case 'c': options.connections = atoi(optarg); break;
        case 'g': options.groups = atoi(optarg); break;
        case 'd': options.description = atoi(optarg); break;
        case 'w': options.warmup = atof(optarg); break;
        case 's': options.seconds = atof(optarg); break;
        case 'r': options.rate = atof(optarg); break;
        case 'n': options.count = atol(optarg); break;
        default: die("%s", usage);
        }
    }
    if (options.connections < 1 || options.connections > 4096) die("1 to 4096 connections");
    if (options.rate <= 0) die("a rate above 0");
    const char *mode = argv[1];
    if (strcmp(mode, "syncs") == 0 && options.file) run_syncs(&options);
    else if (strcmp(mode, "post") == 0 && options.address) run_post(&options);
    else if (strcmp(mode, "rate") == 0 && options.address) run_rate(&options);
    else die("%s", usage);
    return 0;
}
