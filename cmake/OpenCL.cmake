set(kernels
    activation
    activation_powers
    activation_smooth
    block
    clip
    columns
    common
    dense
    dense_tiles
    gated
    loss
    loss_channel
    loss_ctc
    loss_element
    loss_element_numbers
    loss_element_probabilities
    loss_lanes
    loss_row
    loss_row_distance
    loss_row_margin
    loss_whole
    noise
    normalization
    optimizer
    real_math
    row
    softmax
    softmax_row
    tensor
    total
)
list(TRANSFORM kernels PREPEND ${CMAKE_CURRENT_SOURCE_DIR}/kernels/)
list(TRANSFORM kernels APPEND .cl)
add_custom_command(
    OUTPUT ${CMAKE_CURRENT_BINARY_DIR}/kernels.h
    COMMAND ${CMAKE_COMMAND} -D OUTPUT=${CMAKE_CURRENT_BINARY_DIR}/kernels.h "-DSOURCES=${kernels}"
            -P ${CMAKE_CURRENT_SOURCE_DIR}/cmake/EmbedKernels.cmake
    DEPENDS ${kernels} cmake/EmbedKernels.cmake
    COMMENT "Embedding the kernels" VERBATIM
)

add_library(clgrad_opencl OBJECT
    ${CMAKE_CURRENT_BINARY_DIR}/kernels.h
    src/opencl/activation.c
    src/opencl/clip.c
    src/opencl/context.c
    src/opencl/dense.c
    src/opencl/dense_tiles.c
    src/opencl/device.c
    src/opencl/error.c
    src/opencl/gated.c
    src/opencl/gemm.c
    src/opencl/gemm_clblast.c
    src/opencl/interop.c
    src/opencl/launch.c
    src/opencl/loss.c
    src/opencl/loss_channel.c
    src/opencl/loss_ctc.c
    src/opencl/loss_element.c
    src/opencl/loss_row.c
    src/opencl/loss_whole.c
    src/opencl/memory.c
    src/opencl/noise.c
    src/opencl/normalization.c
    src/opencl/optimizer.c
    src/opencl/optimizer_derived.c
    src/opencl/program.c
    src/opencl/program_cache.c
    src/opencl/softmax.c
    src/opencl/tensor.c
    src/opencl/total.c
)
target_include_directories(clgrad_opencl PRIVATE include src ${CMAKE_CURRENT_BINARY_DIR})
target_link_libraries(clgrad_opencl PRIVATE clgrad_warnings OpenCL::OpenCL clblast)
if(TARGET PkgConfig::OPENBLAS)
    target_sources(clgrad_opencl PRIVATE src/opencl/gemm_blas.c)
    target_compile_definitions(clgrad_opencl PRIVATE CLGRAD_HAVE_BLAS)
    target_link_libraries(clgrad_opencl PRIVATE PkgConfig::OPENBLAS)
endif()

