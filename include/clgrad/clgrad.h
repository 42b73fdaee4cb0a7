/**
 * @file clgrad.h
 * Everything but OpenCL interoperation, which is in opencl.h.
 */
#ifndef CLGRAD_CLGRAD_H
#define CLGRAD_CLGRAD_H

#include <clgrad/activation.h>
#include <clgrad/checkpoint.h>
#include <clgrad/clip.h>
#include <clgrad/conformance.h>
#include <clgrad/context.h>
#include <clgrad/dense.h>
#include <clgrad/gated.h>
#include <clgrad/layer.h>
#include <clgrad/loss.h>
#include <clgrad/network.h>
#include <clgrad/noise.h>
#include <clgrad/normalization.h>
#include <clgrad/optimizer.h>
#include <clgrad/parameter.h>
#include <clgrad/random.h>
#include <clgrad/schedule.h>
#include <clgrad/softmax.h>
#include <clgrad/status.h>
#include <clgrad/tensor.h>
#include <clgrad/version.h>

#endif
