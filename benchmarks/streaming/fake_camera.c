/* A V4L2 camera where there is none: an LD_PRELOAD library for programs that read one from Linux.
 *
 *     cc -shared -fPIC -O2 -o fake_camera.so fake_camera.c -ldl
 *
 * FAKE_CAMERA_DEVICE names a pipe that stands for the device's node, FAKE_CAMERA_MEMORY a file with `struct camera` and
 * the buffers behind it. Another process (benchmarks/fake_camera.py) plays the sensor and its driver: it fills buffers
 * that are queued and writes a byte into the pipe for each, so that select() and poll() work without being touched, and
 * so that the program pays for a picture what it pays with a camera: no copy. One size, one format, one rate.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/videodev2.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/types.h>
#include <unistd.h>

enum { MOST_BUFFERS = 8, MOST_FILES = 1024, BEGIN = 4096 };
enum { TAKEN, QUEUED, FILLED }; /* whose a buffer is: the program's, the camera's, the program's as soon as it asks */

struct buffer {
	_Atomic uint32_t state;
	uint32_t used;
	uint64_t sequence;
	uint64_t taken_ns;
};

/* the same as in fake_camera.py */
struct camera {
	uint32_t fourcc, width, height, fps;
	uint32_t size; /* of a buffer in bytes, whole pages */
	uint32_t count;
	_Atomic uint32_t streaming;
	uint32_t unused;
	struct buffer buffers[MOST_BUFFERS];
};

static struct camera *camera;
static int memory = -1;
static int owner = -1; /* the file that has asked for buffers */
static _Atomic char is_camera[MOST_FILES];

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static int ours(int file)
{
	return file >= 0 && file < MOST_FILES && is_camera[file];
}

static int failed(int error)
{
	errno = error;
	return -1;
}

static int opened(const char *path, int flags)
{
	static int (*real)(const char *, int, ...);
	if (!real)
		real = REAL(open);
	/* read only: a camera can never be written to, and select() must not say so */
	int file = real(path, O_RDONLY | O_NONBLOCK | (flags & O_CLOEXEC));
	if (file < 0)
		return -1;
	if (!camera) {
		const char *where = getenv("FAKE_CAMERA_MEMORY");
		memory = where ? real(where, O_RDWR | O_CLOEXEC) : -1;
		void *begin = memory < 0 ? MAP_FAILED : REAL(mmap)(NULL, BEGIN, PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0);
		if (begin == MAP_FAILED) {
			REAL(close)(file);
			return failed(ENODEV);
		}
		camera = begin;
	}
	if (!(flags & O_NONBLOCK))
		fcntl(file, F_SETFL, 0);
	if (file < MOST_FILES)
		is_camera[file] = 1;
	return file;
}

static int stands_for_camera(const char *path)
{
	const char *device = getenv("FAKE_CAMERA_DEVICE");
	return device && path && !strcmp(device, path);
}

#define OPEN(name)                                                 \
	int name(const char *path, int flags, ...)                 \
	{                                                          \
		static int (*real)(const char *, int, ...);        \
		va_list rest;                                      \
		va_start(rest, flags);                             \
		mode_t mode = va_arg(rest, mode_t);                \
		va_end(rest);                                      \
		if (stands_for_camera(path))                       \
			return opened(path, flags);                \
		if (!real)                                         \
			real = REAL(name);                         \
		return real(path, flags, mode);                    \
	}
OPEN(open)
OPEN(open64)

#define MMAP(name, offset_type)                                                                         \
	void *name(void *at, size_t length, int protection, int flags, int file, offset_type offset)    \
	{                                                                                               \
		static void *(*real)(void *, size_t, int, int, int, offset_type);                       \
		if (!real)                                                                              \
			real = REAL(name);                                                              \
		return real(at, length, protection, flags, ours(file) ? memory : file, offset);         \
	}
MMAP(mmap, off_t)
MMAP(mmap64, off64_t)

