#include "loss_check.h"

static const char *const start = CLGRAD_START_FROM("clgrad_loss_defaults");

void clgrad_loss_check(clgrad_check *check, const clgrad_loss *loss)
{
    clgrad_check_pointer(check, "loss", loss);
    if (check->status != CLGRAD_STATUS_SUCCESS)
        return;
    const clgrad_loss_info *info = clgrad_loss_describe(loss->kind);
    if (info == NULL)
        clgrad_check_fail(check, CLGRAD_STATUS_INVALID_ARGUMENT, "there is no loss %d", (int)loss->kind);
    else if (!clgrad_loss_has_reduction(loss->reduction))
        clgrad_check_fail(check, CLGRAD_STATUS_INVALID_ARGUMENT, "there is no reduction %d",
                          (int)loss->reduction);
    else if (loss->reduction == CLGRAD_REDUCTION_BATCHMEAN && loss->kind != CLGRAD_LOSS_KL_DIV &&
             loss->kind != CLGRAD_LOSS_KL_DIV_PROBABILITY)
        clgrad_check_fail(check, CLGRAD_STATUS_INVALID_ARGUMENT,
                          "batchmean is for kl_div and kl_div_probability, not for %s", info->name);
    else
        clgrad_check_parameters(check, info->name, info->parameters, loss, start);
}

/* ---- inputs ---- */

/* The rank that the extent asks for, and classes to choose from. */
static void check_prediction_shape(clgrad_check *check, const clgrad_loss_info *info,
                                   clgrad_tensor prediction)
{
    const int any = CLGRAD_TENSOR_MAX_RANK;
    int classes = -1; /* the dimension that they lie along */
    switch (info->extent) {
    case CLGRAD_LOSS_ELEMENT:
    case CLGRAD_LOSS_WHOLE:
        break;
    case CLGRAD_LOSS_ROW:
        clgrad_check_rank(check, "prediction", prediction, 2, 2, "[batch, classes]");
        classes = 1;
        break;
    case CLGRAD_LOSS_CHANNEL:
        clgrad_check_rank(check, "prediction", prediction, 2, any, "[batch, classes, ...]");
        classes = 1;
        break;
    case CLGRAD_LOSS_SEQUENCE:
        clgrad_check_rank(check, "prediction", prediction, 3, 3, "[time, batch, classes]");
        classes = 2;
        break;
    }
    if (check->status == CLGRAD_STATUS_SUCCESS && classes >= 0 && prediction.shape[classes] == 0)
        clgrad_check_fail(check, CLGRAD_STATUS_INVALID_SHAPE, "prediction has 0 classes");
}

/* What has the shape of none's value, for a prediction of the right shape. */
static clgrad_tensor unreduced(const clgrad_loss_info *info, clgrad_tensor prediction)
{
    clgrad_tensor value = prediction;
    switch (info->extent) {
    case CLGRAD_LOSS_ELEMENT:
        break;
    case CLGRAD_LOSS_WHOLE:
        value.rank = 0;
        break;
    case CLGRAD_LOSS_SEQUENCE:
        value.rank = 1;
        value.shape[0] = prediction.shape[1];
        break;
    case CLGRAD_LOSS_ROW:
    case CLGRAD_LOSS_CHANNEL:
        value.rank = prediction.rank - 1;
        for (int i = 1; i < value.rank; i++)
            value.shape[i] = prediction.shape[i + 1];
        break;
    }
    return value;
}

/* Indices where a loss takes numbers or the other way round: one that takes either goes by the type. */
static void check_target_type(clgrad_check *check, const clgrad_loss_info *info, clgrad_tensor target)
{
    const bool integers = info->flags & CLGRAD_LOSS_TAKES_INTEGERS;
    if (integers && target.type != CLGRAD_TYPE_INT32)
        clgrad_check_fail(check, CLGRAD_STATUS_INVALID_TYPE,
                          "target is %s, it must be int32: class indices are int32_t, in a tensor of "
                          "CLGRAD_TYPE_INT32",
                          clgrad_type_name(target.type));
    else if (!integers && !(info->flags & CLGRAD_LOSS_TAKES_CLASSES) && target.type != CLGRAD_TYPE_FLOAT32)
        clgrad_check_fail(check, CLGRAD_STATUS_INVALID_TYPE,
                          "target is %s, it must be float32: %s takes no class indices",
                          clgrad_type_name(target.type), info->name);
}

