/*
 * clgrad inside an ordinary OpenCL program: the program's own device, context, queue, kernels and memory, and
 * clgrad's calls between them, with no copy and no wait in between.
 *
 *     host_interop          the first GPU there is, or else the first device
 *     host_interop 0.1      device 1 of platform 0
 *
 * The program makes points and their classes on the device with a kernel of its own. clgrad trains a linear
 * classifier on them: the points, the classes and the weights are the program's own cl_mem. A second kernel
 * of the program's then counts how many points are classified rightly, from scores that lie in memory of
 * clgrad's. At the end the program repeats everything on the host in double, and compares. Exit status 0 if
 * it agrees.
 */
#define CL_USE_DEPRECATED_OPENCL_1_2_APIS /* clCreateCommandQueue, which every OpenCL version has */
#define CL_TARGET_OPENCL_VERSION 300

#include <clgrad/clgrad.h>
#include <clgrad/opencl.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { POINTS = 3000, INPUTS = 2, CLASSES = 3, WEIGHTS = CLASSES * INPUTS, STEPS = 50 };

#define LEARNING_RATE 2.0
#define TOLERANCE 1e-4

/* The coordinates are multiples of 1/512, so that the host can make exactly the same ones. */
static const char kernel_source[] =
    "kernel void make_points(global float *points, global int *classes)\n"
    "{\n"
    "    int i = (int)get_global_id(0);\n"
    "    float x = (float)((i * 389) % 1024 - 512) / 512.0f;\n"
    "    float y = (float)((i * 691 + i / 7) % 1024 - 512) / 512.0f;\n"
    "    points[2 * i] = x;\n"
    "    points[2 * i + 1] = y;\n"
    "    classes[i] = x > 0.25f ? 0 : y > 0.0f ? 1 : 2;\n"
    "}\n"
    "\n"
    "kernel void count_right(global const float *scores, ulong first, global const int *classes,\n"
    "                        global int *right)\n"
    "{\n"
    "    int i = (int)get_global_id(0);\n"
    "    global const float *score = scores + first + 3 * i;\n"
    "    int best = score[1] > score[0] ? 1 : 0;\n"
    "    best = score[2] > score[best] ? 2 : best;\n"
    "    if (best == classes[i])\n"
    "        atomic_inc(right);\n"
    "}\n";

/* What any OpenCL program has. */
typedef struct host {
    cl_device_id device;
    cl_context context;
    cl_command_queue queue;
    cl_program program;
    cl_kernel make_points, count_right;
    cl_mem points;     /* float [POINTS, INPUTS] */
    cl_mem classes;    /* int [POINTS] */
    cl_mem parameters; /* float: weight [CLASSES, INPUTS], then bias [CLASSES] */
    cl_mem right;      /* one int */
} host;

static bool succeeded(cl_int code, const char *call)
{
    if (code != CL_SUCCESS)
        fprintf(stderr, "host_interop: %s failed with OpenCL's error %d\n", call, code);
    return code == CL_SUCCESS;
}

/* Device D of platform P for "P.D"; without an argument the first GPU or, where there is none, the first. */
static bool choose_device(const char *choice, cl_device_id *device)
{
    cl_platform_id platforms[16];
    cl_uint platform_count = 0, wanted_platform = 0, wanted_device = 0;
    char rest;
    if (choice != NULL && sscanf(choice, "%u.%u%c", &wanted_platform, &wanted_device, &rest) != 2) {
        fprintf(stderr, "host_interop: \"%s\" is not of the form platform.device, 0.1 say\n", choice);
        return false;
    }
    clGetPlatformIDs(16, platforms, &platform_count);
    for (int gpu_only = choice == NULL; gpu_only >= 0; gpu_only--) {
        for (cl_uint p = 0; p < platform_count && p < 16; p++) {
            cl_device_id devices[16];
            cl_uint device_count = 0;
            clGetDeviceIDs(platforms[p], gpu_only ? CL_DEVICE_TYPE_GPU : CL_DEVICE_TYPE_ALL, 16, devices,
                           &device_count);
            cl_uint d = choice != NULL ? wanted_device : 0;
            if ((choice == NULL || p == wanted_platform) && d < device_count && d < 16) {
                *device = devices[d];
                return true;
            }
        }
    }
    fprintf(stderr, "host_interop: there is no OpenCL device%s%s%s\n", choice != NULL ? " " : "",
            choice != NULL ? choice : "",
            platform_count == 0
                ? ": install your GPU's OpenCL driver, or PoCL for the CPU (Debian and Ubuntu: "
                  "pocl-opencl-icd)"
                : "");
    return false;
}

static bool create_buffer(host *h, size_t bytes, cl_mem *memory)
{
    cl_int code;
    *memory = clCreateBuffer(h->context, CL_MEM_READ_WRITE, bytes, NULL, &code);
    return succeeded(code, "clCreateBuffer");
}

