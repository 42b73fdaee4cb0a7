/*
 * Backpropagation worked out by hand, and the same on a device.
 *
 *     worked_example                        the device that CLGRAD_DEVICE names, or the best OpenCL device
 *     worked_example --device opencl:0.1    another one
 *
 * The classic network of two inputs, two hidden and two output neurons, all sigmoid, learns one example. Each
 * quantity of the derivation is printed three times, side by side: computed by hand (plain C, in double, as a
 * textbook writes it), on clgrad's reference device, and on the chosen device. The exit status is 0 only if
 * the figures by hand are the ones known for this example and the devices agree with them.
 *
 *     i1 0.05 --- w1 w3 ---> h1 --- w5 w7 ---> o1, target 0.01
 *     i2 0.10 --- w2 w4 ---> h2 --- w6 w8 ---> o2, target 0.99
 *                 b1 0.35           b2 0.60
 *
 * Conventions, which decide the last digits: the error is E = 1/2 sum (target - o)^2, the learning rate 0.5;
 * the biases stay fixed; all gradients are taken at the old weights. (Whoever derives the hidden layer with
 * w5 to w8 already updated gets 0.291027924 after one update, not 0.291027774.)
 */
#include <clgrad/clgrad.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LEARNING_RATE 0.5
#define UPDATES 10000

/* The devices compute in single precision; by the last update its rounding has added up. */
#define TOLERANCE 2e-6
#define TOLERANCE_AT_THE_END 1e-4

static const double input[2] = {0.05, 0.10}, target[2] = {0.01, 0.99};
static const double hidden_bias = 0.35, output_bias = 0.60;
static const double first_weights[8] = {0.15, 0.20, 0.25, 0.30, 0.40, 0.45, 0.50, 0.55}; /* w1 to w8 */

/* Every quantity of the derivation. */
typedef struct derivation {
    double net_h[2], h[2], net_o[2], o[2]; /* forward: net input and output of each neuron */
    double error;
    double delta_o[2], delta_h[2];   /* dE/dnet of each neuron */
    double gradient[8], weight[8];   /* dE/dw, and w after one update, of w1 to w8 */
    double error_once, error_at_end; /* after one update, and after all */
} derivation;

/* ---- by hand ---- */

static double sigmoid(double x)
{
    return 1 / (1 + exp(-x));
}

static void forward_by_hand(const double w[8], derivation *d)
{
    d->net_h[0] = w[0] * input[0] + w[1] * input[1] + hidden_bias;
    d->net_h[1] = w[2] * input[0] + w[3] * input[1] + hidden_bias;
    d->h[0] = sigmoid(d->net_h[0]);
    d->h[1] = sigmoid(d->net_h[1]);
    d->net_o[0] = w[4] * d->h[0] + w[5] * d->h[1] + output_bias;
    d->net_o[1] = w[6] * d->h[0] + w[7] * d->h[1] + output_bias;
    d->o[0] = sigmoid(d->net_o[0]);
    d->o[1] = sigmoid(d->net_o[1]);
    d->error = 0.5 * (pow(target[0] - d->o[0], 2) + pow(target[1] - d->o[1], 2));
}

static void backward_by_hand(const double w[8], derivation *d)
{
    /* dE/do = o - target, and sigmoid' = o (1 - o) */
    d->delta_o[0] = (d->o[0] - target[0]) * d->o[0] * (1 - d->o[0]);
    d->delta_o[1] = (d->o[1] - target[1]) * d->o[1] * (1 - d->o[1]);
    d->gradient[4] = d->delta_o[0] * d->h[0];
    d->gradient[5] = d->delta_o[0] * d->h[1];
    d->gradient[6] = d->delta_o[1] * d->h[0];
    d->gradient[7] = d->delta_o[1] * d->h[1];

    /* dE/dh gathers what comes back from both outputs */
    d->delta_h[0] = (d->delta_o[0] * w[4] + d->delta_o[1] * w[6]) * d->h[0] * (1 - d->h[0]);
    d->delta_h[1] = (d->delta_o[0] * w[5] + d->delta_o[1] * w[7]) * d->h[1] * (1 - d->h[1]);
    d->gradient[0] = d->delta_h[0] * input[0];
    d->gradient[1] = d->delta_h[0] * input[1];
    d->gradient[2] = d->delta_h[1] * input[0];
    d->gradient[3] = d->delta_h[1] * input[1];
}

