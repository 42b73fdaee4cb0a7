/*
 * A caller with an OpenCL of its own: a device, a context and a queue that clgrad did not make.
 */
#ifndef OPENCL_CALLER_H
#define OPENCL_CALLER_H

#include "harness.h"

#include <clgrad/opencl.h>

typedef struct caller {
    char specification[32]; /* of the device, as clgrad names it */
    cl_device_id device;
    cl_context context;
    cl_command_queue queue;
} caller;

typedef struct caller_case {
    const char *name;
    void (*run)(const caller *c);
} caller_case;

/* Run each case for each device that OpenCL itself finds, on a fresh context and queue. */
int run_for_every_caller(const caller_case *cases, size_t count);

/* A context on the caller's queue. */
clgrad_context *open_on_queue(cl_command_queue queue);

/* Memory of the caller's with this content; data may be NULL. */
cl_mem caller_memory(const caller *c, cl_mem_flags flags, size_t bytes, const void *data);

/* What the caller reads from its memory, over its own queue, without any call of clgrad's. */
void assert_memory_holds(const caller *c, cl_mem memory, size_t offset, const void *expected, size_t bytes);

/*
 * How often the caller's objects are held. Drivers let go of a finished command a little late, and a command
 * holds its queue; so a count is the smallest of a few milliseconds, and is given up to two seconds to become
 * what it should. A memory that has been written holds its last command: compare with counts from after a
 * write.
 */
typedef struct holds {
    cl_uint context, queue;
} holds;

holds count_holds(const caller *c);
#define assert_holds_are(c, expected) assert_holds_at_last(c, expected, __FILE__, __LINE__)
void assert_holds_at_last(const caller *c, holds expected, const char *file, int line);

cl_uint memory_count(cl_mem memory);
#define assert_memory_count(memory, expected) assert_memory_count_at(memory, expected, __FILE__, __LINE__)
void assert_memory_count_at(cl_mem memory, cl_uint expected, const char *file, int line);

#endif
