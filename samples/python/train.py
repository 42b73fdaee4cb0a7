#!/usr/bin/env python3
"""Train a network on NumPy arrays: clgrad from Python by ctypes, with nothing in between.

    python3 train.py [LIBRARY]        libclgrad.so's path, where the loader does not find it by itself

The network learns to tell three bent clouds of points apart, on the device that CLGRAD_DEVICE names or the best one. The
structs are those of include/clgrad, field by field; docs/abi.md says why they can be relied upon.
"""
import ctypes
import sys
from ctypes import POINTER, Structure, byref, c_bool, c_char, c_char_p, c_float, c_int, c_int32, c_size_t, c_uint64, c_void_p

try:
    import numpy
except ModuleNotFoundError:
    sys.exit("NumPy is missing (Debian and Ubuntu: apt install python3-numpy)")

# ---- the interface: structs and values ----

FLOAT32, INT32 = 0, 1  # clgrad_type
TANH, IDENTITY = 2, 0  # clgrad_activation_kind
CROSS_ENTROPY = 8  # clgrad_loss_kind


def fields(text):
    """"float a b; bool c" as ctypes wants it."""
    types = {"int": c_int, "int32": c_int32, "float": c_float, "bool": c_bool, "size": c_size_t, "uint64": c_uint64,
             "pointer": c_void_p}
    return [(name, types[words[0]]) for words in (part.split() for part in text.split(";")) for name in words[1:]]


class Message(Structure):
    _fields_ = [("text", c_char * 2048)]


class Tensor(Structure):
    _fields_ = fields("pointer buffer; size offset; int type rank") + [("shape", c_size_t * 8)]


class Activation(Structure):
    _fields_ = fields("int kind; float negative_slope alpha beta threshold value lambd min_val max_val min max lower upper;"
                      "bool given_output; float exponent") + [("reserved", c_uint64 * 4)]


class Layer(Structure):
    _fields_ = (fields("int kind; size outputs") + [("activation", Activation)] +
                fields("int initializer; int32 weight_group bias_group; float init lower upper p eps momentum;"
                       "bool bias per_channel affine track_running_stats") + [("reserved", c_uint64 * 8)])


class Loss(Structure):
    _fields_ = fields("int kind reduction; float alpha gamma beta delta margin eps smooth label_smoothing;"
                      "int32 ignore_index p distance blank; bool log_target log_input full swap zero_infinity") + [
                          ("reserved", c_uint64 * 6)]


class Optimizer(Structure):
    _fields_ = fields("int kind; float lr momentum dampening weight_decay beta1 beta2 eps rho alpha lr_decay "
                      "initial_accumulator_value momentum_decay etaminus etaplus step_min step_max lambd t0;"
                      "bool nesterov amsgrad centered decoupled_weight_decay maximize") + [("reserved", c_uint64 * 6)]


class NetworkOptions(Structure):
    _fields_ = (fields("size inputs") + [("layers", POINTER(Layer))] + fields("size layer_count") + [
        ("loss", Loss), ("optimizer", Optimizer), ("groups", POINTER(Optimizer))] + fields(
            "size group_count; float clip_norm clip_norm_type clip_value; uint64 seed") + [("reserved", c_uint64 * 8)])


def load(path):
    """The library, its functions' types set."""
    try:
        library = ctypes.CDLL(path)
    except OSError as failure:
        sys.exit(f"{failure}: give the path of libclgrad.so (python3 train.py PATH), or its folder in LD_LIBRARY_PATH")
    for name, result, arguments in (
        ("version_text", c_char_p, []),
        ("context_create", c_int, [c_char_p, POINTER(c_void_p), POINTER(Message)]),
        ("context_error", c_char_p, [c_void_p]),
        ("context_destroy", None, [c_void_p]),
        ("layer_dense", Layer, [c_size_t, c_int]),
        ("loss_defaults", Loss, [c_int]),
        ("network_defaults", NetworkOptions, []),
        ("network_create", c_int, [c_void_p, POINTER(NetworkOptions), POINTER(c_void_p)]),
        ("network_train_step", c_int, [c_void_p, Tensor, Tensor, Tensor]),
        ("network_predict", c_int, [c_void_p, Tensor, Tensor]),
        ("network_destroy", None, [c_void_p]),
        ("tensor_create", c_int, [c_void_p, c_int, c_int, POINTER(c_size_t), POINTER(Tensor)]),
        ("tensor_write", c_int, [c_void_p, Tensor, c_void_p, c_size_t]),
        ("tensor_read", c_int, [c_void_p, Tensor, c_void_p, c_size_t]),
        ("buffer_destroy", None, [c_void_p]),
    ):
        function = getattr(library, "clgrad_" + name)
        function.restype, function.argtypes = result, arguments
    return library