/* The target of a loss that takes class indices, each for what prediction has classes for, or probabilities.
 */
static void check_either_target(clgrad_check *check, clgrad_tensor prediction, clgrad_tensor each,
                                clgrad_tensor target)
{
    const clgrad_tensor wanted = target.type == CLGRAD_TYPE_INT32 ? each : prediction;
    if (!clgrad_has_shape(target, wanted.rank, wanted.shape))
        clgrad_check_fail(check, CLGRAD_STATUS_INVALID_SHAPE,
                          "target has shape %s and is %s, it must be int32 of shape %s (class indices, "
                          "CLGRAD_TYPE_INT32) or float32 of shape %s (probabilities)",
                          clgrad_write_shape(target.rank, target.shape).text, clgrad_type_name(target.type),
                          clgrad_write_shape(each.rank, each.shape).text,
                          clgrad_write_shape(prediction.rank, prediction.shape).text);
}

static void check_target(clgrad_check *check, const clgrad_loss *loss, const clgrad_loss_info *info,
                         clgrad_tensor prediction, clgrad_tensor target)
{
    clgrad_check_tensor_any_type(check, "target", target);
    check_target_type(check, info, target);
    if (check->status != CLGRAD_STATUS_SUCCESS)
        return;
    const clgrad_tensor each = unreduced(info, prediction);
    const bool of_rows = info->flags & (CLGRAD_LOSS_TAKES_INTEGERS | CLGRAD_LOSS_TAKES_ROW_TARGET);
    if (info->flags & CLGRAD_LOSS_TAKES_CLASSES) {
        check_either_target(check, prediction, each, target);
    } else if (loss->kind == CLGRAD_LOSS_CTC) {
        clgrad_check_tensor(check, "target", target, target.type, 2);
        if (check->status == CLGRAD_STATUS_SUCCESS && target.shape[0] != each.shape[0])
            clgrad_check_fail(check, CLGRAD_STATUS_INVALID_SHAPE,
                              "target has %zu rows, but prediction has %zu sequences", target.shape[0],
                              each.shape[0]);
    } else if (of_rows && loss->kind != CLGRAD_LOSS_MULTILABEL_MARGIN) {
        clgrad_check_shape(check, "target", target, target.type, each.rank, each.shape);
    } else {
        clgrad_check_same_shape(check, "target", target, "prediction", prediction);
    }
}

/* Whether to look at an operand: one that the loss does not take must not be there. */
static bool takes(clgrad_check *check, const clgrad_loss_info *info, unsigned flags, const char *name,
                  clgrad_tensor tensor)
{
    if ((info->flags & flags) == 0 && clgrad_present(tensor))
        clgrad_check_fail(check, CLGRAD_STATUS_INVALID_ARGUMENT, "%s is given, but %s takes none", name,
                          info->name);
    return (info->flags & flags) != 0;
}

static void check_weights(clgrad_check *check, const clgrad_loss_info *info, const clgrad_loss_inputs *inputs)
{
    const unsigned of_classes = CLGRAD_LOSS_TAKES_CLASS_WEIGHT;
    if (takes(check, info, CLGRAD_LOSS_TAKES_WEIGHT | of_classes, "weight", inputs->weight) &&
        clgrad_present(inputs->weight)) {
        if (info->flags & of_classes)
            clgrad_check_shape(check, "weight", inputs->weight, CLGRAD_TYPE_FLOAT32, 1,
                               &inputs->prediction.shape[1]);
        else
            clgrad_check_broadcast(check, "weight", inputs->weight, "prediction", inputs->prediction);
    }
    if (takes(check, info, CLGRAD_LOSS_TAKES_POS_WEIGHT, "pos_weight", inputs->pos_weight) &&
        clgrad_present(inputs->pos_weight))
        clgrad_check_broadcast(check, "pos_weight", inputs->pos_weight, "prediction", inputs->prediction);
}

