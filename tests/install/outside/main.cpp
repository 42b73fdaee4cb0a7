// samples/minimal.c as C++17 has it: what clgrad gives is held by unique_ptr.
#include <clgrad/clgrad.h>

#include <cstdio>
#include <initializer_list>
#include <memory>
#include <stdexcept>
#include <vector>

namespace
{

struct destroy {
    void operator()(clgrad_context *context) const
    {
        clgrad_context_destroy(context);
    }
    void operator()(clgrad_network *network) const
    {
        clgrad_network_destroy(network);
    }
    void operator()(clgrad_buffer *buffer) const
    {
        clgrad_buffer_destroy(buffer);
    }
};
using context_pointer = std::unique_ptr<clgrad_context, destroy>;

void check(const context_pointer &context, clgrad_status status)
{
    if (status != CLGRAD_STATUS_SUCCESS)
        throw std::runtime_error(clgrad_context_error(context.get()));
}

class tensor
{
  public:
    tensor(const context_pointer &context, std::initializer_list<std::size_t> shape)
    {
        check(context, clgrad_tensor_create(context.get(), CLGRAD_TYPE_FLOAT32,
                                            static_cast<int>(shape.size()), shape.begin(), &view));
        buffer.reset(view.buffer);
    }

    clgrad_tensor view{};

  private:
    std::unique_ptr<clgrad_buffer, destroy> buffer;
};

float train()
{
    clgrad_context *opened = nullptr;
    clgrad_message message{};
    if (clgrad_context_create(nullptr, &opened, &message) != CLGRAD_STATUS_SUCCESS)
        throw std::runtime_error(message.text);
    const context_pointer context(opened);

    const clgrad_layer layers[] = {clgrad_layer_dense(8, CLGRAD_ACTIVATION_TANH),
                                   clgrad_layer_dense(1, CLGRAD_ACTIVATION_SIGMOID)};
    clgrad_network_options options = clgrad_network_defaults();
    options.inputs = 2;
    options.layers = layers;
    options.layer_count = 2;
    options.loss = clgrad_loss_defaults(CLGRAD_LOSS_BCE);
    options.optimizer.lr = 1;
    clgrad_network *made = nullptr;
    check(context, clgrad_network_create(context.get(), &options, &made));
    const std::unique_ptr<clgrad_network, destroy> network(made);

    const std::vector<float> inputs{0, 0, 0, 1, 1, 0, 1, 1}, wanted{0, 1, 1, 0};
    tensor x(context, {4, 2}), target(context, {4, 1}), loss(context, {});
    check(context, clgrad_tensor_write(context.get(), x.view, inputs.data(), inputs.size() * sizeof(float)));
    check(context,
          clgrad_tensor_write(context.get(), target.view, wanted.data(), wanted.size() * sizeof(float)));
    for (int step = 1; step <= 1000; step++)
        check(context, clgrad_network_train_step(network.get(), x.view, target.view, loss.view));
    float value = 0;
    check(context, clgrad_tensor_read(context.get(), loss.view, &value, sizeof value));
    return value;
}

} // namespace

int main()
{
    try {
        std::printf("loss after 1000 steps: %.4f\n", static_cast<double>(train()));
    } catch (const std::exception &failure) {
        std::puts(failure.what());
        return 1;
    }
}
