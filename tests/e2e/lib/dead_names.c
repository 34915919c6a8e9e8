/*
 * dead_names.c - preloaded into a dispatcher on hosts where no name server can be put aside: names
 * that end in .unanswered.test take as long as a name server that does not answer, and fail so.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <netdb.h>
#include <string.h>
#include <unistd.h>

typedef int getaddrinfo_fn(const char *, const char *, const struct addrinfo *, struct addrinfo **);

int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints,
                struct addrinfo **result)
{
    static const char end[] = ".unanswered.test";
    size_t n = node != NULL ? strlen(node) : 0;
    getaddrinfo_fn *real;

    if (n >= sizeof(end) - 1 && strcmp(node + n - (sizeof(end) - 1), end) == 0) {
        for (unsigned left = 10; left > 0;)
            left = sleep(left);
        return EAI_AGAIN;
    }
    *(void **)&real = dlsym(RTLD_NEXT, "getaddrinfo");
    return real(node, service, hints, result);
}