static derivation derive_by_hand(void)
{
    derivation first = {0}, d = {0};
    double w[8];
    memcpy(w, first_weights, sizeof w);
    for (int update = 1; update <= UPDATES; update++) {
        forward_by_hand(w, &d);
        backward_by_hand(w, &d);
        for (int i = 0; i < 8; i++)
            w[i] -= LEARNING_RATE * d.gradient[i];
        if (update == 1) {
            first = d;
            memcpy(first.weight, w, sizeof w);
            forward_by_hand(w, &d);
            first.error_once = d.error;
        }
    }
    forward_by_hand(w, &d);
    first.error_at_end = d.error;
    return first;
}

/* ---- with clgrad ---- */

/* The example on a device: tensors that all lie in one buffer. A batch here is one row. */
typedef struct example {
    clgrad_context *context;
    clgrad_buffer *buffer;
    clgrad_activation sigmoid;
    clgrad_loss loss;
    clgrad_optimizer optimizer;
    clgrad_tensor x, t, half;                     /* [1, 2], [1, 2], one number */
    clgrad_tensor parameters, w_h, w_o, b_h, b_o; /* [8], and the two [2, 2] in it; biases [2] */
    clgrad_tensor gradients, dw_h, dw_o;          /* likewise */
    clgrad_tensor net_h, h, net_o, o, sum;        /* forward: [1, 2] each, and one number */
    clgrad_tensor do_, delta_o, dh, delta_h;      /* backward: [1, 2] each */
} example;

/* The next rows x columns numbers of the buffer. */
static clgrad_tensor take(example *e, size_t *used, size_t rows, size_t columns)
{
    clgrad_tensor tensor = clgrad_tensor_matrix(e->buffer, *used, rows, columns);
    *used += rows * columns;
    return tensor;
}

static clgrad_status write_numbers(const example *e, clgrad_tensor tensor, const double *numbers)
{
    float floats[8];
    size_t count = clgrad_tensor_count(tensor);
    for (size_t i = 0; i < count; i++)
        floats[i] = (float)numbers[i];
    return clgrad_tensor_write(e->context, tensor, floats, count * sizeof *floats);
}

static clgrad_status read_numbers(const example *e, clgrad_tensor tensor, double *numbers)
{
    float floats[8];
    size_t count = clgrad_tensor_count(tensor);
    clgrad_status status = clgrad_tensor_read(e->context, tensor, floats, count * sizeof *floats);
    for (size_t i = 0; i < count && status == CLGRAD_STATUS_SUCCESS; i++)
        numbers[i] = (double)floats[i];
    return status;
}

