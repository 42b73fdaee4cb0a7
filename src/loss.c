#include "loss_check.h"

clgrad_loss_inputs clgrad_loss_inputs_none(void)
{
    return (clgrad_loss_inputs){.prediction = clgrad_tensor_none()}; /* none has any bit set */
}

/* ---- the calls ---- */

/* Check everything, and hand on what has been found right. */
static clgrad_status evaluate(clgrad_check *check, const clgrad_loss *loss, const clgrad_loss_inputs *inputs,
                              clgrad_tensor dvalue, clgrad_tensor value,
                              const clgrad_loss_gradients *gradients)
{
    clgrad_loss_check_call(check, loss, inputs, dvalue, value, gradients);
    if (check->status != CLGRAD_STATUS_SUCCESS)
        return check->status;
    return check->context->backend->loss->evaluate(check->context, loss, inputs, dvalue, value, gradients);
}

static clgrad_loss_inputs both(clgrad_tensor prediction, clgrad_tensor target)
{
    clgrad_loss_inputs inputs = clgrad_loss_inputs_none();
    inputs.prediction = prediction;
    inputs.target = target;
    return inputs;
}

static clgrad_loss_gradients by_prediction(clgrad_tensor dprediction)
{
    return (clgrad_loss_gradients){dprediction, clgrad_tensor_none(), clgrad_tensor_none()};
}

clgrad_status clgrad_loss_evaluate(clgrad_context *context, const clgrad_loss *loss,
                                   const clgrad_loss_inputs *inputs, clgrad_tensor dvalue,
                                   clgrad_tensor value, const clgrad_loss_gradients *gradients)
{
    const clgrad_loss_gradients none = by_prediction(clgrad_tensor_none());
    clgrad_check check = clgrad_check_begin(context, "loss_evaluate");
    clgrad_check_pointer(&check, "inputs", inputs);
    return evaluate(&check, loss, inputs, dvalue, value, gradients != NULL ? gradients : &none);
}

clgrad_status clgrad_loss_forward(clgrad_context *context, const clgrad_loss *loss, clgrad_tensor prediction,
                                  clgrad_tensor target, clgrad_tensor value)
{
    const clgrad_loss_inputs inputs = both(prediction, target);
    const clgrad_loss_gradients none = by_prediction(clgrad_tensor_none());
    clgrad_check check = clgrad_check_begin(context, "loss_forward");
    clgrad_check_tensor_any_type(&check, "value", value);
    return evaluate(&check, loss, &inputs, clgrad_tensor_none(), value, &none);
}

clgrad_status clgrad_loss_backward(clgrad_context *context, const clgrad_loss *loss, clgrad_tensor prediction,
                                   clgrad_tensor target, clgrad_tensor dvalue, clgrad_tensor dprediction)
{
    const clgrad_loss_inputs inputs = both(prediction, target);
    const clgrad_loss_gradients gradients = by_prediction(dprediction);
    clgrad_check check = clgrad_check_begin(context, "loss_backward");
    clgrad_check_tensor_any_type(&check, "dprediction", dprediction);
    return evaluate(&check, loss, &inputs, dvalue, clgrad_tensor_none(), &gradients);
}

clgrad_status clgrad_loss_forward_backward(clgrad_context *context, const clgrad_loss *loss,
                                           clgrad_tensor prediction, clgrad_tensor target,
                                           clgrad_tensor value, clgrad_tensor dprediction)
{
    const clgrad_loss_inputs inputs = both(prediction, target);
    const clgrad_loss_gradients gradients = by_prediction(dprediction);
    clgrad_check check = clgrad_check_begin(context, "loss_forward_backward");
    clgrad_check_tensor_any_type(&check, "value", value);
    clgrad_check_tensor_any_type(&check, "dprediction", dprediction);
    return evaluate(&check, loss, &inputs, clgrad_tensor_none(), value, &gradients);
}
