// Arithmetic, layers and losses.
#include "guard.h"

using acd::sizes;
using acd::tensor;

acd_error acd_add_scalar(acd_tensor t, double value, acd_tensor *out) { ACD_RETURN(out, tensor(t).add(value)) }

acd_error acd_mul_scalar(acd_tensor t, double value, acd_tensor *out) { ACD_RETURN(out, tensor(t).mul(value)) }

acd_error acd_pow(acd_tensor t, double exponent, acd_tensor *out) { ACD_RETURN(out, tensor(t).pow(exponent)) }

acd_error acd_log(acd_tensor t, acd_tensor *out) { ACD_RETURN(out, tensor(t).log()) }

acd_error acd_clamp(acd_tensor t, double low, double high, acd_tensor *out) {
  ACD_RETURN(out, tensor(t).clamp(low, high))
}

acd_error acd_gelu(acd_tensor t, acd_tensor *out) { ACD_RETURN(out, at::gelu(tensor(t), "none")) }

acd_error acd_matmul(acd_tensor a, acd_tensor b, acd_tensor *out) {
  ACD_RETURN(out, at::matmul(tensor(a), tensor(b)))
}

acd_error acd_softmax(acd_tensor t, int64_t dim, acd_tensor *out) { ACD_RETURN(out, at::softmax(tensor(t), dim)) }

acd_error acd_layer_norm(acd_tensor t, acd_tensor weight, acd_tensor bias, double epsilon, acd_tensor *out) {
  ACD_RETURN(out, at::layer_norm(tensor(t), tensor(weight).sizes(), tensor(weight), tensor(bias), epsilon))
}

acd_error acd_norm(acd_tensor t, int64_t dim, acd_tensor *out) {
  ACD_RETURN(out, at::linalg_vector_norm(tensor(t), 2, at::IntArrayRef(&dim, 1), true))
}

acd_error acd_normalize(acd_tensor t, int64_t dim, acd_tensor *out) {
  ACD_GUARD(
      const at::Tensor &x = tensor(t);
      at::Tensor norm = at::linalg_vector_norm(x, 2, at::IntArrayRef(&dim, 1), true);
      *out = new at::Tensor(x / norm.clamp_min(1e-12)))
}

acd_error acd_mean(acd_tensor t, const int64_t *dims, int64_t count, acd_tensor *out) {
  ACD_RETURN(out, tensor(t).mean(sizes(dims, count)))
}

acd_error acd_sum(acd_tensor t, const int64_t *dims, int64_t count, acd_tensor *out) {
  ACD_RETURN(out, tensor(t).sum(sizes(dims, count)))
}

acd_error acd_amax(acd_tensor t, const int64_t *dims, int64_t count, acd_tensor *out) {
  ACD_RETURN(out, tensor(t).amax(sizes(dims, count)))
}

acd_error acd_resize(acd_tensor t, int32_t how, int64_t height, int64_t width, acd_tensor *out) {
  ACD_GUARD(
      enum { bilinear, bilinear_aligned, bicubic, bicubic_antialias };  // torch.Interpolation
      const at::Tensor &x = tensor(t);
      const std::vector<int64_t> size{height, width};
      TORCH_CHECK(how >= bilinear && how <= bicubic_antialias, "unknown interpolation ", how);
      *out = new at::Tensor(how == bicubic_antialias ? at::_upsample_bicubic2d_aa(x, size, false)
                            : how == bicubic         ? at::upsample_bicubic2d(x, size, false)
                                                     : at::upsample_bilinear2d(x, size, how == bilinear_aligned)))
}

acd_error acd_cross_entropy(acd_tensor logits, acd_tensor labels, acd_tensor *out) {
  ACD_RETURN(out, at::cross_entropy_loss(tensor(logits), tensor(labels)))
}
