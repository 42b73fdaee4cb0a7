/**
 * @file version.h
 * Which clgrad this is: when compiling, by the macros; when running, by the function. Versions are
 * MAJOR.MINOR.PATCH by https://semver.org; docs/abi.md says what may change when.
 */
#ifndef CLGRAD_VERSION_H
#define CLGRAD_VERSION_H

#include <clgrad/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The one place: the build reads the version from here. */
#define CLGRAD_VERSION_MAJOR 0 /**< of the headers */
#define CLGRAD_VERSION_MINOR 1 /**< likewise */
#define CLGRAD_VERSION_PATCH 0 /**< likewise */

/** MAJOR * 1000000 + MINOR * 1000 + PATCH: later versions are greater numbers. */
#define CLGRAD_VERSION_NUMBER \
    (CLGRAD_VERSION_MAJOR * 1000000 + CLGRAD_VERSION_MINOR * 1000 + CLGRAD_VERSION_PATCH)

/**
 * The version of the library that is linked, as CLGRAD_VERSION_NUMBER; the headers' and this one differ where
 * a program runs with another library than it was compiled for.
 */
CLGRAD_API int clgrad_version(void);

/** The same as text, "0.1.0"; lives as long as the program. */
CLGRAD_API const char *clgrad_version_text(void);

#ifdef __cplusplus
}
#endif

#endif
