/* What a guest of the rig does all day: its only process. Load is set at run time, and what it
 * served can be counted from outside, so that a test can tell whether a guest went on without a
 * gap, once and only once, over a live migration.
 *
 *   work N    a fixed demand: N thousand units of work each second, as far as the CPU allows; what
 *             is not served waits, for at most a second
 *   dirty N   writes N MiB of memory each second
 *   stat      nothing new, but an answer
 *
 * Each is one line on TCP port 7000, answered by one line. Once a second a heartbeat goes to the
 * console: "BEAT name n=COUNT up=SECONDS work=UNITS". Start values come from the kernel's command
 * line: rig.name, rig.work, rig.dirty, rig.wss (MiB that `dirty` goes round in). */
#define _GNU_SOURCE
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { period_ms = 100, slice_units = 2000, page_bytes = 4096, clients_max = 8, port = 7000 };

static char name[64] = "guest";
static volatile int work_wanted;  /* thousands a second */
static volatile int dirty_wanted; /* MiB a second */
static int working_set_mib = 16;
static volatile unsigned long work_done;

static double now_s(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void sleep_until(double when_s) {
  double left = when_s - now_s();
  if (left <= 0) return;
  struct timespec t = {(time_t)left, (long)((left - (double)(time_t)left) * 1e9)};
  nanosleep(&t, NULL);
}

static void one_slice(void) {
  static volatile unsigned x = 1;
  for (int i = 0; i < slice_units; i++) x = x * 1664525u + 1013904223u;
  work_done += slice_units;
}

/* Works off what is owed, within this period. */
static double serve(double owed, double until_s) {
  while (owed > 0 && now_s() < until_s) {
    one_slice();
    owed -= slice_units;
  }
  return owed;
}

static void* worker(void* unused) {
  double owed = 0, next = now_s();
  for (;;) {
    double each = work_wanted * 1e3 * period_ms / 1e3, most = work_wanted * 1e3;
    owed += each;
    if (owed > most) owed = most;
    next += period_ms / 1e3;
    owed = serve(owed, next);
    if (now_s() > next + 1) next = now_s(); /* stood still: a migration, or a starved host */
    sleep_until(next);
  }
  return unused;
}

static void* dirtier(void* unused) {
  size_t size = (size_t)working_set_mib << 20, at = 0;
  unsigned char* memory = malloc(size);
  for (size_t i = 0; i < size; i += 8) *(unsigned long*)(memory + i) = i * 2654435761ul;
  double pages_owed = 0, next = now_s();
  for (;;) {
    pages_owed += dirty_wanted * 256.0 * period_ms / 1e3;
    for (; pages_owed >= 1; pages_owed--) {
      memory[at]++;
      at = (at + page_bytes) % size;
    }
    next += period_ms / 1e3;
    if (now_s() > next + 1) next = now_s();
    sleep_until(next);
  }
  return unused;
}

static void beat(void) {
  static unsigned long count;
  printf("BEAT %s n=%lu up=%.2f work=%lu\n", name, count++, now_s(), work_done);
  fflush(stdout);
}

static void obey(int client, const char* line) {
  int n;
  if (sscanf(line, "work %d", &n) == 1) work_wanted = n;
  if (sscanf(line, "dirty %d", &n) == 1) dirty_wanted = n;
  dprintf(client, "name=%s up=%.3f work=%lu\n", name, now_s(), work_done);
}

static int listen_for_orders(void) {
  int s = socket(AF_INET, SOCK_STREAM, 0), one = 1;
  setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
  if (bind(s, (void*)&address, sizeof address) != 0 || listen(s, clients_max) != 0) perror("port");
  return s;
}

static void take_orders(struct pollfd* polled, int* count) {
  if (polled[0].revents && *count <= clients_max) {
    int client = accept(polled[0].fd, NULL, NULL);
    if (client >= 0) polled[(*count)++] = (struct pollfd){client, POLLIN, 0};
  }
  for (int i = 1; i < *count; i++) {
    if (!polled[i].revents) continue;
    char line[256];
    ssize_t got = read(polled[i].fd, line, sizeof line - 1);
    if (got > 0) {
      line[got] = 0;
      obey(polled[i].fd, line);
    } else {
      close(polled[i].fd);
      polled[i--] = polled[--*count];
    }
  }
}

static void read_command_line(void) {
  char line[2048] = "";
  int file = open("/proc/cmdline", O_RDONLY);
  if (file < 0 || read(file, line, sizeof line - 1) < 0) return;
  int value;
  for (char* word = strtok(line, " \n"); word; word = strtok(NULL, " \n")) {
    sscanf(word, "rig.name=%63s", name);
    if (sscanf(word, "rig.work=%d", &value) == 1) work_wanted = value;
    if (sscanf(word, "rig.dirty=%d", &value) == 1) dirty_wanted = value;
    if (sscanf(word, "rig.wss=%d", &value) == 1 && value > 0) working_set_mib = value;
  }
}

int main(void) {
  read_command_line();
  pthread_t thread;
  pthread_create(&thread, NULL, worker, NULL);
  pthread_create(&thread, NULL, dirtier, NULL);
  struct pollfd polled[clients_max + 1] = {{listen_for_orders(), POLLIN, 0}};
  int count = 1;
  for (double tick = now_s();;) {
    double left = tick - now_s();
    if (left <= 0) {
      beat();
      tick += 1;
      if (tick < now_s() - 3) tick = now_s() + 1;
    } else if (poll(polled, (nfds_t)count, (int)(left * 1e3) + 1) > 0) {
      take_orders(polled, &count);
    }
  }
}