static void stop(int file)
{
	char bytes[64];
	camera->streaming = 0;
	for (int i = 0; i < MOST_BUFFERS; i++)
		camera->buffers[i].state = TAKEN;
	int flags = fcntl(file, F_GETFL);
	fcntl(file, F_SETFL, flags | O_NONBLOCK);
	while (read(file, bytes, sizeof bytes) > 0)
		;
	fcntl(file, F_SETFL, flags);
}

int close(int file)
{
	static int (*real)(int);
	if (!real)
		real = REAL(close);
	if (ours(file)) {
		if (file == owner) {
			stop(file);
			owner = -1;
		}
		is_camera[file] = 0;
	}
	return real(file);
}

static void describe(struct v4l2_pix_format *pixels)
{
	memset(pixels, 0, sizeof *pixels);
	pixels->width = camera->width;
	pixels->height = camera->height;
	pixels->pixelformat = camera->fourcc;
	pixels->field = V4L2_FIELD_NONE;
	pixels->bytesperline = camera->fourcc == V4L2_PIX_FMT_YUYV ? 2 * camera->width : 0;
	pixels->sizeimage = 2 * camera->width * camera->height;
	pixels->colorspace = V4L2_COLORSPACE_SRGB;
}

static void show(struct v4l2_buffer *shown, uint32_t index)
{
	struct buffer *buffer = &camera->buffers[index];
	uint32_t state = buffer->state;
	shown->index = index;
	shown->type = V4L2_BUF_TYPE_VIDEO_CAPTURE;
	shown->memory = V4L2_MEMORY_MMAP;
	shown->field = V4L2_FIELD_NONE;
	shown->length = camera->size;
	shown->m.offset = BEGIN + index * camera->size;
	shown->bytesused = buffer->used;
	shown->sequence = buffer->sequence;
	shown->timestamp.tv_sec = buffer->taken_ns / 1000000000;
	shown->timestamp.tv_usec = buffer->taken_ns % 1000000000 / 1000;
	shown->flags = V4L2_BUF_FLAG_TIMESTAMP_MONOTONIC | V4L2_BUF_FLAG_MAPPED |
		       (state == QUEUED ? V4L2_BUF_FLAG_QUEUED : state == FILLED ? V4L2_BUF_FLAG_DONE : 0);
}

static int request_buffers(int file, struct v4l2_requestbuffers *wanted)
{
	if (wanted->memory != V4L2_MEMORY_MMAP)
		return failed(EINVAL);
	if (owner >= 0 && owner != file)
		return failed(EBUSY);
	stop(file);
	if (wanted->count > MOST_BUFFERS)
		wanted->count = MOST_BUFFERS;
	camera->count = wanted->count;
	owner = wanted->count ? file : -1;
	wanted->capabilities = V4L2_BUF_CAP_SUPPORTS_MMAP;
	return 0;
}

static int take(int file, struct v4l2_buffer *taken)
{
	if (file != owner || !camera->streaming)
		return failed(EINVAL);
	for (;;) {
		char byte;
		if (read(file, &byte, 1) != 1)
			return -1;
		int oldest = -1;
		for (uint32_t i = 0; i < camera->count; i++)
			if (camera->buffers[i].state == FILLED &&
			    (oldest < 0 || camera->buffers[i].sequence < camera->buffers[oldest].sequence))
				oldest = i;
		if (oldest >= 0) {
			camera->buffers[oldest].state = TAKEN;
			show(taken, oldest);
			return 0;
		}
	}
}

