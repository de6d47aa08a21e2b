// Gradients and the optimiser's step.
#include <cmath>
#include <vector>

#include <c10/core/GradMode.h>

#include "guard.h"

using acd::tensor;

acd_error acd_require_grad(acd_tensor t, int32_t required) { ACD_GUARD(tensor(t).set_requires_grad(required != 0)) }

acd_error acd_backward(acd_tensor t) { ACD_GUARD(tensor(t).backward()) }

acd_error acd_grad(acd_tensor t, acd_tensor *out) {
  ACD_GUARD(
      const at::Tensor &grad = tensor(t).grad();
      *out = grad.defined() ? new at::Tensor(grad) : nullptr)
}

acd_error acd_clear_grad(acd_tensor t) { ACD_GUARD(tensor(t).mutable_grad() = at::Tensor()) }

// g * min(1, limit / (|g| + 1e-6)), like torch.nn.utils.clip_grad_norm_ for one tensor.
acd_error acd_clip_grad_norm(acd_tensor t, double limit) {
  ACD_GUARD(
      c10::NoGradGuard guard;
      at::Tensor grad = tensor(t).grad();
      if (grad.defined()) grad.mul_((limit / (at::linalg_vector_norm(grad) + 1e-6)).clamp_max(1.0)))
}

// The Euclidean norm of all gradients together, a float32 scalar on their device; 0 if no
// parameter has a gradient.
acd_error acd_grad_norm(acd_tensor *parameters, int64_t count, acd_tensor *out) {
  ACD_GUARD(
      c10::NoGradGuard guard;
      std::vector<at::Tensor> grads;
      for (int64_t i = 0; i < count; ++i) {
        at::Tensor grad = tensor(parameters[i]).grad();
        if (grad.defined()) grads.push_back(grad);
      }
      at::Tensor norm = grads.empty() ? at::zeros({}, tensor(parameters[0]).options())
                                      : at::linalg_vector_norm(at::stack(at::_foreach_norm(grads)));
      *out = new at::Tensor(norm))
}

// One step of Adam (Kingma and Ba), with the operations in torch.optim.Adam's order; decay
// is the decoupled weight decay of torch.optim.AdamW.
acd_error acd_adam_step(acd_tensor parameter, acd_tensor mean, acd_tensor square, int64_t step, double rate,
                        double beta1, double beta2, double epsilon, double decay) {
  ACD_GUARD(
      c10::NoGradGuard guard;
      at::Tensor grad = tensor(parameter).grad();
      if (!grad.defined()) return nullptr;
      if (decay != 0) tensor(parameter).mul_(1 - rate * decay);
      tensor(mean).lerp_(grad, 1 - beta1);
      tensor(square).mul_(beta2).addcmul_(grad, grad, 1 - beta2);
      double correction1 = 1 - std::pow(beta1, static_cast<double>(step));
      double correction2 = std::sqrt(1 - std::pow(beta2, static_cast<double>(step)));
      at::Tensor scale = (tensor(square).sqrt() / correction2).add_(epsilon);
      tensor(parameter).addcdiv_(tensor(mean), scale, -rate / correction1))
}
