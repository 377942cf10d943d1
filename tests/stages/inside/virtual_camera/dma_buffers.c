/*
 * Preloaded: gives libcamera and picamera2 memory where the kernel has no /dev/udmabuf and no /dev/dma_heap.
 * Opening one of these gives any memfd; asking it for a buffer gives another one, of the size asked for.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <linux/dma-buf.h>
#include <linux/dma-heap.h>
#include <linux/udmabuf.h>
#include <stdarg.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static int is_ours(const char *path)
{
	return path && (!strcmp(path, "/dev/udmabuf") || !strncmp(path, "/dev/dma_heap/", strlen("/dev/dma_heap/")));
}

static int memory(off_t size)
{
	int fd = memfd_create("buffer", MFD_CLOEXEC);

	if (fd >= 0 && ftruncate(fd, size)) {
		close(fd);
		return -1;
	}
	return fd;
}

#define NEXT(name, ...) ((int (*)(__VA_ARGS__))dlsym(RTLD_NEXT, #name))
#define LAST_ARGUMENT(type, after, result) \
	do {                               \
		va_list list;              \
		va_start(list, after);     \
		result = va_arg(list, type); \
		va_end(list);              \
	} while (0)

#define OPEN(name)                                                                    \
	int name(const char *path, int flags, ...)                                    \
	{                                                                             \
		int mode;                                                             \
		LAST_ARGUMENT(int, flags, mode);                                      \
		return is_ours(path) ? memory(0) : NEXT(name, const char *, int, ...)(path, flags, mode); \
	}

#define OPENAT(name)                                                                  \
	int name(int folder, const char *path, int flags, ...)                        \
	{                                                                             \
		int mode;                                                             \
		LAST_ARGUMENT(int, flags, mode);                                      \
		return is_ours(path) ? memory(0) : NEXT(name, int, const char *, int, ...)(folder, path, flags, mode); \
	}

OPEN(open)
OPEN(open64)
OPENAT(openat)
OPENAT(openat64)

int ioctl(int fd, unsigned long request, ...)
{
	void *argument;

	LAST_ARGUMENT(void *, request, argument);
	/* Python passes requests sign-extended from 32 bit */
	request &= 0xffffffffUL;
	if (request == UDMABUF_CREATE)
		return fcntl(((struct udmabuf_create *)argument)->memfd, F_DUPFD_CLOEXEC, 0);
	if (request == DMA_HEAP_IOCTL_ALLOC) {
		struct dma_heap_allocation_data *wanted = argument;
		int buffer = memory(wanted->len);

		wanted->fd = buffer;
		return buffer < 0 ? -1 : 0;
	}
	if (_IOC_TYPE(request) == DMA_BUF_BASE)
		return 0; /* names and cache maintenance */
	return NEXT(ioctl, int, unsigned long, ...)(fd, request, argument);
}
