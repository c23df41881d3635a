/* LD_PRELOAD shim: a disk that keeps only what was synced.
 *
 * Files directly below MODELMINT_DISK have a durable image below MODELMINT_IMAGE. fsync and fdatasync copy the
 * file's content of that moment into the image (by way of a rename, so that a kill leaves the old or the new);
 * rename and unlink are mirrored. What was written and never synced is not in the image: what a power cut loses.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int image_of(const char *path, char *out) {
    const char *disk = getenv("MODELMINT_DISK"), *image = getenv("MODELMINT_IMAGE");
    if (!disk || !image) return 0;
    size_t n = strlen(disk);
    if (strncmp(path, disk, n) != 0 || path[n] != '/' || strchr(path + n + 1, '/')) return 0;
    snprintf(out, PATH_MAX, "%s/%s", image, path + n + 1);
    return 1;
}

static void keep(int fd) {
    char link[64], path[PATH_MAX], image[PATH_MAX], fresh[PATH_MAX + 32], block[1 << 16];
    struct stat facts;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, path, sizeof path - 1);
    if (n <= 0) return;
    path[n] = 0;
    if (!image_of(path, image) || stat(path, &facts) != 0 || !S_ISREG(facts.st_mode)) return;
    snprintf(fresh, sizeof fresh, "%s.%d.fresh", image, (int)getpid());
    int from = open(path, O_RDONLY | O_CLOEXEC);
    int to = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (from < 0 || to < 0) abort();
    while ((n = read(from, block, sizeof block)) > 0)
        if (write(to, block, n) != n) abort();
    close(from);
    close(to);
    int (*real_rename)(const char *, const char *) = dlsym(RTLD_NEXT, "rename");
    if (real_rename(fresh, image) != 0) abort();
}

int fsync(int fd) {
    int (*real)(int) = dlsym(RTLD_NEXT, "fsync");
    int done = real(fd);
    if (done == 0) keep(fd);
    return done;
}

int fdatasync(int fd) {
    int (*real)(int) = dlsym(RTLD_NEXT, "fdatasync");
    int done = real(fd);
    if (done == 0) keep(fd);
    return done;
}

int unlink(const char *path) {
    int (*real)(const char *) = dlsym(RTLD_NEXT, "unlink");
    char image[PATH_MAX];
    int done = real(path), before = errno;
    if (done == 0 && image_of(path, image)) real(image);
    errno = before;
    return done;
}

int rename(const char *from, const char *to) {
    int (*real)(const char *, const char *) = dlsym(RTLD_NEXT, "rename");
    char old[PATH_MAX], new[PATH_MAX];
    int done = real(from, to), before = errno;
    if (done == 0 && image_of(from, old) && image_of(to, new)) real(old, new);
    errno = before;
    return done;
}