static bool host_create(const char *choice, host *h)
{
    const char *source = kernel_source;
    cl_int code;
    if (!choose_device(choice, &h->device))
        return false;
    h->context = clCreateContext(NULL, 1, &h->device, NULL, NULL, &code);
    if (!succeeded(code, "clCreateContext"))
        return false;
    h->queue = clCreateCommandQueue(h->context, h->device, 0, &code); /* in order: what clgrad needs */
    if (!succeeded(code, "clCreateCommandQueue"))
        return false;
    h->program = clCreateProgramWithSource(h->context, 1, &source, NULL, &code);
    if (!succeeded(code, "clCreateProgramWithSource") ||
        !succeeded(clBuildProgram(h->program, 1, &h->device, NULL, NULL, NULL), "clBuildProgram"))
        return false;
    h->make_points = clCreateKernel(h->program, "make_points", &code);
    if (!succeeded(code, "clCreateKernel"))
        return false;
    h->count_right = clCreateKernel(h->program, "count_right", &code);
    return succeeded(code, "clCreateKernel") &&
           create_buffer(h, POINTS * INPUTS * sizeof(cl_float), &h->points) &&
           create_buffer(h, POINTS * sizeof(cl_int), &h->classes) &&
           create_buffer(h, (WEIGHTS + CLASSES) * sizeof(cl_float), &h->parameters) &&
           create_buffer(h, sizeof(cl_int), &h->right);
}

static void host_destroy(host *h)
{
    cl_mem memory[] = {h->points, h->classes, h->parameters, h->right};
    for (size_t i = 0; i < sizeof memory / sizeof *memory; i++)
        if (memory[i] != NULL)
            clReleaseMemObject(memory[i]);
    if (h->make_points != NULL)
        clReleaseKernel(h->make_points);
    if (h->count_right != NULL)
        clReleaseKernel(h->count_right);
    if (h->program != NULL)
        clReleaseProgram(h->program);
    if (h->queue != NULL)
        clReleaseCommandQueue(h->queue);
    if (h->context != NULL)
        clReleaseContext(h->context);
}

/* The program's first kernel, and zeros where the training begins. Nothing here waits. */
static bool make_points(host *h)
{
    const size_t size = POINTS;
    const cl_float zero = 0;
    const cl_int none = 0;
    return succeeded(clEnqueueFillBuffer(h->queue, h->parameters, &zero, sizeof zero, 0,
                                         (WEIGHTS + CLASSES) * sizeof zero, 0, NULL, NULL),
                     "clEnqueueFillBuffer") &&
           succeeded(
               clEnqueueFillBuffer(h->queue, h->right, &none, sizeof none, 0, sizeof none, 0, NULL, NULL),
               "clEnqueueFillBuffer") &&
           succeeded(clSetKernelArg(h->make_points, 0, sizeof h->points, &h->points), "clSetKernelArg") &&
           succeeded(clSetKernelArg(h->make_points, 1, sizeof h->classes, &h->classes), "clSetKernelArg") &&
           succeeded(clEnqueueNDRangeKernel(h->queue, h->make_points, 1, NULL, &size, NULL, 0, NULL, NULL),
                     "clEnqueueNDRangeKernel");
}

/* The program's second kernel, on scores in clgrad's memory. */
static bool count_right(host *h, clgrad_tensor scores)
{
    const size_t size = POINTS;
    const cl_mem memory = clgrad_opencl_memory(scores.buffer);
    const cl_ulong first = scores.offset;
    return succeeded(clSetKernelArg(h->count_right, 0, sizeof memory, &memory), "clSetKernelArg") &&
           succeeded(clSetKernelArg(h->count_right, 1, sizeof first, &first), "clSetKernelArg") &&
           succeeded(clSetKernelArg(h->count_right, 2, sizeof h->classes, &h->classes), "clSetKernelArg") &&
           succeeded(clSetKernelArg(h->count_right, 3, sizeof h->right, &h->right), "clSetKernelArg") &&
           succeeded(clEnqueueNDRangeKernel(h->queue, h->count_right, 1, NULL, &size, NULL, 0, NULL, NULL),
                     "clEnqueueNDRangeKernel");
}

/* What clgrad sees: the program's memory, wrapped, and some of its own. */
typedef struct learner {
    clgrad_context *context;
    clgrad_buffer *points, *classes, *parameters; /* the program's memory */
    clgrad_buffer *own;                           /* clgrad's */
    clgrad_tensor x, target, all, weight, bias;
    clgrad_tensor scores, dscores, gradient, dweight, dbias, loss;
} learner;

