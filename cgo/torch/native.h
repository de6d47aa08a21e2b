/* The operations that gotorch lacks, as plain C. cgo/native implements them.
 *
 * Every function returns NULL on success, or a message that the caller frees with
 * acd_free_message. A result is a new tensor that the caller closes with acd_close.
 * Functions borrow input tensors only for the call. */
#pragma once

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef void *acd_tensor;      /* at::Tensor*, the same as gotorch's Tensor */
typedef const char *acd_error; /* NULL, or a message to free */

void acd_free_message(acd_error message);
const char *acd_built_for(void); /* the version of the headers it was compiled with; static memory */
acd_error acd_version(char *version, int64_t size); /* version of the loaded libtorch */

acd_error acd_instructions(char *text, int64_t size); /* the CPU's instructions that are used */

/* Devices: type 0 is the CPU, 1 is CUDA. */
acd_error acd_cuda_count(int64_t *count);
acd_error acd_cuda_describe(int64_t index, char *name, int64_t size, int64_t *total_bytes);
acd_error acd_cuda_check(int64_t index); /* a message if an operation on the device has failed for good */

/* Events: points in the work that the calling thread has started on a CUDA device. */
acd_error acd_event_record(int64_t index, void **event);
acd_error acd_event_wait(void *event); /* also reports operations before the event that have failed */
void acd_event_free(void *event);

/* The calling thread's settings. */
acd_error acd_set_threads(int64_t threads);
acd_error acd_set_exact(void);
void acd_trim(void); /* gives freed memory back to the system */
acd_error acd_grad_mode(int32_t enabled, int32_t *previous);
acd_error acd_inference_begin(void **guard);
acd_error acd_inference_end(void *guard);

/* Creating and reading tensors. */
acd_error acd_close(acd_tensor t);
/* pinned: the device can copy from CPU memory without waiting for the host */
acd_error acd_empty(const int64_t *shape, int64_t rank, int32_t dtype, int32_t device, int64_t index, int32_t pinned, acd_tensor *out);
acd_error acd_full(const int64_t *shape, int64_t rank, double value, int32_t dtype, int32_t device, int64_t index, acd_tensor *out);
acd_error acd_data(acd_tensor t, void **data, int64_t *bytes);
acd_error acd_copy_out(acd_tensor t, int32_t dtype, void *data, int64_t count);
/* starts to copy t as float32 to the host: on CUDA to pinned memory, whose values are there after a later acd_event_wait */
acd_error acd_read_back(acd_tensor t, acd_tensor *out);
/* non_blocking: the copy of pinned memory may go on; the memory may be freed all the same */
acd_error acd_to(acd_tensor t, int32_t dtype, int32_t device, int64_t index, int32_t non_blocking, acd_tensor *out);

/* Shape. */
acd_error acd_reshape(acd_tensor t, const int64_t *shape, int64_t rank, acd_tensor *out);
acd_error acd_expand(acd_tensor t, const int64_t *shape, int64_t rank, acd_tensor *out);
acd_error acd_clone(acd_tensor t, acd_tensor *out);
acd_error acd_contiguous(acd_tensor t, acd_tensor *out);
acd_error acd_narrow(acd_tensor t, int64_t dim, int64_t start, int64_t length, acd_tensor *out);
acd_error acd_cat(acd_tensor *tensors, int64_t count, int64_t dim, acd_tensor *out);
acd_error acd_reflect_pad(acd_tensor t, int64_t margin, acd_tensor *out);

/* Arithmetic. */
acd_error acd_add_scalar(acd_tensor t, double value, acd_tensor *out);
acd_error acd_mul_scalar(acd_tensor t, double value, acd_tensor *out);
acd_error acd_pow(acd_tensor t, double exponent, acd_tensor *out);
acd_error acd_log(acd_tensor t, acd_tensor *out);
acd_error acd_clamp(acd_tensor t, double low, double high, acd_tensor *out);
acd_error acd_gelu(acd_tensor t, acd_tensor *out);
acd_error acd_matmul(acd_tensor a, acd_tensor b, acd_tensor *out);
acd_error acd_softmax(acd_tensor t, int64_t dim, acd_tensor *out);
acd_error acd_layer_norm(acd_tensor t, acd_tensor weight, acd_tensor bias, double epsilon, acd_tensor *out);
/* parts of a matrix: weight, bias, scale and input scale; NULL for a missing scale */
/* t weight^T + bias; gradients flow to all three */
acd_error acd_dense(acd_tensor t, acd_tensor weight, acd_tensor bias, acd_tensor *out);
/* the weight in the order in which products are fastest, for products without gradients; NULL: it is best as it is */
acd_error acd_pack(acd_tensor *parts, int32_t round_inputs, acd_tensor *out);
/* weight as whole numbers from -127 to 127, and their scales, one per output; out: two tensors */
acd_error acd_quantise(acd_tensor weight, acd_tensor *out);
acd_error acd_linear(acd_tensor t, acd_tensor *parts, int32_t round_inputs, acd_tensor *out);
/* parts: weight and bias of both norms, then the parts of the matrices qkv, out, expand and reduce. rounded: one bit for
 * each matrix that rounds its inputs, in that order; wanted: bits of torch.Part; rows: how many rows of the output to
 * compute, from the first; wanted must be 0 unless these are all. out: five tensors, the output and the intermediate
 * results in the order of their bits; NULL for a result that is not wanted */
acd_error acd_frozen_block(acd_tensor t, acd_tensor *parts, int64_t heads, int32_t causal, int32_t quick, double epsilon, int32_t recompute, int32_t rounded, int32_t wanted, int64_t rows, acd_tensor *out);
acd_error acd_norm(acd_tensor t, int64_t dim, acd_tensor *out);
acd_error acd_normalize(acd_tensor t, int64_t dim, acd_tensor *out);
acd_error acd_mean(acd_tensor t, const int64_t *dims, int64_t count, acd_tensor *out);
acd_error acd_sum(acd_tensor t, const int64_t *dims, int64_t count, acd_tensor *out);
acd_error acd_amax(acd_tensor t, const int64_t *dims, int64_t count, acd_tensor *out);
acd_error acd_resize(acd_tensor t, int32_t how, int64_t height, int64_t width, acd_tensor *out); /* how: torch.Interpolation */
acd_error acd_cross_entropy(acd_tensor logits, acd_tensor labels, acd_tensor *out);

/* Gradients and the optimiser. */
acd_error acd_require_grad(acd_tensor t, int32_t required);
acd_error acd_backward(acd_tensor t);
acd_error acd_grad(acd_tensor t, acd_tensor *out); /* *out is NULL if t has no gradient */
acd_error acd_clear_grad(acd_tensor t);
acd_error acd_clip_grad_norm(acd_tensor t, double limit);
acd_error acd_grad_norm(acd_tensor *parameters, int64_t count, acd_tensor *out);
acd_error acd_adam_step(acd_tensor parameter, acd_tensor mean, acd_tensor square, int64_t step, double rate, double beta1, double beta2, double epsilon, double decay);

#ifdef __cplusplus
}
#endif