static int answer(int file, unsigned request, void *asked)
{
	switch (request) {
	case VIDIOC_QUERYCAP: {
		struct v4l2_capability *can = asked;
		memset(can, 0, sizeof *can);
		strcpy((char *)can->driver, "fake");
		strcpy((char *)can->card, "Fake camera");
		strcpy((char *)can->bus_info, "platform:fake");
		can->version = 6 << 16;
		can->device_caps = V4L2_CAP_VIDEO_CAPTURE | V4L2_CAP_STREAMING;
		can->capabilities = can->device_caps | V4L2_CAP_DEVICE_CAPS;
		return 0;
	}
	case VIDIOC_ENUMINPUT: {
		struct v4l2_input *input = asked;
		if (input->index)
			return failed(EINVAL);
		strcpy((char *)input->name, "Camera 1");
		input->type = V4L2_INPUT_TYPE_CAMERA;
		return 0;
	}
	case VIDIOC_G_INPUT:
		*(int *)asked = 0;
		return 0;
	case VIDIOC_S_INPUT:
		return *(int *)asked ? failed(EINVAL) : 0;
	case VIDIOC_ENUM_FMT: {
		struct v4l2_fmtdesc *format = asked;
		if (format->index || format->type != V4L2_BUF_TYPE_VIDEO_CAPTURE)
			return failed(EINVAL);
		format->pixelformat = camera->fourcc;
		format->flags = camera->fourcc == V4L2_PIX_FMT_YUYV ? 0 : V4L2_FMT_FLAG_COMPRESSED;
		return 0;
	}
	case VIDIOC_ENUM_FRAMESIZES: {
		struct v4l2_frmsizeenum *size = asked;
		if (size->index || size->pixel_format != camera->fourcc)
			return failed(EINVAL);
		size->type = V4L2_FRMSIZE_TYPE_DISCRETE;
		size->discrete.width = camera->width;
		size->discrete.height = camera->height;
		return 0;
	}
	case VIDIOC_ENUM_FRAMEINTERVALS: {
		struct v4l2_frmivalenum *interval = asked;
		if (interval->index || interval->pixel_format != camera->fourcc || interval->width != camera->width ||
		    interval->height != camera->height)
			return failed(EINVAL);
		interval->type = V4L2_FRMIVAL_TYPE_DISCRETE;
		interval->discrete.numerator = 1;
		interval->discrete.denominator = camera->fps;
		return 0;
	}
	case VIDIOC_G_FMT:
	case VIDIOC_S_FMT:
	case VIDIOC_TRY_FMT: {
		struct v4l2_format *format = asked;
		if (format->type != V4L2_BUF_TYPE_VIDEO_CAPTURE)
			return failed(EINVAL);
		describe(&format->fmt.pix);
		return 0;
	}
	case VIDIOC_G_PARM:
	case VIDIOC_S_PARM: {
		struct v4l2_streamparm *rate = asked;
		if (rate->type != V4L2_BUF_TYPE_VIDEO_CAPTURE)
			return failed(EINVAL);
		memset(&rate->parm.capture, 0, sizeof rate->parm.capture);
		rate->parm.capture.capability = V4L2_CAP_TIMEPERFRAME;
		rate->parm.capture.timeperframe.numerator = 1;
		rate->parm.capture.timeperframe.denominator = camera->fps;
		rate->parm.capture.readbuffers = MOST_BUFFERS;
		return 0;
	}
	case VIDIOC_REQBUFS:
		return request_buffers(file, asked);
	case VIDIOC_QUERYBUF:
	case VIDIOC_QBUF: {
		struct v4l2_buffer *buffer = asked;
		if (buffer->index >= camera->count || buffer->memory != V4L2_MEMORY_MMAP)
			return failed(EINVAL);
		if ((unsigned)request == VIDIOC_QBUF) {
			if (file != owner || camera->buffers[buffer->index].state != TAKEN)
				return failed(EINVAL);
			camera->buffers[buffer->index].state = QUEUED;
		}
		show(buffer, buffer->index);
		return 0;
	}
	case VIDIOC_DQBUF:
		return take(file, asked);
	case VIDIOC_STREAMON:
		if (file != owner)
			return failed(EINVAL);
		camera->streaming = 1;
		return 0;
	case VIDIOC_STREAMOFF:
		if (file == owner)
			stop(file);
		return 0;
	default: /* controls, cropping and all else: it has none */
		return failed(ENOTTY);
	}
}

int ioctl(int file, unsigned long request, ...)
{
	static int (*real)(int, unsigned long, ...);
	va_list rest;
	va_start(rest, request);
	void *asked = va_arg(rest, void *);
	va_end(rest);
	if (ours(file))
		return answer(file, (unsigned)request, asked);
	if (!real)
		real = REAL(ioctl);
	return real(file, request, asked);
}