static clgrad_status learner_create(host *h, learner *l, clgrad_message *message)
{
    const size_t scores = POINTS * CLASSES, all = WEIGHTS + CLASSES;
    clgrad_status status = clgrad_opencl_context_create(h->queue, &l->context, message);
    if (status != CLGRAD_STATUS_SUCCESS)
        return status;
    if ((status = clgrad_opencl_buffer_create(l->context, h->points, &l->points)) != CLGRAD_STATUS_SUCCESS ||
        (status = clgrad_opencl_buffer_create(l->context, h->classes, &l->classes)) !=
            CLGRAD_STATUS_SUCCESS ||
        (status = clgrad_opencl_buffer_create(l->context, h->parameters, &l->parameters)) !=
            CLGRAD_STATUS_SUCCESS ||
        (status = clgrad_buffer_create(l->context, (2 * scores + all + 1) * sizeof(float), &l->own)) !=
            CLGRAD_STATUS_SUCCESS)
        return status;
    l->x = clgrad_tensor_matrix(l->points, 0, POINTS, INPUTS);
    l->target = clgrad_tensor_vector(l->classes, 0, CLGRAD_TYPE_INT32, POINTS);
    l->all = clgrad_tensor_vector(l->parameters, 0, CLGRAD_TYPE_FLOAT32, all);
    l->weight = clgrad_tensor_matrix(l->parameters, 0, CLASSES, INPUTS);
    l->bias = clgrad_tensor_vector(l->parameters, WEIGHTS, CLGRAD_TYPE_FLOAT32, CLASSES);
    l->scores = clgrad_tensor_matrix(l->own, 0, POINTS, CLASSES);
    l->dscores = clgrad_tensor_matrix(l->own, scores, POINTS, CLASSES);
    l->gradient = clgrad_tensor_vector(l->own, 2 * scores, CLGRAD_TYPE_FLOAT32, all);
    l->dweight = clgrad_tensor_matrix(l->own, 2 * scores, CLASSES, INPUTS);
    l->dbias = clgrad_tensor_vector(l->own, 2 * scores + WEIGHTS, CLGRAD_TYPE_FLOAT32, CLASSES);
    l->loss = clgrad_tensor_scalar(l->own, 2 * scores + all);
    return CLGRAD_STATUS_SUCCESS;
}

/* Destroying a wrapper leaves the program's memory alone. */
static void learner_destroy(learner *l)
{
    clgrad_buffer_destroy(l->points);
    clgrad_buffer_destroy(l->classes);
    clgrad_buffer_destroy(l->parameters);
    clgrad_buffer_destroy(l->own);
    clgrad_context_destroy(l->context);
}

/* Softmax regression by gradient descent. Every call goes into the program's queue and returns at once. */
static clgrad_status learn(learner *l)
{
    const clgrad_activation identity = clgrad_activation_defaults(CLGRAD_ACTIVATION_IDENTITY);
    const clgrad_loss loss = clgrad_loss_defaults(CLGRAD_LOSS_CROSS_ENTROPY);
    clgrad_optimizer sgd = clgrad_optimizer_defaults(CLGRAD_OPTIMIZER_SGD);
    clgrad_status status = CLGRAD_STATUS_SUCCESS;
    sgd.lr = (float)LEARNING_RATE;
    for (uint64_t step = 1; step <= STEPS && status == CLGRAD_STATUS_SUCCESS; step++) {
        status = clgrad_dense_forward(l->context, &identity, l->x, l->weight, l->bias, l->scores, l->scores);
        if (status == CLGRAD_STATUS_SUCCESS)
            status =
                clgrad_loss_forward_backward(l->context, &loss, l->scores, l->target, l->loss, l->dscores);
        if (status == CLGRAD_STATUS_SUCCESS)
            status = clgrad_dense_backward(l->context, &identity, l->x, l->weight, l->scores, l->dscores,
                                           l->dscores, l->dweight, l->dbias, clgrad_tensor_none());
        if (status == CLGRAD_STATUS_SUCCESS)
            status = clgrad_optimizer_step(l->context, &sgd, step, l->gradient, l->all, clgrad_tensor_none());
    }
    if (status == CLGRAD_STATUS_SUCCESS)
        status = clgrad_dense_forward(l->context, &identity, l->x, l->weight, l->bias, l->scores, l->scores);
    return status;
}