static clgrad_status example_create(clgrad_context *context, example *e)
{
    *e = (example){.context = context};
    clgrad_status status = clgrad_buffer_create(context, 64 * sizeof(float), &e->buffer);
    if (status != CLGRAD_STATUS_SUCCESS)
        return status;

    size_t used = 16;
    clgrad_tensor *rows[] = {&e->x, &e->t,   &e->net_h,   &e->h,  &e->net_o,
                             &e->o, &e->do_, &e->delta_o, &e->dh, &e->delta_h};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        *rows[i] = take(e, &used, 1, 2);
    e->b_h = clgrad_tensor_vector(e->buffer, used, CLGRAD_TYPE_FLOAT32, 2);
    e->b_o = clgrad_tensor_vector(e->buffer, used + 2, CLGRAD_TYPE_FLOAT32, 2);
    e->sum = clgrad_tensor_scalar(e->buffer, used + 4);
    e->half = clgrad_tensor_scalar(e->buffer, used + 5);

    /* Both weights are parts of one vector, so that one optimizer step updates them. */
    e->parameters = clgrad_tensor_vector(e->buffer, 0, CLGRAD_TYPE_FLOAT32, 8);
    e->w_h = clgrad_tensor_matrix(e->buffer, 0, 2, 2);
    e->w_o = clgrad_tensor_matrix(e->buffer, 4, 2, 2);
    e->gradients = clgrad_tensor_vector(e->buffer, 8, CLGRAD_TYPE_FLOAT32, 8);
    e->dw_h = clgrad_tensor_matrix(e->buffer, 8, 2, 2);
    e->dw_o = clgrad_tensor_matrix(e->buffer, 12, 2, 2);

    /* The error 1/2 sum (t - o)^2 is half of the squared error, summed: see backward. */
    e->sigmoid = clgrad_activation_defaults(CLGRAD_ACTIVATION_SIGMOID);
    e->loss = clgrad_loss_defaults(CLGRAD_LOSS_MSE);
    e->loss.reduction = CLGRAD_REDUCTION_SUM;
    e->optimizer = clgrad_optimizer_defaults(CLGRAD_OPTIMIZER_SGD);
    e->optimizer.lr = (float)LEARNING_RATE;

    if ((status = write_numbers(e, e->x, input)) == CLGRAD_STATUS_SUCCESS &&
        (status = write_numbers(e, e->t, target)) == CLGRAD_STATUS_SUCCESS &&
        (status = write_numbers(e, e->parameters, first_weights)) == CLGRAD_STATUS_SUCCESS &&
        (status = clgrad_tensor_fill(context, e->b_h, hidden_bias)) == CLGRAD_STATUS_SUCCESS &&
        (status = clgrad_tensor_fill(context, e->b_o, output_bias)) == CLGRAD_STATUS_SUCCESS)
        status = clgrad_tensor_fill(context, e->half, 0.5);
    return status;
}

static clgrad_status forward(const example *e)
{
    clgrad_status status;
    status = clgrad_dense_forward(e->context, &e->sigmoid, e->x, e->w_h, e->b_h, e->net_h, e->h);
    if (status == CLGRAD_STATUS_SUCCESS)
        status = clgrad_dense_forward(e->context, &e->sigmoid, e->h, e->w_o, e->b_o, e->net_o, e->o);
    if (status == CLGRAD_STATUS_SUCCESS)
        status = clgrad_loss_forward(e->context, &e->loss, e->o, e->t, e->sum);
    return status;
}

/*
 * The summed squared error has the gradient 2 (o - t). E is half of it, and so the upstream gradient, dE by
 * d(sum), is one half. The biases are fixed: their gradients are not asked for. Nor is that of the input.
 */
static clgrad_status backward(const example *e)
{
    clgrad_status status;
    status = clgrad_loss_backward(e->context, &e->loss, e->o, e->t, e->half, e->do_);
    if (status == CLGRAD_STATUS_SUCCESS)
        status = clgrad_dense_backward(e->context, &e->sigmoid, e->h, e->w_o, e->net_o, e->do_, e->delta_o,
                                       e->dw_o, clgrad_tensor_none(), e->dh);
    if (status == CLGRAD_STATUS_SUCCESS)
        status = clgrad_dense_backward(e->context, &e->sigmoid, e->x, e->w_h, e->net_h, e->dh, e->delta_h,
                                       e->dw_h, clgrad_tensor_none(), clgrad_tensor_none());
    return status;
}

static clgrad_status read_error(const example *e, double *error)
{
    clgrad_status status = read_numbers(e, e->sum, error);
    *error *= 0.5;
    return status;
}

static clgrad_status read_derivation(const example *e, derivation *d)
{
    const struct {
        clgrad_tensor tensor;
        double *numbers;
    } parts[] = {{e->net_h, d->net_h},       {e->h, d->h},
                 {e->net_o, d->net_o},       {e->o, d->o},
                 {e->delta_o, d->delta_o},   {e->delta_h, d->delta_h},
                 {e->gradients, d->gradient}};
    clgrad_status status = read_error(e, &d->error);
    for (size_t i = 0; i < sizeof parts / sizeof *parts && status == CLGRAD_STATUS_SUCCESS; i++)
        status = read_numbers(e, parts[i].tensor, parts[i].numbers);
    return status;
}

