/*
 * Which results a call of a loss wants.
 */

#define WANT_TOTAL 1
#define WANT_VALUES 2
#define WANT_GRADIENT 4
#define UPSTREAM_ONE 8
#define UPSTREAM_EACH 16
#define WANT_DTARGET 32
#define WANT_DOTHER 64
