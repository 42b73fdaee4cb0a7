#include "network.h"

/* Intermediate results begin on a cache line, and on what GPUs load in one go. */
#define ALIGNMENT ((size_t)16)

/* Reserve an array [batch, width] at the end of the workspace; false where its size overflows. */
static bool reserve(size_t *end, size_t batch, size_t width, size_t *offset)
{
    *offset = *end;
    if (!clgrad_add_product(end, batch, width) || *end > SIZE_MAX - ALIGNMENT)
        return false;
    *end = (*end + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    return true;
}

/*
 * Lay the intermediate results of a batch out, those of the backward pass only where it follows, and return
 * how many numbers they are, or SIZE_MAX. Every call lays out anew, so that a large batch to evaluate needs
 * no more than that.
 */
static size_t lay_out_workspace(clgrad_network *network, size_t batch, bool backward)
{
    size_t end = 0, widest = 0;
    for (size_t i = 0; i < network->layer_count; i++) {
        network_layer *l = &network->layers[i];
        if (!reserve(&end, batch, l->outputs, &l->h))
            return SIZE_MAX;
        l->z = l->h;
        if (!clgrad_activation_from_output(&l->activation) && backward &&
            !reserve(&end, batch, l->outputs, &l->z))
            return SIZE_MAX;
        widest = l->outputs > widest ? l->outputs : widest;
    }
    if (backward &&
        (!reserve(&end, batch, widest, &network->dz) || !reserve(&end, batch, widest, &network->dx)))
        return SIZE_MAX;
    return end;
}

/* Make room for a batch. The old room goes only once the new one is there. */
static clgrad_status make_room(clgrad_network *network, size_t batch, bool backward)
{
    const size_t count = lay_out_workspace(network, batch, backward);
    if (count > SIZE_MAX / sizeof(float))
        return clgrad_fail(network->context, CLGRAD_STATUS_OUT_OF_RANGE,
                           "the intermediate results of a batch of %zu rows overflow", batch);
    if (network->workspace != NULL && count * sizeof(float) <= clgrad_buffer_bytes(network->workspace))
        return CLGRAD_STATUS_SUCCESS;
    clgrad_buffer *workspace = NULL;
    clgrad_status status = clgrad_buffer_create(network->context, count * sizeof(float), &workspace);
    if (status != CLGRAD_STATUS_SUCCESS)
        return status;
    clgrad_buffer_destroy(network->workspace);
    network->workspace = workspace;
    return CLGRAD_STATUS_SUCCESS;
}

static clgrad_tensor output_of(const clgrad_network *network, size_t i, size_t batch)
{
    return clgrad_tensor_matrix(network->workspace, network->layers[i].h, batch, network->layers[i].outputs);
}

/* An argument of a call on the network: there, and apart from what the network owns. */
static void check_own(clgrad_check *check, const clgrad_network *network, const char *name,
                      clgrad_tensor tensor)
{
    clgrad_check_apart(check, name, tensor, "the network's parameters", network->parameters);
    clgrad_check_apart(check, name, tensor, "the network's gradients", network->gradients);
    clgrad_check_apart(check, name, tensor, "the network's state", network->state);
}

static void check_input(clgrad_check *check, const clgrad_network *network, clgrad_tensor x)
{
    clgrad_check_tensor(check, "x", x, CLGRAD_TYPE_FLOAT32, 2);
    if (check->status == CLGRAD_STATUS_SUCCESS && x.shape[1] != network->layers[0].inputs)
        clgrad_check_fail(check, CLGRAD_STATUS_INVALID_SHAPE,
                          "x has %zu columns, but the network has %zu inputs", x.shape[1],
                          network->layers[0].inputs);
    check_own(check, network, "x", x);
}

/* Everything that a call with a loss is given; then room for its batch. */
static clgrad_status begin_call(clgrad_network *network, const char *call, clgrad_tensor x,
                                clgrad_tensor target, clgrad_tensor loss, bool backward)
{
    clgrad_check check = clgrad_check_begin(network->context, call);
    check_input(&check, network, x);
    if (check.status != CLGRAD_STATUS_SUCCESS)
        return check.status;
    clgrad_loss_inputs inputs = clgrad_loss_inputs_none();
    inputs.prediction = output_of(network, network->layer_count - 1, x.shape[0]);
    inputs.target = target;
    clgrad_loss_check_inputs(&check, &network->loss, &inputs);
    clgrad_check_scalar(&check, "loss", loss);
    clgrad_check_apart(&check, "loss", loss, "x", x);
    clgrad_check_apart(&check, "loss", loss, "target", target);
    check_own(&check, network, "loss", loss);
    check_own(&check, network, "target", target);
    return check.status == CLGRAD_STATUS_SUCCESS ? make_room(network, x.shape[0], backward) : check.status;
}

/* Every layer in order, each keeping what has been laid out for it. */
static clgrad_status forward(clgrad_network *network, clgrad_tensor x)
{
    size_t batch = x.shape[0];
    for (size_t i = 0; i < network->layer_count; i++) {
        const network_layer *l = &network->layers[i];
        clgrad_tensor h = output_of(network, i, batch), z = h;
        z.offset = l->z;
        clgrad_status status = clgrad_dense_forward(
            network->context, &l->activation, x, clgrad_network_weight_in(network, network->parameters, i),
            clgrad_network_bias_in(network, network->parameters, i), z, h);
        if (status != CLGRAD_STATUS_SUCCESS)
            return status;
        x = h;
    }
    return CLGRAD_STATUS_SUCCESS;
}

/* The loss and its gradient, then every layer in reverse; dz and dx change places from layer to layer. */
static clgrad_status backward(clgrad_network *network, clgrad_tensor x, clgrad_tensor target,
                              clgrad_tensor loss)
{
    size_t batch = x.shape[0], last = network->layer_count - 1;
    size_t dz_offset = network->dz, dx_offset = network->dx;
    clgrad_tensor prediction = output_of(network, last, batch), dz = prediction;
    dz.offset = dz_offset;
    clgrad_status status =
        clgrad_loss_forward_backward(network->context, &network->loss, prediction, target, loss, dz);

    for (size_t i = last + 1; status == CLGRAD_STATUS_SUCCESS && i-- > 0;) {
        const network_layer *l = &network->layers[i];
        clgrad_tensor input = i > 0 ? output_of(network, i - 1, batch) : x;
        clgrad_tensor z = output_of(network, i, batch), dx = clgrad_tensor_none();
        z.offset = l->z;
        if (i > 0) {
            dx = input;
            dx.offset = dx_offset;
        }
        status = clgrad_dense_backward(network->context, &l->activation, input,
                                       clgrad_network_weight_in(network, network->parameters, i), z, dz, dz,
                                       clgrad_network_weight_in(network, network->gradients, i),
                                       clgrad_network_bias_in(network, network->gradients, i), dx);
        size_t swap = dz_offset;
        dz_offset = dx_offset;
        dx_offset = swap;
        dz = dx;
    }
    return status;
}

clgrad_status clgrad_network_predict(clgrad_network *network, clgrad_tensor x, clgrad_tensor prediction)
{
    if (network == NULL)
        return CLGRAD_STATUS_INVALID_ARGUMENT;
    clgrad_check check = clgrad_check_begin(network->context, "network_predict");
    size_t last = network->layer_count - 1;
    check_input(&check, network, x);
    clgrad_check_shape(&check, "prediction", prediction, CLGRAD_TYPE_FLOAT32, 2,
                       (size_t[]){x.shape[0], network->layers[last].outputs});
    clgrad_check_apart(&check, "prediction", prediction, "x", x);
    check_own(&check, network, "prediction", prediction);
    if (check.status != CLGRAD_STATUS_SUCCESS)
        return check.status;

    clgrad_status status = make_room(network, x.shape[0], false);
    for (size_t i = 0; status == CLGRAD_STATUS_SUCCESS && i <= last; i++) {
        clgrad_tensor h = i == last ? prediction : output_of(network, i, x.shape[0]);
        status = clgrad_dense_forward(network->context, &network->layers[i].activation, x,
                                      clgrad_network_weight_in(network, network->parameters, i),
                                      clgrad_network_bias_in(network, network->parameters, i), h, h);
        x = h;
    }
    return status;
}

clgrad_status clgrad_network_evaluate(clgrad_network *network, clgrad_tensor x, clgrad_tensor target,
                                      clgrad_tensor loss)
{
    if (network == NULL)
        return CLGRAD_STATUS_INVALID_ARGUMENT;
    clgrad_status status = begin_call(network, "network_evaluate", x, target, loss, false);
    if (status == CLGRAD_STATUS_SUCCESS)
        status = forward(network, x);
    if (status != CLGRAD_STATUS_SUCCESS)
        return status;
    clgrad_tensor prediction = output_of(network, network->layer_count - 1, x.shape[0]);
    return clgrad_loss_forward(network->context, &network->loss, prediction, target, loss);
}

static clgrad_status run_backward(clgrad_network *network, const char *call, clgrad_tensor x,
                                  clgrad_tensor target, clgrad_tensor loss)
{
    clgrad_status status = begin_call(network, call, x, target, loss, true);
    if (status == CLGRAD_STATUS_SUCCESS)
        status = forward(network, x);
    return status == CLGRAD_STATUS_SUCCESS ? backward(network, x, target, loss) : status;
}

clgrad_status clgrad_network_backward(clgrad_network *network, clgrad_tensor x, clgrad_tensor target,
                                      clgrad_tensor loss)
{
    if (network == NULL)
        return CLGRAD_STATUS_INVALID_ARGUMENT;
    return run_backward(network, "network_backward", x, target, loss);
}

clgrad_status clgrad_network_train_step(clgrad_network *network, clgrad_tensor x, clgrad_tensor target,
                                        clgrad_tensor loss)
{
    if (network == NULL)
        return CLGRAD_STATUS_INVALID_ARGUMENT;
    clgrad_status status = run_backward(network, "network_train_step", x, target, loss);
    if (status != CLGRAD_STATUS_SUCCESS)
        return status;
    status = clgrad_optimizer_step(network->context, &network->optimizer, network->steps + 1,
                                   network->gradients, network->parameters, network->state);
    if (status == CLGRAD_STATUS_SUCCESS)
        network->steps++;
    return status;
}
