/**
 * @file status.h
 * What a call can answer, and what every public header needs.
 *
 * Every function that can fail returns a clgrad_status. The context that it was called on (or, where
 * there is no context yet, a clgrad_message) holds one sentence with the actual values. The library
 * never prints, aborts or exits. A call that is refused has changed nothing and enqueued nothing.
 *
 * A call on a NULL context or a NULL network has nowhere to leave a sentence: it answers INVALID_ARGUMENT,
 * and what clgrad_context_error returns is still about the call that failed before it, or "".
 *
 * A call that fails on its way, since the device or the host cannot go on (BUILD_FAILED, OUT_OF_MEMORY,
 * OUT_OF_DEVICE_MEMORY, DEVICE_ERROR), may have written to its outputs; beside them it has changed nothing
 * but what its documentation names. What it has created by then is given back. It may be repeated, and then
 * does what it would have done at once.
 */
#ifndef CLGRAD_STATUS_H
#define CLGRAD_STATUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if defined(_WIN32)
#define CLGRAD_API
#else
/** What the library exports. */
#define CLGRAD_API __attribute__((visibility("default")))
#endif

#ifdef __cplusplus
extern "C" {
#endif

/** X(value, identifier, name, meaning). Values never change; new ones are appended. */
#define CLGRAD_STATUS_LIST(X)                                                                               \
    X(0, SUCCESS, success, "success")                                                                       \
    X(1, INVALID_ARGUMENT, invalid_argument, "an argument is NULL, outside its domain or overlaps another") \
    X(2, INVALID_SHAPE, invalid_shape, "shapes do not fit together")                                        \
    X(3, INVALID_TYPE, invalid_type, "a tensor has the wrong element type")                                 \
    X(4, INVALID_CONTEXT, invalid_context, "a buffer belongs to another context")                           \
    X(5, OUT_OF_RANGE, out_of_range, "a tensor reaches past the end of its buffer, or a size overflows")    \
    X(6, INVALID_INDEX, invalid_index, "an index tensor holds an index outside what it points into")        \
    X(7, DEVICE_NOT_FOUND, device_not_found, "there is no such device")                                     \
    X(8, BUILD_FAILED, build_failed, "a kernel does not build on this device")                              \
    X(9, OUT_OF_MEMORY, out_of_memory, "the host is out of memory")                                         \
    X(10, OUT_OF_DEVICE_MEMORY, out_of_device_memory, "the device is out of memory")                        \
    X(11, DEVICE_ERROR, device_error, "a call into the device's driver failed")                             \
    X(12, UNSUPPORTED, unsupported, "this device or this build of the library cannot do that")              \
    X(13, FILE_ERROR, file_error, "a file cannot be opened, read or written")                               \
    X(14, INVALID_FILE, invalid_file, "a file is damaged, or not what it should be")                        \
    X(15, NOT_FINITE, not_finite, "a result is NaN or infinite (see clgrad_context_detect_anomaly)")

/** The statuses: the list's rows. */
typedef enum clgrad_status {
#define CLGRAD_STATUS_ENUM(value, identifier, name, meaning) CLGRAD_STATUS_##identifier = value,
    CLGRAD_STATUS_LIST(CLGRAD_STATUS_ENUM)
#undef CLGRAD_STATUS_ENUM
} clgrad_status;

/** The status's name, "invalid_shape" say; "unknown" for a value not in the list. */
CLGRAD_API const char *clgrad_status_name(clgrad_status status);

/** The status's meaning in a few words, from the list above. */
CLGRAD_API const char *clgrad_status_meaning(clgrad_status status);

/** Room for one sentence, where a call fails before there is a context to keep it. */
typedef struct clgrad_message {
    char text[2048]; /**< the sentence; "" where nothing has failed */
} clgrad_message;

#ifdef __cplusplus
}
#endif

#endif
