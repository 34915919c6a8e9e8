/*
 * http_private.h - what http.c takes from its neighbours: the cutting of URLs (http_url.c), the
 * hosts file (http_hosts.c) and the waiting (http_poll.c). None of these knows libcurl.
 */
#ifndef HV_HTTP_PRIVATE_H
#define HV_HTTP_PRIVATE_H

#include "lib/base/http.h"

/* http_url_split() without copies: the parts point into url, the host is in its own case. */
int http_url_cut(struct str url, struct url_parts *parts_r, struct err *err) MUST_CHECK;

/* Adds the addresses that the hosts(5) file gives for host, separated by commas, IPv6 in brackets;
 * adds nothing when it gives none or can't be read. */
void http_hosts_find(const char *path, struct str host, struct buf *addresses);

/* The descriptors that the transfers wait for. */
struct http_poll;
void http_poll_create(struct http_poll **set_r);
void http_poll_destroy(struct http_poll **set);
/* events as poll(2): POLLIN, POLLOUT or both; 0 takes the descriptor out. */
void http_poll_set(struct http_poll *set, int fd, short events);
/* Sleeps until one of them or of the watches has something, at most timeout. */
void http_poll_wait(struct http_poll *set, struct http_watch *watches, size_t count,
                    usec_t timeout);
/* Up to max descriptors that have something now, without waiting; returns how many. */
size_t http_poll_ready(struct http_poll *set, struct http_watch *ready, size_t max);

#endif