static clgrad_status derive_on_device(clgrad_context *context, derivation *d)
{
    example e;
    clgrad_status status = example_create(context, &e);
    for (uint64_t update = 1; update <= UPDATES && status == CLGRAD_STATUS_SUCCESS; update++) {
        if ((status = forward(&e)) != CLGRAD_STATUS_SUCCESS ||
            (status = backward(&e)) != CLGRAD_STATUS_SUCCESS)
            break;
        if (update == 1 && (status = read_derivation(&e, d)) != CLGRAD_STATUS_SUCCESS)
            break;
        status = clgrad_optimizer_step(context, &e.optimizer, update, e.gradients, e.parameters,
                                       clgrad_tensor_none());
        if (update == 1 && status == CLGRAD_STATUS_SUCCESS &&
            (status = read_numbers(&e, e.parameters, d->weight)) == CLGRAD_STATUS_SUCCESS &&
            (status = forward(&e)) == CLGRAD_STATUS_SUCCESS)
            status = read_error(&e, &d->error_once);
    }
    if (status == CLGRAD_STATUS_SUCCESS && (status = forward(&e)) == CLGRAD_STATUS_SUCCESS)
        status = read_error(&e, &d->error_at_end);
    clgrad_buffer_destroy(e.buffer);
    return status;
}

/* ---- side by side ---- */

typedef struct quantity {
    const char *name, *formula;
    size_t offset;    /* in a derivation */
    double known;     /* the figure known for this example, 0 where none is given */
    double precision; /* half a unit of its last digit */
} quantity;

#define AT(field) offsetof(derivation, field)

static const quantity quantities[] = {
    {"Forward", NULL, 0, 0, 0},
    {"net h1", "w1 i1 + w2 i2 + b1", AT(net_h[0]), 0, 0},
    {"net h2", "w3 i1 + w4 i2 + b1", AT(net_h[1]), 0, 0},
    {"h1", "sigmoid(net h1)", AT(h[0]), 0, 0},
    {"h2", "sigmoid(net h2)", AT(h[1]), 0, 0},
    {"net o1", "w5 h1 + w6 h2 + b2", AT(net_o[0]), 0, 0},
    {"net o2", "w7 h1 + w8 h2 + b2", AT(net_o[1]), 0, 0},
    {"o1", "sigmoid(net o1)", AT(o[0]), 0, 0},
    {"o2", "sigmoid(net o2)", AT(o[1]), 0, 0},
    {"E", "1/2 ((t1 - o1)^2 + (t2 - o2)^2)", AT(error), 0.298371109, 0.5e-9},
    {"Output layer", NULL, 0, 0, 0},
    {"delta o1", "(o1 - t1) o1 (1 - o1)", AT(delta_o[0]), 0, 0},
    {"delta o2", "(o2 - t2) o2 (1 - o2)", AT(delta_o[1]), 0, 0},
    {"dE/dw5", "delta o1 h1", AT(gradient[4]), 0, 0},
    {"dE/dw6", "delta o1 h2", AT(gradient[5]), 0, 0},
    {"dE/dw7", "delta o2 h1", AT(gradient[6]), 0, 0},
    {"dE/dw8", "delta o2 h2", AT(gradient[7]), 0, 0},
    {"Hidden layer", NULL, 0, 0, 0},
    {"delta h1", "(delta o1 w5 + delta o2 w7) h1 (1 - h1)", AT(delta_h[0]), 0, 0},
    {"delta h2", "(delta o1 w6 + delta o2 w8) h2 (1 - h2)", AT(delta_h[1]), 0, 0},
    {"dE/dw1", "delta h1 i1", AT(gradient[0]), 0, 0},
    {"dE/dw2", "delta h1 i2", AT(gradient[1]), 0, 0},
    {"dE/dw3", "delta h2 i1", AT(gradient[2]), 0, 0},
    {"dE/dw4", "delta h2 i2", AT(gradient[3]), 0, 0},
    {"Update", NULL, 0, 0, 0},
    {"w1", "w1 - 0.5 dE/dw1", AT(weight[0]), 0.149780716, 0.5e-9},
    {"w2", "w2 - 0.5 dE/dw2", AT(weight[1]), 0, 0},
    {"w3", "w3 - 0.5 dE/dw3", AT(weight[2]), 0, 0},
    {"w4", "w4 - 0.5 dE/dw4", AT(weight[3]), 0, 0},
    {"w5", "w5 - 0.5 dE/dw5", AT(weight[4]), 0.35891648, 0.5e-8},
    {"w6", "w6 - 0.5 dE/dw6", AT(weight[5]), 0, 0},
    {"w7", "w7 - 0.5 dE/dw7", AT(weight[6]), 0, 0},
    {"w8", "w8 - 0.5 dE/dw8", AT(weight[7]), 0, 0},
    {"Error", NULL, 0, 0, 0},
    {"E", "after one update", AT(error_once), 0.291027774, 0.5e-9},
    {"E", "after 10,000 updates", AT(error_at_end), 3.51019e-05, 0.5e-10},
};

