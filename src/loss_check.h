/*
 * The checks of a loss's arguments, between loss.c, which has the list, and loss_check.c.
 */
#ifndef CLGRAD_LOSS_CHECK_H
#define CLGRAD_LOSS_CHECK_H

#include "check.h"

bool clgrad_loss_has_reduction(clgrad_reduction reduction);

/* All arguments of a call; of a NULL loss or NULL inputs nothing else. */
void clgrad_loss_check_call(clgrad_check *check, const clgrad_loss *loss, const clgrad_loss_inputs *inputs,
                            clgrad_tensor dvalue, clgrad_tensor value,
                            const clgrad_loss_gradients *gradients);

#endif