void clgrad_loss_check_inputs(clgrad_check *check, const clgrad_loss *loss, const clgrad_loss_inputs *inputs)
{
    if (check->status != CLGRAD_STATUS_SUCCESS)
        return;
    const clgrad_loss_info *info = clgrad_loss_describe(loss->kind);
    const clgrad_tensor prediction = inputs->prediction;
    check_prediction_shape(check, info, prediction);
    check_target(check, loss, info, prediction, inputs->target);
    if (takes(check, info, CLGRAD_LOSS_TAKES_OTHER, "other", inputs->other))
        clgrad_check_shape(check, "other", inputs->other, CLGRAD_TYPE_FLOAT32, prediction.rank,
                           prediction.shape);
    check_weights(check, info, inputs);
    if (takes(check, info, CLGRAD_LOSS_TAKES_LENGTHS, "input_lengths", inputs->input_lengths))
        clgrad_check_shape(check, "input_lengths", inputs->input_lengths, CLGRAD_TYPE_INT32, 1,
                           &prediction.shape[1]);
    if (takes(check, info, CLGRAD_LOSS_TAKES_LENGTHS, "target_lengths", inputs->target_lengths))
        clgrad_check_shape(check, "target_lengths", inputs->target_lengths, CLGRAD_TYPE_INT32, 1,
                           &prediction.shape[1]);
    if (check->status == CLGRAD_STATUS_SUCCESS && loss->kind == CLGRAD_LOSS_CTC &&
        (size_t)loss->blank >= prediction.shape[2])
        clgrad_check_fail(check, CLGRAD_STATUS_INVALID_ARGUMENT,
                          "ctc's blank is %d, but prediction has %zu classes", (int)loss->blank,
                          prediction.shape[2]);
}

/* ---- outputs ---- */

/* The value, or the upstream gradient, which has the value's shape. */
static void check_value(clgrad_check *check, const clgrad_loss *loss, clgrad_tensor prediction,
                        const char *name, clgrad_tensor value)
{
    if (check->status != CLGRAD_STATUS_SUCCESS || !clgrad_present(value))
        return;
    const clgrad_loss_info *info = clgrad_loss_describe(loss->kind);
    const clgrad_tensor each = unreduced(info, prediction);
    if (info->extent == CLGRAD_LOSS_WHOLE || loss->reduction != CLGRAD_REDUCTION_NONE) {
        clgrad_check_scalar(check, name, value);
        return;
    }
    clgrad_check_tensor(check, name, value, CLGRAD_TYPE_FLOAT32, CLGRAD_ANY_RANK);
    const bool means_one = clgrad_tensor_count(value) == 1; /* and has not chosen none */
    if (check->status == CLGRAD_STATUS_SUCCESS && !clgrad_has_shape(value, each.rank, each.shape))
        clgrad_check_fail(check, CLGRAD_STATUS_INVALID_SHAPE,
                          "%s has shape %s, it must have shape %s since the reduction is none%s", name,
                          clgrad_write_shape(value.rank, value.shape).text,
                          clgrad_write_shape(each.rank, each.shape).text, means_one ? start : "");
}

/* A gradient that is wanted, of its operand's shape. */
static void check_gradient(clgrad_check *check, const clgrad_loss *loss, bool gives, const char *name,
                           clgrad_tensor gradient, const char *operand_name, clgrad_tensor operand)
{
    if (check->status != CLGRAD_STATUS_SUCCESS || !clgrad_present(gradient))
        return;
    if (!gives)
        clgrad_check_fail(check, CLGRAD_STATUS_INVALID_ARGUMENT, "%s is wanted, but %s gives none", name,
                          clgrad_loss_describe(loss->kind)->name);
    else if (operand.type != CLGRAD_TYPE_FLOAT32)
        clgrad_check_fail(check, CLGRAD_STATUS_INVALID_ARGUMENT,
                          "%s is wanted, but %s holds class indices (%s)", name, operand_name,
                          clgrad_type_name(operand.type));
    else {
        clgrad_check_tensor(check, name, gradient, CLGRAD_TYPE_FLOAT32, CLGRAD_ANY_RANK);
        clgrad_check_same_shape(check, name, gradient, operand_name, operand);
    }
}