/* The same on the host, in double, without clgrad: parameters, the last loss, points classified rightly. */
static void learn_on_host(double p[WEIGHTS + CLASSES], double *loss, int *right, int *near_ties)
{
    *right = *near_ties = 0;
    for (int step = 0; step <= STEPS; step++) { /* the last time round only counts */
        double gradient[WEIGHTS + CLASSES] = {0};
        for (int i = 0; i < POINTS; i++) {
            const double x[INPUTS] = {((i * 389) % 1024 - 512) / 512.0,
                                      ((i * 691 + i / 7) % 1024 - 512) / 512.0};
            const int target = x[0] > 0.25 ? 0 : x[1] > 0 ? 1 : 2;
            double score[CLASSES], sum = 0;
            for (int c = 0; c < CLASSES; c++) {
                score[c] = p[c * INPUTS] * x[0] + p[c * INPUTS + 1] * x[1] + p[WEIGHTS + c];
                sum += exp(score[c]);
            }
            if (step == STEPS) {
                const double other = fmax(score[(target + 1) % 3], score[(target + 2) % 3]);
                *right += score[target] > other;
                *near_ties += fabs(score[target] - other) < TOLERANCE;
                continue;
            }
            *loss = (i == 0 ? 0 : *loss) + (log(sum) - score[target]) / POINTS;
            for (int c = 0; c < CLASSES; c++) {
                const double d = (exp(score[c]) / sum - (c == target)) / POINTS;
                gradient[c * INPUTS] += d * x[0];
                gradient[c * INPUTS + 1] += d * x[1];
                gradient[WEIGHTS + c] += d;
            }
        }
        for (int i = 0; i < WEIGHTS + CLASSES; i++)
            p[i] -= LEARNING_RATE * gradient[i];
    }
}

/* Read what is to be compared (the only waits there are), print both sides, and compare. */
static bool verify(host *h, const learner *l)
{
    float parameters[WEIGHTS + CLASSES], loss;
    cl_int right = 0;
    double expected[WEIGHTS + CLASSES] = {0}, expected_loss = 0, difference = 0;
    int expected_right, near_ties;
    if (!succeeded(clEnqueueReadBuffer(h->queue, h->parameters, CL_TRUE, 0, sizeof parameters, parameters, 0,
                                       NULL, NULL),
                   "clEnqueueReadBuffer") ||
        !succeeded(clEnqueueReadBuffer(h->queue, h->right, CL_TRUE, 0, sizeof right, &right, 0, NULL, NULL),
                   "clEnqueueReadBuffer"))
        return false;
    if (clgrad_tensor_read(l->context, l->loss, &loss, sizeof loss) != CLGRAD_STATUS_SUCCESS) {
        fprintf(stderr, "host_interop: %s\n", clgrad_context_error(l->context));
        return false;
    }
    learn_on_host(expected, &expected_loss, &expected_right, &near_ties);

    printf("%-24s %12s %12s\n", "", "device", "host");
    for (int i = 0; i < WEIGHTS + CLASSES; i++) {
        printf("%s %-*d %12.6f %12.6f\n", i < WEIGHTS ? "weight" : "bias", i < WEIGHTS ? 17 : 19,
               i < WEIGHTS ? i : i - WEIGHTS, (double)parameters[i], expected[i]);
        const double d = fabs((double)parameters[i] - expected[i]);
        if (!(d <= difference)) /* NaN too */
            difference = d;
    }
    printf("%-24s %12.6f %12.6f\n", "loss of the last step", (double)loss, expected_loss);
    printf("%-24s %12d %12d of %d\n", "classified rightly", right, expected_right, POINTS);

    const bool agree = difference <= TOLERANCE && fabs((double)loss - expected_loss) <= TOLERANCE &&
                       abs(right - expected_right) <= near_ties;
    printf("%s within %.0e\n", agree ? "They agree" : "They do NOT agree", TOLERANCE);
    if (!agree)
        fprintf(stderr, "host_interop: device and host do not agree\n");
    return agree;
}

int main(int argc, char **argv)
{
    host h = {0};
    learner l = {0};
    clgrad_message message = {""};
    int exit_status = EXIT_FAILURE;

    if (argc > 2) {
        fprintf(stderr, "host_interop: the only argument is platform.device, 0.1 say\n");
        return 2;
    }
    if (!host_create(argc == 2 ? argv[1] : NULL, &h) || !make_points(&h))
        goto cleanup;
    if (learner_create(&h, &l, &message) != CLGRAD_STATUS_SUCCESS || learn(&l) != CLGRAD_STATUS_SUCCESS) {
        fprintf(stderr, "host_interop: %s\n",
                l.context != NULL ? clgrad_context_error(l.context) : message.text);
        goto cleanup;
    }
    if (!count_right(&h, l.scores))
        goto cleanup;

    printf("device: %s\n", clgrad_context_device(l.context)->name);
    printf(
        "own kernel make_points, %d steps of clgrad on the same memory, own kernel count_right: one queue,\n"
        "no copy, no wait until the results are read\n\n",
        STEPS);
    if (verify(&h, &l))
        exit_status = EXIT_SUCCESS;

cleanup:
    learner_destroy(&l);
    host_destroy(&h);
    return exit_status;
}
