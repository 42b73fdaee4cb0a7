/*
 * Calls into OpenCL, for host memory and into files fail, one after the other, in runs that do all there is
 * to do with a network (fault_scenario.c). Each time the library must answer with the right status and a
 * sentence, leave everything as it was but for what its headers name, do the same call right when it is
 * repeated, end with the bits of a run that nothing disturbed, and give everything back.
 *
 *     test_faults                          a few calls of each kind, always the same
 *     test_faults --full                   every call of each kind
 *     test_faults [--full] SETTING [CALL]  one setting alone, one kind of calls ("clblast", which takes its
 *                                          time, runs only so)
 */
#define CL_TARGET_OPENCL_VERSION 300
#include "fault_scenario.h"
#include "faults.h"

#include <errno.h>
#include <jansson.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* ---- how a call fails ---- */

typedef struct way {
    fault_kind kind;
    int code;
    clgrad_status status;
    bool may_last; /* it may be that every further call fails too */
} way;

/* What every call into OpenCL may answer. */
#define OPENCL(name)                                                          \
    {FAULT_##name, CL_OUT_OF_HOST_MEMORY, CLGRAD_STATUS_OUT_OF_MEMORY, true}, \
    {                                                                         \
        FAULT_##name, CL_OUT_OF_RESOURCES, CLGRAD_STATUS_DEVICE_ERROR, true   \
    }
#define COMMAND(name)                                                                            \
    OPENCL(name),                                                                                \
    {                                                                                            \
        FAULT_##name, CL_MEM_OBJECT_ALLOCATION_FAILURE, CLGRAD_STATUS_OUT_OF_DEVICE_MEMORY, true \
    }
#define MEMORY(name)                                            \
    {                                                           \
        FAULT_##name, ENOMEM, CLGRAD_STATUS_OUT_OF_MEMORY, true \
    }
#define FILE_CALL(name, code)                              \
    {                                                      \
        FAULT_##name, code, CLGRAD_STATUS_FILE_ERROR, true \
    }

static const way ways[] = {
    OPENCL(clGetPlatformIDs),
    OPENCL(clGetPlatformInfo),
    OPENCL(clGetDeviceIDs),
    OPENCL(clGetDeviceInfo),
    OPENCL(clCreateContext),
    {FAULT_clCreateContext, CL_DEVICE_NOT_AVAILABLE, CLGRAD_STATUS_DEVICE_ERROR, true},
    OPENCL(clRetainContext),
    OPENCL(clCreateCommandQueue),
    OPENCL(clRetainCommandQueue),
    OPENCL(clGetCommandQueueInfo),
    {FAULT_clCreateBuffer, CL_MEM_OBJECT_ALLOCATION_FAILURE, CLGRAD_STATUS_OUT_OF_DEVICE_MEMORY, true},
    {FAULT_clCreateBuffer, CL_OUT_OF_RESOURCES, CLGRAD_STATUS_OUT_OF_DEVICE_MEMORY, true},
    {FAULT_clCreateBuffer, CL_OUT_OF_HOST_MEMORY, CLGRAD_STATUS_OUT_OF_MEMORY, true},
    {FAULT_clCreateBuffer, CL_INVALID_CONTEXT, CLGRAD_STATUS_DEVICE_ERROR, true},
    OPENCL(clRetainMemObject),
    OPENCL(clGetMemObjectInfo),
    OPENCL(clCreateProgramWithSource),
    OPENCL(clCreateProgramWithBinary),
    {FAULT_clCreateProgramWithBinary, CL_INVALID_BINARY, CLGRAD_STATUS_DEVICE_ERROR, true},
    OPENCL(clRetainProgram),
    {FAULT_clBuildProgram, CL_BUILD_PROGRAM_FAILURE, CLGRAD_STATUS_BUILD_FAILED, true},
    {FAULT_clBuildProgram, CL_OUT_OF_HOST_MEMORY, CLGRAD_STATUS_OUT_OF_MEMORY, true},
    OPENCL(clGetProgramInfo),
    OPENCL(clGetProgramBuildInfo),
    OPENCL(clCreateKernel),
    OPENCL(clGetKernelWorkGroupInfo),
    OPENCL(clSetKernelArg),
    COMMAND(clEnqueueNDRangeKernel),
    COMMAND(clEnqueueNativeKernel),
    COMMAND(clEnqueueReadBuffer),
    COMMAND(clEnqueueWriteBuffer),
    COMMAND(clEnqueueCopyBuffer),
    OPENCL(clFinish),
    OPENCL(clWaitForEvents),
    MEMORY(malloc),
    MEMORY(calloc),
    MEMORY(realloc),
    MEMORY(json_malloc),
    FILE_CALL(open, EMFILE),
    FILE_CALL(fstat, EIO),
    FILE_CALL(lstat, EACCES),
    FILE_CALL(fchmod, EPERM),
    FILE_CALL(read, EIO),
    {FAULT_read, EINTR, CLGRAD_STATUS_SUCCESS, false},
    {FAULT_read, FAULT_HALF, CLGRAD_STATUS_SUCCESS, true},
    FILE_CALL(write, ENOSPC),
    {FAULT_write, EINTR, CLGRAD_STATUS_SUCCESS, false},
    {FAULT_write, FAULT_HALF, CLGRAD_STATUS_SUCCESS, true},
    FILE_CALL(fsync, EIO),
    FILE_CALL(close, EIO),
    FILE_CALL(rename, EACCES),
    FILE_CALL(unlink, EACCES),
    FILE_CALL(mkdir, EACCES),
    FILE_CALL(mkstemp, ENOSPC),
    FILE_CALL(fopen, EMFILE),
    FILE_CALL(fdopen, ENOMEM),
    FILE_CALL(fread, EIO),
    FILE_CALL(fwrite, ENOSPC),
    FILE_CALL(fclose, ENOSPC),
};

/* ---- where ---- */

typedef enum cache { CACHE_OFF, CACHE_COLD, CACHE_WARM } cache;

/* Which calls fail in a setting. */
typedef enum concern { DEVICE_AND_MEMORY, DEVICE, QUEUE, PRODUCTS, PROGRAMS, MEMORY_AND_FILES } concern;

typedef struct setting {
    const char *name;
    const char *gemm; /* CLGRAD_GEMM */
    concern concern;
    cache cache;
    bool on_callers_queue, on_reference, only_by_name;
} setting;

static const setting settings[] = {
    {"reference", NULL, MEMORY_AND_FILES, CACHE_OFF, false, true, false},
    {"tiles", "tiles", DEVICE_AND_MEMORY, CACHE_OFF, false, false, false},
    {"blas", "blas", PRODUCTS, CACHE_OFF, false, false, false},
    {"queue", "tiles", QUEUE, CACHE_OFF, true, false, false},
    {"cold", "tiles", PROGRAMS, CACHE_COLD, false, false, false},
    {"warm", "tiles", PROGRAMS, CACHE_WARM, false, false, false},
    {"clblast", "clblast", DEVICE, CACHE_OFF, false, false, true},
};

/* What is not about a setting is the same in another. */
static bool concerns(const setting *s, fault_kind kind)
{
    switch (s->concern) {
    case DEVICE_AND_MEMORY:
        return kind <= FAULT_realloc;
    case DEVICE:
        return kind < FAULT_malloc;
    case QUEUE:
        return kind <= FAULT_clGetMemObjectInfo && kind != FAULT_clCreateBuffer;
    case PRODUCTS:
        return kind >= FAULT_clCreateKernel && kind <= FAULT_clEnqueueNativeKernel;
    case PROGRAMS:
        return kind == FAULT_clGetDeviceInfo || kind == FAULT_clGetPlatformInfo ||
               (kind >= FAULT_clCreateProgramWithSource && kind <= FAULT_clCreateKernel) ||
               kind == FAULT_malloc || kind == FAULT_fstat || kind >= FAULT_rename;
    case MEMORY_AND_FILES:
        return kind >= FAULT_malloc;
    }
    return false;
}

/* What is under way, for those who read how it ended. */
static char under_way[512];

static void say_and_die(int number)
{
    faults_watch(false);
    ssize_t ignored = write(STDERR_FILENO, under_way, strlen(under_way));
    (void)ignored;
    signal(number, SIG_DFL);
    raise(number);
}

/* A fault that went wrong is told, and the next one comes; the test fails in the end. */
static jmp_buf next_fault;
#define FAIL(...)                       \
    do {                                \
        print_error("%s  ", under_way); \
        print_error(__VA_ARGS__);       \
        print_error("\n");              \
        longjmp(next_fault, 1);         \
    } while (0)

/* ---- one run ---- */

/* Only these calls have to do with files and JSON, and they build no program. */
static bool is_about_files(const operation *o)
{
    return strstr(o->name, "save") != NULL || strstr(o->name, "load") != NULL ||
           strstr(o->name, "notes") != NULL;
}

static bool is_about_what_a_device_is(fault_kind kind, unsigned what)
{
    return kind == FAULT_clGetPlatformIDs || kind == FAULT_clGetPlatformInfo ||
           kind == FAULT_clGetDeviceIDs ||
           (kind == FAULT_clGetDeviceInfo &&
            (what == CL_DEVICE_NAME || what == CL_DEVICE_VENDOR || what == CL_DRIVER_VERSION ||
             what == CL_DEVICE_TYPE || what == CL_DEVICE_GLOBAL_MEM_SIZE ||
             what == CL_DEVICE_MAX_COMPUTE_UNITS));
}

/*
 * Whether a fault may go unnoticed, but for its work being done in another way: where nobody can be told,
 * where there is another way to ask, and in the cache of compiled programs, without which there is one more
 * program to compile.
 */
static bool may_be_survived(const setting *s, const way *how, const operation *o)
{
    const unsigned what = fault_detail();
    if (o->is_void || how->status == CLGRAD_STATUS_SUCCESS)
        return true;
    if (strcmp(o->name, "device_list") == 0)
        return how->kind < FAULT_malloc;
    if (s->on_callers_queue && is_about_what_a_device_is(how->kind, what))
        return strcmp(o->name, "context_create") == 0; /* then it has no specification */
    switch (how->kind) {
    case FAULT_close:
        return what == 0; /* of a file that was read */
    case FAULT_clGetDeviceInfo:
        return what == CL_DEVICE_OPENCL_C_ALL_VERSIONS ||
               (s->cache != CACHE_OFF && (what == CL_DEVICE_ADDRESS_BITS || what == CL_DEVICE_PLATFORM));
    case FAULT_clGetPlatformInfo:
        return s->cache != CACHE_OFF && what == CL_PLATFORM_VERSION;
    case FAULT_clBuildProgram:
    case FAULT_clCreateProgramWithBinary:
        return s->cache == CACHE_WARM;
    case FAULT_malloc:
    case FAULT_fstat:
    case FAULT_rename:
    case FAULT_unlink:
        return s->cache != CACHE_OFF && !is_about_files(o);
    case FAULT_mkdir:
    case FAULT_mkstemp:
    case FAULT_fopen:
    case FAULT_fdopen:
    case FAULT_fread:
    case FAULT_fwrite:
    case FAULT_fclose:
        return s->cache != CACHE_OFF;
    default:
        return false;
    }
}

static const char *opencl_name(int code)
{
    switch (code) {
#define NAME(code) \
    case code:     \
        return #code;
        NAME(CL_OUT_OF_HOST_MEMORY)
        NAME(CL_OUT_OF_RESOURCES)
        NAME(CL_DEVICE_NOT_AVAILABLE)
        NAME(CL_MEM_OBJECT_ALLOCATION_FAILURE)
        NAME(CL_INVALID_CONTEXT)
        NAME(CL_INVALID_BINARY)
        NAME(CL_BUILD_PROGRAM_FAILURE)
#undef NAME
    default:
        return "?";
    }
}

/* The sentence names what went wrong. */
static void check_sentence(const setting *s, const world *w, const way *how, const char *sentence)
{
    if (how->kind < FAULT_malloc) {
        if (strstr(sentence, opencl_name(how->code)) == NULL &&
            !(s->gemm != NULL && strcmp(s->gemm, "clblast") == 0 && strstr(sentence, "CLBlast") != NULL))
            FAIL("the sentence does not name %s: \"%s\"", opencl_name(how->code), sentence);
    } else if (how->status == CLGRAD_STATUS_OUT_OF_MEMORY) {
        if (strstr(sentence, "memory") == NULL && strstr(sentence, "room") == NULL)
            FAIL("the sentence says nothing about memory: \"%s\"", sentence);
    } else if (strstr(sentence, w->file.text) == NULL || strstr(sentence, strerror(how->code)) == NULL) {
        FAIL("the sentence does not name the path and \"%s\": \"%s\"", strerror(how->code), sentence);
    }
}

/* A call has failed. Only what may have changed has; put back what the headers say has to be. */
static void check_failure(const setting *s, const world *w, const way *how, size_t i, clgrad_status status,
                          const record *states)
{
    static const record nothing;
    const operation *o = &operations[i];
    const record *before = i > 0 ? &states[i - 1] : &nothing;
    const char *sentence = w->context != NULL ? w->context->error : w->message.text;
    /* Two that the headers tell of: a buffer of the reference's, and a word that the parser had no room for.
     */
    const bool is_buffer =
        s->on_reference && how->kind == FAULT_malloc && status == CLGRAD_STATUS_OUT_OF_DEVICE_MEMORY;
    const bool is_word = how->kind == FAULT_json_malloc && status == CLGRAD_STATUS_INVALID_FILE &&
                         strstr(sentence, "is no JSON that can be read") != NULL;
    /* CLBlast asks why a program did not build, and passes on that it could not be told; and memory that it
     * cannot ask about is none to it, whatever the reason. */
    const bool is_clblast = (how->kind == FAULT_clBuildProgram || how->kind == FAULT_clGetMemObjectInfo) &&
                            status == CLGRAD_STATUS_DEVICE_ERROR && strstr(sentence, "CLBlast") != NULL;
    if (status != how->status && !is_buffer && !is_word && !is_clblast)
        FAIL("it answers %s (\"%s\"), not %s", clgrad_status_name(status), sentence,
             clgrad_status_name(how->status));
    if (!is_word && strcmp(o->name, "device_list") != 0)
        check_sentence(s, w, how, sentence);

    /* The one failure that comes after the file: its folder could not be synced. */
    const bool in_place = strstr(sentence, "is written and in its place") != NULL;
    const record now = record_now(w);
    const char *different = record_difference(&now, before, o->partial, in_place);
    if (different != NULL)
        FAIL("%s: changed by a call that failed", different);
    if (in_place && (different = record_difference(&now, &states[i], 0, false)) != NULL)
        FAIL("%s: not as after a call that only could not sync the folder", different);
    record_free(now);
    record_restore(w, before, o->restored);
}

static void check_state(const world *w, const record *wanted)
{
    const record now = record_now(w);
    const char *different = record_difference(&now, wanted, 0, false);
    if (different != NULL)
        FAIL("%s: not what it is in a run without a fault", different);
    record_free(now);
}

static clgrad_status call(world *w, const operation *o)
{
    w->message.text[0] = '\0';
    if (w->context != NULL)
        w->context->error[0] = '\0';
    faults_watch(true);
    const clgrad_status status = o->call(w, o->which);
    faults_watch(false);
    return status;
}

static void expect_success(const world *w, clgrad_status status)
{
    if (status != CLGRAD_STATUS_SUCCESS)
        FAIL("%s: \"%s\"", clgrad_status_name(status),
             w->context != NULL ? w->context->error : w->message.text);
}

/*
 * A context that could not wait in the end keeps its own block: a command might still write to it. These are
 * held here for the rest of the test, so that LeakSanitizer, which would report them, reports any others.
 */
static clgrad_context *unfinished_contexts[256];
static size_t unfinished_count;

static void check_all_given_back(fault_holds before, const way *how, clgrad_context *opened)
{
    const fault_holds after = faults_held();
    const struct {
        const char *name;
        long held;
    } held[] = {{"contexts", after.contexts - before.contexts},
                {"queues", after.queues - before.queues},
                {"memory objects", after.memories - before.memories},
                {"programs", after.programs - before.programs},
                {"kernels", after.kernels - before.kernels},
                {"events", after.events - before.events},
                {"blocks of host memory", after.blocks - before.blocks},
                {"file descriptors", after.descriptors - before.descriptors}};
    const bool unfinished = how != NULL && how->kind == FAULT_clFinish && after.blocks - before.blocks == 1;
    if (unfinished && unfinished_count < COUNT(unfinished_contexts))
        unfinished_contexts[unfinished_count++] = opened;
    for (size_t i = 0; i < COUNT(held); i++)
        if (held[i].held != 0 && !(unfinished && i == 6))
            FAIL("%s: %ld more are held than before the run", held[i].name, held[i].held);
}

/* ---- all of them ---- */

/* Of a kind: calls in a run without faults, faults, and those that were no failure. */
typedef struct tally {
    unsigned long calls, injected, survived;
} tally;

/* A setting on a device: what a run without a fault gives, and how many calls each operation makes in it. */
typedef struct bench {
    const setting *setting;
    const char *specification;
    cl_command_queue queue; /* the caller's, or NULL */
    path folder;            /* of compiled programs */
    size_t files;           /* in it when it is warm */
    record *states;
    bool is_counting; /* calls, so far */
    unsigned long (*calls)[FAULT_KIND_COUNT];
    tally tallies[FAULT_KIND_COUNT];
} bench;

/* A run with a way to fail, or without: NULL. */
typedef struct course {
    const way *how;
    unsigned long round; /* from 0 */
    bool lasting;
} course;

static struct {
    bool full;
    const char *only, *only_call; /* names of a setting and of a kind, or NULL */
    unsigned long failed;
} sweep;

/*
 * A run has a fault in each operation that makes such calls: once an operation has been made good everything
 * is as if nothing had been, so that the next is met as in a run of its own. In full the round's number is
 * that of the call; otherwise calls are spread over all there are. With compiled programs on disk one
 * operation leaves another with more to do, so there a run has one fault: the round's, over all operations.
 */
static fault plan(const bench *b, course c, size_t which)
{
    const fault_kind kind = c.how->kind;
    const unsigned long calls = b->calls[which][kind];
    unsigned long number = c.round < calls ? c.round + 1 : 0, before = 0;
    if (b->setting->cache != CACHE_OFF) {
        for (size_t i = 0; i < which; i++)
            before += b->calls[i][kind];
        number = c.round >= before && c.round < before + calls ? c.round - before + 1 : 0;
    } else if (!sweep.full && calls > 0) {
        number = 1 + (c.round + 5 * which) % calls;
    }
    return (fault){kind, number, c.how->code, c.lasting};
}

static void describe(const bench *b, const operation *o, fault f)
{
    int length =
        snprintf(under_way, sizeof under_way, "%s [%s]: %s", b->setting->name, b->specification, o->name);
    if (f.call > 0)
        snprintf(under_way + length, sizeof under_way - (size_t)length, ": call %lu of %s fails with %d%s",
                 f.call, fault_kind_name(f.kind), f.code, f.lasting ? ", and so do all after it" : "");
}

/* An operation that a fault was meant for has answered. It is judged, and where it has failed it is called
 * again. */
static void judge(bench *b, world *w, const way *how, size_t i, clgrad_status status)
{
    const operation *o = &operations[i];
    tally *t = &b->tallies[how->kind];
    if (!faults_disarm())
        FAIL("the call has not come");
    t->injected++;
    if (status == CLGRAD_STATUS_SUCCESS) {
        if (!may_be_survived(b->setting, how, o))
            FAIL("it answers success (the call was about 0x%x)", fault_detail());
        t->survived++;
    } else {
        if (how->status == CLGRAD_STATUS_SUCCESS)
            FAIL("%s, but nothing was wrong: \"%s\"", clgrad_status_name(status), w->context->error);
        check_failure(b->setting, w, how, i, status, b->states);
        expect_success(w, call(w, o));
    }
    check_state(w, &b->states[i]);
}

/* The whole life. Where they are wanted, states are recorded. */
static void live(bench *b, course c, record *recorded)
{
    const fault_holds before = faults_held();
    world w = world_begin(b->specification, b->queue);
    clgrad_context *opened = NULL;
    for (size_t i = 0; i < operation_count; i++) {
        const operation *o = &operations[i];
        const fault f = c.how != NULL ? plan(b, c, i) : (fault){.call = 0};
        describe(b, o, f);
        faults_begin(f);
        const clgrad_status status = call(&w, o);
        opened = w.context != NULL ? w.context : opened;
        for (int kind = 0; b->is_counting && kind < FAULT_KIND_COUNT; kind++)
            b->calls[i][kind] = fault_calls((fault_kind)kind);
        if (f.call > 0)
            judge(b, &w, c.how, i, status);
        else
            expect_success(&w, status);
        if (recorded != NULL)
            recorded[i] = record_now(&w);
        else if (i + 1 == operation_count || operations[i + 1].is_void)
            check_state(&w, &b->states[i]);
    }
    world_end(&w);
    if (recorded == NULL)
        check_all_given_back(before, c.how, opened);
}

static void empty_folder(const char *folder)
{
    path names[64];
    const size_t count = list(folder, names, COUNT(names));
    assert_true(count <= COUNT(names));
    for (size_t i = 0; i < count; i++)
        assert_int_equal(remove(names[i].text), 0);
}

/* Nothing half-written is left among the compiled programs, but what could not be removed. */
static void check_cache(const bench *b, course c)
{
    path names[64];
    const size_t count = list(b->folder.text, names, COUNT(names));
    for (size_t i = 0; i < count && c.how->kind != FAULT_unlink; i++)
        if (strstr(names[i].text, "/new-") != NULL)
            FAIL("%s is left behind", names[i].text);
}

static void run_course(bench *b, course c)
{
    const course clean = {.how = NULL};
    if (b->setting->cache == CACHE_COLD)
        empty_folder(b->folder.text);
    if (setjmp(next_fault) != 0) {
        sweep.failed++;
        return;
    }
    live(b, c, NULL);
    if (b->setting->cache != CACHE_OFF)
        check_cache(b, c);
    if (b->setting->cache == CACHE_WARM && list(b->folder.text, NULL, 0) != b->files)
        live(b, clean, NULL); /* what the fault has lost comes back */
}

/* In the short form one run with one way of each kind, in each setting another. */
static void run_kind(bench *b, fault_kind kind)
{
    const unsigned long turn = (unsigned long)(b->setting - settings) + (unsigned long)kind;
    unsigned long most = 0, all = 0, found = 0;
    for (size_t i = 0; i < operation_count; i++) {
        most = b->calls[i][kind] > most ? b->calls[i][kind] : most;
        all += b->calls[i][kind];
    }
    const unsigned long rounds = b->setting->cache != CACHE_OFF ? all : most;
    const way *of_kind[4];
    for (size_t i = 0; i < COUNT(ways); i++)
        if (ways[i].kind == kind)
            of_kind[found++] = &ways[i];
    assert_in_range(found, 1, COUNT(of_kind));
    if (rounds == 0 || !concerns(b->setting, kind) ||
        (sweep.only_call != NULL && strcmp(sweep.only_call, fault_kind_name(kind)) != 0))
        return;
    b->tallies[kind].calls = all;
    if (!sweep.full) {
        const way *how = of_kind[turn % found];
        run_course(b, (course){how, turn * 13 % rounds, how->may_last && turn % 2});
        return;
    }
    /* Where there are hundreds of calls in one operation, every other fault lasts. */
    for (unsigned long i = 0; i < found; i++)
        for (unsigned long round = 0; round < rounds; round++)
            for (int lasting = 0; lasting <= of_kind[i]->may_last; lasting++)
                if (rounds <= 100 || !of_kind[i]->may_last || (unsigned long)lasting == round % 2)
                    run_course(b, (course){of_kind[i], round, lasting});
}

static void print_tallies(const bench *b, double seconds)
{
    unsigned long injected = 0;
    print_message("%s [%s]\n    %-28s %8s %8s %9s\n", b->setting->name, b->specification, "call", "in a run",
                  "faults", "survived");
    for (int kind = 0; kind < FAULT_KIND_COUNT; kind++) {
        const tally *t = &b->tallies[kind];
        injected += t->injected;
        if (t->calls > 0)
            print_message("    %-28s %8lu %8lu %9lu\n", fault_kind_name((fault_kind)kind), t->calls,
                          t->injected, t->survived);
    }
    print_message("    %lu faults in %.0f s\n", injected, seconds);
}

static double seconds_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* Without a fault first, for what there should be, and again, to see that it is; then with each. */
static void run_setting(const setting *s, const char *specification, cl_command_queue queue)
{
    const course clean = {.how = NULL};
    bench b = {.setting = s, .specification = specification, .queue = queue, .folder = make_place()};
    const double begin = seconds_now();
    setenv("CLGRAD_CACHE", s->cache == CACHE_OFF ? "off" : b.folder.text, 1);
    if (s->gemm != NULL)
        setenv("CLGRAD_GEMM", s->gemm, 1);
    b.states = allocate(operation_count, sizeof *b.states);
    b.calls = allocate(operation_count, sizeof *b.calls);
    if (setjmp(next_fault) != 0)
        fail_msg("there must be runs without a fault to compare with");
    b.is_counting = true;
    live(&b, clean, b.states);
    if (s->cache == CACHE_COLD)
        empty_folder(b.folder.text);
    live(&b, clean, NULL);
    b.is_counting = false;
    b.files = list(b.folder.text, NULL, 0);
    for (int kind = 0; kind < FAULT_KIND_COUNT; kind++)
        run_kind(&b, (fault_kind)kind);
    print_tallies(&b, seconds_now() - begin);
    for (size_t i = 0; i < operation_count; i++)
        record_free(b.states[i]);
    free(b.states);
    free(b.calls);
    unsetenv("CLGRAD_GEMM");
    setenv("CLGRAD_CACHE", "off", 1);
    remove_all(b.folder.text);
}

/* A queue of the caller's own on the device of a specification. */
static void run_on_queue(const setting *s, const clgrad_device *device)
{
    clgrad_context *context;
    cl_context opencl = NULL;
    cl_device_id id = NULL;
    cl_int error = CL_SUCCESS;
    assert_int_equal(clgrad_context_create(device->specification, &context, NULL), CLGRAD_STATUS_SUCCESS);
    clGetCommandQueueInfo(clgrad_opencl_queue(context), CL_QUEUE_DEVICE, sizeof id, &id, NULL);
    clgrad_context_destroy(context);
    opencl = clCreateContext(NULL, 1, &id, NULL, NULL, &error);
    assert_int_equal(error, CL_SUCCESS);
    cl_command_queue queue = clCreateCommandQueueWithProperties(opencl, id, NULL, &error);
    assert_int_equal(error, CL_SUCCESS);
    run_setting(s, device->specification, queue);
    clReleaseCommandQueue(queue);
    clReleaseContext(opencl);
}

static void run_on_devices(void **state)
{
    const setting *s = *state;
    clgrad_device devices[16];
    size_t count;
    if (sweep.only != NULL ? strcmp(sweep.only, s->name) != 0 : s->only_by_name)
        skip();
    assert_int_equal(clgrad_device_list(devices, COUNT(devices), &count), CLGRAD_STATUS_SUCCESS);
    sweep.failed = 0;
    for (size_t i = 0; i < count && i < COUNT(devices); i++) {
        const clgrad_device *device = &devices[i];
        if ((device->type == CLGRAD_DEVICE_REFERENCE) != s->on_reference)
            continue;
        if (s->on_callers_queue)
            run_on_queue(s, device);
        else
            run_setting(s, device->specification, NULL);
    }
    if (sweep.failed > 0)
        fail_msg("%lu faults went wrong", sweep.failed);
}

int main(int argc, char **argv)
{
    struct CMUnitTest tests[COUNT(settings)];
    for (int i = 1; i < argc; i++)
        if (strcmp(argv[i], "--full") == 0)
            sweep.full = true;
        else if (sweep.only == NULL)
            sweep.only = argv[i];
        else
            sweep.only_call = argv[i];
    bool is_known = sweep.only == NULL;
    for (size_t i = 0; i < COUNT(settings); i++)
        is_known |= !is_known && strcmp(sweep.only, settings[i].name) == 0;
    if (!is_known) {
        fprintf(stderr, "there is no setting \"%s\"; usage: test_faults [--full] [", sweep.only);
        for (size_t i = 0; i < COUNT(settings); i++)
            fprintf(stderr, "%s%s", i > 0 ? "|" : "", settings[i].name);
        fprintf(stderr, " [CALL]]\n");
        return 2;
    }
    for (size_t i = 0; i < COUNT(settings); i++)
        tests[i] = (struct CMUnitTest){settings[i].name, run_on_devices, NULL, NULL, (void *)&settings[i]};
    signal(SIGSEGV, say_and_die);
    signal(SIGABRT, say_and_die);
    json_set_alloc_funcs(fault_json_malloc, fault_json_free);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
