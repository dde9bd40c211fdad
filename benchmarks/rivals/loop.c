/* The floor: the least that a chat server can do through the kernel's TCP.
 *
 * All that waits is read, and its whole lines go to everybody with one send for each. No nicknames,
 * no limits, and a slow reader stops it, as in bare.py --batch. Prints the port it listens on.
 */

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

enum { MOST = 20000, READ = 64 * 1024, WAITING = 16 * 1024 * 1024 };

static int members[MOST], place[MOST], count; /* descriptors, and where each stands there */
static char *begun[MOST];                     /* what of a line has come */
static size_t begun_size[MOST];
static char waiting[WAITING];
static size_t size;

static void accept_one(int epoll, int listening) {
    int fd = accept(listening, NULL, NULL), on = 1;
    if (fd < 0 || fd >= MOST) exit(1);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
    place[fd] = count;
    members[count++] = fd;
}

static void leave(int fd) {
    int last = members[--count];
    members[place[fd]] = last;
    place[last] = place[fd];
    free(begun[fd]);
    begun[fd] = NULL;
    begun_size[fd] = 0;
    close(fd);
}

static void receive(int fd) {
    char *data = waiting + size;
    size_t before = begun_size[fd];
    if (size + before + READ > WAITING) exit(1);
    if (before) memcpy(data, begun[fd], before);
    ssize_t got = recv(fd, data + before, READ, 0);
    if (got <= 0) {
        leave(fd);
        return;
    }
    size_t all = before + got;
    char *end = memrchr(data, '\n', all);
    size_t lines = end ? (size_t)(end + 1 - data) : 0;
    begun_size[fd] = all - lines;
    if (all > lines || before) {
        begun[fd] = realloc(begun[fd], all - lines + 1);
        memcpy(begun[fd], data + lines, all - lines);
    }
    size += lines;
}

int main(void) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    int listening = socket(AF_INET, SOCK_STREAM, 0), epoll = epoll_create1(0);
    if (bind(listening, (struct sockaddr *)&address, length) || listen(listening, 4096)) return 1;
    getsockname(listening, (struct sockaddr *)&address, &length);
    printf("%d\n", ntohs(address.sin_port));
    fflush(stdout);
    static struct epoll_event events[1024];
    events[0] = (struct epoll_event){.events = EPOLLIN, .data.fd = listening};
    epoll_ctl(epoll, EPOLL_CTL_ADD, listening, &events[0]);
    for (;;) {
        int ready = epoll_wait(epoll, events, 1024, -1);
        size = 0;
        for (int i = 0; i < ready; i++) {
            if (events[i].data.fd == listening) accept_one(epoll, listening);
            else receive(events[i].data.fd);
        }
        for (int i = 0; size && i < count; i++) send(members[i], waiting, size, MSG_NOSIGNAL);
    }
}