# ---- a little Python around it ----

class Device:
    """A context, and what is made in it; a failure is an exception with clgrad's sentence."""

    def __init__(self, library):
        self.library, self.context, self.tensors, message = library, c_void_p(), [], Message()
        if library.clgrad_context_create(None, byref(self.context), byref(message)) != 0:
            raise RuntimeError(message.text.decode())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for tensor in self.tensors:
            self.library.clgrad_buffer_destroy(tensor.buffer)
        self.library.clgrad_context_destroy(self.context)

    def check(self, status):
        if status != 0:
            raise RuntimeError(self.library.clgrad_context_error(self.context).decode())

    def tensor(self, array):
        """A tensor of the array's shape, with its numbers. They are copied: the array may change afterwards."""
        array = numpy.asarray(array, order="C")
        kind = {"float32": FLOAT32, "int32": INT32}[array.dtype.name]
        made = Tensor()
        shape = (c_size_t * 8)(*array.shape)
        self.check(self.library.clgrad_tensor_create(self.context, kind, array.ndim, shape, byref(made)))
        self.tensors.append(made)
        self.check(self.library.clgrad_tensor_write(self.context, made, array.ctypes.data, array.nbytes))
        return made

    def read(self, tensor):
        """What a float32 tensor holds now; waits for the device."""
        array = numpy.empty(tensor.shape[:tensor.rank], numpy.float32)
        self.check(self.library.clgrad_tensor_read(self.context, tensor, array.ctypes.data, array.nbytes))
        return array


def clouds(count, random):
    """Points of three classes [count, 2], and the classes [count]."""
    classes = random.integers(0, 3, count)
    along = random.uniform(0.2, 1, count)
    angle = 2.1 * classes + 2.5 * along + random.normal(0, 0.12, count)
    points = numpy.stack([along * numpy.cos(angle), along * numpy.sin(angle)], 1)
    return points.astype(numpy.float32), classes.astype(numpy.int32)


def main():
    library = load(sys.argv[1] if len(sys.argv) > 1 else "libclgrad.so.0.1")
    random = numpy.random.default_rng(1)
    points, classes = clouds(600, random)
    new_points, new_classes = clouds(600, random)
    with Device(library) as device:
        layers = (Layer * 3)(library.clgrad_layer_dense(32, TANH), library.clgrad_layer_dense(32, TANH),
                             library.clgrad_layer_dense(3, IDENTITY))
        options = library.clgrad_network_defaults()
        options.inputs, options.layers, options.layer_count = 2, layers, len(layers)
        options.loss = library.clgrad_loss_defaults(CROSS_ENTROPY)
        options.optimizer.lr = 0.2
        options.optimizer.momentum = 0.9
        network = c_void_p()
        device.check(library.clgrad_network_create(device.context, byref(options), byref(network)))
        try:
            x, target = device.tensor(points), device.tensor(classes)
            loss = device.tensor(numpy.float32(0))
            for step in range(1, 301):
                device.check(library.clgrad_network_train_step(network, x, target, loss))
                if step % 100 == 0:
                    print(f"step {step}: loss {float(device.read(loss)):.4f}")
            scores = device.tensor(numpy.zeros((len(new_points), 3), numpy.float32))
            device.check(library.clgrad_network_predict(network, device.tensor(new_points), scores))
            accuracy = (device.read(scores).argmax(1) == new_classes).mean()
        finally:
            library.clgrad_network_destroy(network)
        print(f"clgrad {library.clgrad_version_text().decode()}: {100 * accuracy:.1f} % of {len(new_points)} new points")


if __name__ == "__main__":
    try:
        main()
    except RuntimeError as failure:
        sys.exit(str(failure))