/* No output shares memory with an input, but a gradient may lie where its operand does, or with an output. */
static void check_places(clgrad_check *check, const clgrad_loss_inputs *inputs, clgrad_tensor dvalue,
                         clgrad_tensor value, const clgrad_loss_gradients *gradients)
{
    /* A gradient has its operand's number here, and the value one that no input has. */
    const clgrad_named_tensor in[] = {{"prediction", inputs->prediction},
                                      {"target", inputs->target},
                                      {"other", inputs->other},
                                      {"weight", inputs->weight},
                                      {"pos_weight", inputs->pos_weight},
                                      {"input_lengths", inputs->input_lengths},
                                      {"target_lengths", inputs->target_lengths},
                                      {"dvalue", dvalue}};
    const clgrad_named_tensor out[] = {{"dprediction", gradients->dprediction},
                                       {"dtarget", gradients->dtarget},
                                       {"dother", gradients->dother},
                                       {"value", value}};
    const size_t ins = sizeof in / sizeof in[0], outs = sizeof out / sizeof out[0], gradient_count = outs - 1;
    for (size_t o = 0; o < outs; o++) {
        for (size_t i = 0; i < ins; i++)
            if (i == o && o < gradient_count)
                clgrad_check_apart_or_same(check, out[o].name, out[o].tensor, in[i].name, in[i].tensor);
            else
                clgrad_check_apart(check, out[o].name, out[o].tensor, in[i].name, in[i].tensor);
        for (size_t i = o + 1; i < outs; i++)
            clgrad_check_apart(check, out[o].name, out[o].tensor, out[i].name, out[i].tensor);
    }
}

void clgrad_loss_check_call(clgrad_check *check, const clgrad_loss *loss, const clgrad_loss_inputs *inputs,
                            clgrad_tensor dvalue, clgrad_tensor value, const clgrad_loss_gradients *gradients)
{
    clgrad_loss_check(check, loss);
    if (check->status != CLGRAD_STATUS_SUCCESS)
        return;
    const unsigned flags = clgrad_loss_describe(loss->kind)->flags;
    clgrad_check_tensor(check, "prediction", inputs->prediction, CLGRAD_TYPE_FLOAT32, CLGRAD_ANY_RANK);
    clgrad_loss_check_inputs(check, loss, inputs);
    check_value(check, loss, inputs->prediction, "value", value);
    check_value(check, loss, inputs->prediction, "dvalue", dvalue);
    check_gradient(check, loss, true, "dprediction", gradients->dprediction, "prediction",
                   inputs->prediction);
    check_gradient(check, loss, flags & CLGRAD_LOSS_GIVES_DTARGET, "dtarget", gradients->dtarget, "target",
                   inputs->target);
    check_gradient(check, loss, flags & CLGRAD_LOSS_GIVES_DOTHER, "dother", gradients->dother, "other",
                   inputs->other);
    if (clgrad_present(value) && clgrad_present(dvalue))
        clgrad_check_fail(check, CLGRAD_STATUS_INVALID_ARGUMENT,
                          "value and dvalue are both given, but dvalue is for gradients alone");
    if (!clgrad_present(value) && !clgrad_present(gradients->dprediction) &&
        !clgrad_present(gradients->dtarget) && !clgrad_present(gradients->dother))
        clgrad_check_fail(check, CLGRAD_STATUS_INVALID_ARGUMENT, "neither value nor a gradient is wanted");
    check_places(check, inputs, dvalue, value, gradients);
}