static double value(const derivation *d, const quantity *q)
{
    double number;
    memcpy(&number, (const char *)d + q->offset, sizeof number);
    return number;
}

/* NaN agrees with nothing. */
static bool agrees(const quantity *q, double by_hand, double computed)
{
    double tolerance = q->offset == AT(error_at_end) ? TOLERANCE_AT_THE_END : TOLERANCE;
    return fabs(computed - by_hand) <= tolerance * fabs(by_hand);
}

/* Print the three columns; the number of rows in which something is off. */
static int print_side_by_side(const derivation *by_hand, const derivation *reference,
                              const derivation *device, const char *device_name)
{
    int wrong = 0;
    printf("%-9s %-40s %15s %15s %15s\n", "", "", "by hand", "reference", device_name);
    for (size_t i = 0; i < sizeof quantities / sizeof *quantities; i++) {
        const quantity *q = &quantities[i];
        if (q->formula == NULL) {
            printf("\n%s\n", q->name);
            continue;
        }
        const double hand = value(by_hand, q), ref = value(reference, q), dev = value(device, q);
        const char *remark = "";
        if (q->known > 0 && !(fabs(hand - q->known) <= q->precision))
            remark = "  WRONG: not the known figure";
        else if (!agrees(q, hand, ref) || !agrees(q, hand, dev))
            remark = "  WRONG: the columns differ";
        printf("%-9s %-40s %15.9g %15.9g %15.9g%s\n", q->name, q->formula, hand, ref, dev, remark);
        wrong += remark[0] != '\0';
    }
    return wrong;
}

/* Open a device, work the example out on it, close it. False after a failure, which is reported. */
static bool run(const char *specification, derivation *d, clgrad_device *device)
{
    clgrad_context *context = NULL;
    clgrad_message message;
    clgrad_status status = clgrad_context_create(specification, &context, &message);
    if (status != CLGRAD_STATUS_SUCCESS) {
        fprintf(stderr, "worked_example: %s\n", message.text);
        return false;
    }
    *device = *clgrad_context_device(context);
    status = derive_on_device(context, d);
    if (status != CLGRAD_STATUS_SUCCESS)
        fprintf(stderr, "worked_example: %s\n", clgrad_context_error(context));
    clgrad_context_destroy(context);
    return status == CLGRAD_STATUS_SUCCESS;
}

int main(int argc, char **argv)
{
    const char *specification = NULL;
    if (argc == 3 && strcmp(argv[1], "--device") == 0) {
        specification = argv[2];
    } else if (argc != 1) {
        fprintf(stderr,
                "worked_example: the only option is --device SPEC, \"opencl:0.0\" or \"reference\" say\n");
        return 2;
    }

    const derivation by_hand = derive_by_hand();
    derivation reference = {0}, on_device = {0};
    clgrad_device reference_device, device;
    if (!run("reference", &reference, &reference_device) || !run(specification, &on_device, &device))
        return EXIT_FAILURE;

    printf("device: %s (%s)\n\n", device.name, device.specification);
    int wrong = print_side_by_side(&by_hand, &reference, &on_device, device.specification);
    if (wrong > 0) {
        fprintf(stderr, "worked_example: %d quantities are wrong, see above\n", wrong);
        return EXIT_FAILURE;
    }
    printf("\nAll columns agree within %.0e of the value (after 10,000 updates: %.0e), and the figures by "
           "hand are\n"
           "the known ones.\n",
           TOLERANCE, TOLERANCE_AT_THE_END);
    return EXIT_SUCCESS;
}
