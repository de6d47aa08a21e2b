// Creating, reading, moving and reshaping tensors.

#include "guard.h"

using acd::sizes;
using acd::tensor;

namespace {

at::TensorOptions options(int32_t dtype, int32_t device, int64_t index) {
  return at::TensorOptions().dtype(static_cast<at::ScalarType>(dtype)).device(acd::device(device, index));
}

}  // namespace

acd_error acd_close(acd_tensor t) { ACD_GUARD(delete static_cast<at::Tensor *>(t)) }

acd_error acd_empty(const int64_t *shape, int64_t rank, int32_t dtype, int32_t device, int64_t index,
                    int32_t pinned, acd_tensor *out) {
  ACD_RETURN(out, at::empty(sizes(shape, rank), options(dtype, device, index).pinned_memory(pinned != 0)))
}

acd_error acd_full(const int64_t *shape, int64_t rank, double value, int32_t dtype, int32_t device,
                   int64_t index, acd_tensor *out) {
  ACD_RETURN(out, at::full(sizes(shape, rank), value, options(dtype, device, index)))
}

acd_error acd_data(acd_tensor t, void **data, int64_t *bytes) {
  ACD_GUARD(
      TORCH_CHECK(tensor(t).is_cpu() && tensor(t).is_contiguous(), "only the memory of a contiguous CPU tensor can be read");
      *data = tensor(t).data_ptr();
      *bytes = static_cast<int64_t>(tensor(t).nbytes()))
}

acd_error acd_copy_out(acd_tensor t, int32_t dtype, void *data, int64_t count) {
  ACD_GUARD(
      TORCH_CHECK(tensor(t).numel() == count, "tensor has ", tensor(t).numel(), " values, not ", count);
      const at::Tensor values = tensor(t).detach();
      at::from_blob(data, values.sizes(), static_cast<at::ScalarType>(dtype)).copy_(values))
}

acd_error acd_read_back(acd_tensor t, acd_tensor *out) {
  ACD_GUARD(
      const at::Tensor values = tensor(t).detach().to(at::kFloat);
      if (values.is_cpu()) {
        *out = new at::Tensor(values);
      } else {
        // Contiguous on the device, so that the copy is one transfer.
        at::Tensor host = at::empty(values.sizes(), at::TensorOptions(at::kFloat).pinned_memory(true));
        host.copy_(values.contiguous(), /*non_blocking=*/true);
        *out = new at::Tensor(host);
      })
}

acd_error acd_to(acd_tensor t, int32_t dtype, int32_t device, int64_t index, int32_t non_blocking, acd_tensor *out) {
  ACD_RETURN(out, tensor(t).to(acd::device(device, index), static_cast<at::ScalarType>(dtype), non_blocking != 0))
}

acd_error acd_reshape(acd_tensor t, const int64_t *shape, int64_t rank, acd_tensor *out) {
  ACD_RETURN(out, tensor(t).reshape(sizes(shape, rank)))
}

acd_error acd_expand(acd_tensor t, const int64_t *shape, int64_t rank, acd_tensor *out) {
  ACD_RETURN(out, tensor(t).expand(sizes(shape, rank)))
}

acd_error acd_clone(acd_tensor t, acd_tensor *out) { ACD_RETURN(out, tensor(t).clone()) }

acd_error acd_contiguous(acd_tensor t, acd_tensor *out) { ACD_RETURN(out, tensor(t).contiguous()) }

acd_error acd_narrow(acd_tensor t, int64_t dim, int64_t start, int64_t length, acd_tensor *out) {
  ACD_RETURN(out, tensor(t).narrow(dim, start, length))
}

acd_error acd_cat(acd_tensor *tensors, int64_t count, int64_t dim, acd_tensor *out) {
  ACD_RETURN(out, at::cat(acd::tensors(tensors, count), dim))
}

acd_error acd_reflect_pad(acd_tensor t, int64_t margin, acd_tensor *out) {
  ACD_RETURN(out, at::reflection_pad2d(tensor(t), {margin, margin, margin, margin}))
}
